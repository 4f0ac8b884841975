/**
 * The entries that name an identity in ways that sendmail does not know: CERTFP, CERTSAN, USER and
 * patterns.
 *
 * Several may name the same client: a certificate has many names, and a person several certificates.
 * So all keys of one step are looked up, and the strictest entry counts: REJECT before OK before
 * RELAY. Neither the order of the file nor that of the names in a certificate matters.
 */

import type { PeerCertificate } from '../names/identity.ts'
import type { PatternKey } from './access-survey.ts'
import { alternativeNames } from './alternative-names.ts'
import { canMatch, standingAuthentication } from './certificate.ts'
import type { AccessEntry, Reason } from './decision.ts'
import { parseIdentityValue } from './identity-value.ts'
import { identityThatCounts } from './login.ts'
import { hasOwnEntries, lookUpOwn } from './lookups.ts'
import type { Inquiry } from './lookups.ts'
import { matchesName, nameParts } from './name-pattern.ts'

export type IdentityEntry = {
  readonly entry: AccessEntry
  /** The rule's name and words, if the entry lets the client relay. */
  readonly rule: string
  readonly text: string
  /** True if it goes by a name that the certificate's CA has written there. */
  readonly isByName: boolean
}

/** Entries that name this one certificate, or this one person or machine. */
export function entriesOfThisOne(inquiry: Inquiry): readonly IdentityEntry[] {
  const identity = identityThatCounts(inquiry)
  const certificate = identity.kind === 'verified' ? identity.certificate : null
  return [
    ...(certificate === null ? [] : [...byFingerprint(inquiry, certificate), ...byAlternativeName(inquiry, certificate), ...byWholeSubject(inquiry, certificate)]),
    ...byHolder(inquiry),
  ]
}

/** Entries that name all of a kind to which this certificate belongs. */
export function entriesOfItsKind(inquiry: Inquiry, certificate: PeerCertificate): readonly IdentityEntry[] {
  return [...byAddressDomain(inquiry, certificate), ...bySubjectPattern(inquiry, certificate)]
}

export function entriesOfIssuerPattern(inquiry: Inquiry, certificate: PeerCertificate): readonly IdentityEntry[] {
  const { issuerPatterns } = inquiry.policy.survey
  const found = matching(inquiry, 'CERTISSUER~', certificate.issuer, issuerPatterns, () => canMatch(inquiry, certificate, 'issuer'))
  return found.map(entry => ({ entry, rule: 'issuerPatternRelays', text: 'every certificate of issuers with such a name may relay', isByName: false }))
}

/** The first of the strictest, or null. */
export function strictest(entries: readonly IdentityEntry[]): IdentityEntry | null {
  return entries.reduce<IdentityEntry | null>((kept, next) => (kept === null || rank(next.entry) > rank(kept.entry) ? next : kept), null)
}

/** A permission that is limited is stricter than one that is not. */
function rank({ value }: AccessEntry): number {
  const meant = parseIdentityValue(value)
  switch (meant.kind) {
    case 'relay':
      return meant.recipients === null ? 0 : 2
    case 'subject':
      return 1
    case 'ok':
      return 3
    case 'refuse':
    case 'unknown':
      return 4
  }
}

function byFingerprint(inquiry: Inquiry, certificate: PeerCertificate): readonly IdentityEntry[] {
  if (!hasOwnEntries(inquiry, 'CERTFP')) return []
  const found = (fingerprint: string, rule: string, text: string): readonly IdentityEntry[] => {
    // Identities that are not of a handshake may lack one.
    const entry = fingerprint === '' ? null : lookUpFingerprint(inquiry, fingerprint)
    return entry === null ? [] : [{ entry, rule, text, isByName: false }]
  }
  return [
    ...found(certificate.fingerprint, 'certificateRelays', 'this very certificate may relay'),
    ...found(certificate.keyFingerprint, 'keyRelays', 'certificates with this very key may relay'),
  ]
}

/** Hexadecimal digits in a row, or with the colons that openssl prints. */
function lookUpFingerprint({ policy, because }: Inquiry, fingerprint: string): AccessEntry | null {
  const key = `certfp:${fingerprint}`
  const entry = policy.access.find(key) ?? policy.access.find(`certfp:${fingerprint.replace(/..(?=.)/g, '$&:')}`)
  because.push({ kind: 'lookedUp', key: `CERTFP:${fingerprint}`, entry })
  return entry
}

function byAlternativeName(inquiry: Inquiry, certificate: PeerCertificate): readonly IdentityEntry[] {
  if (!hasOwnEntries(inquiry, 'CERTSAN')) return []
  const { particular, uris } = alternativeNames(certificate)
  return [...lookUpNames(inquiry, particular, isSameName), ...lookUpNames(inquiry, uris, isSameUri)].map(entry => byName(entry))
}

function byAddressDomain(inquiry: Inquiry, certificate: PeerCertificate): readonly IdentityEntry[] {
  if (!hasOwnEntries(inquiry, 'CERTSAN')) return []
  return lookUpNames(inquiry, alternativeNames(certificate).domains, isSameName).map(entry => byName(entry))
}

function byName(entry: AccessEntry): IdentityEntry {
  return { entry, rule: 'alternativeNameRelays', text: 'certificates with this name may relay', isByName: true }
}

/** A certificate may have thousands of names. All are looked up; of those that are not found only some are written down. */
function lookUpNames(inquiry: Inquiry, names: readonly string[], isSame: (entry: AccessEntry, name: string) => boolean): readonly AccessEntry[] {
  return names.flatMap((name, at) => {
    const because: Reason[] = []
    const found = lookUpOwn({ policy: inquiry.policy, because }, 'CERTSAN', name)
    const entry = found !== null && isSame(found, name) ? found : null
    if (entry !== null || at < MOST_MISSES) inquiry.because.push({ kind: 'lookedUp', key: `CERTSAN:${name}`, entry })
    return entry === null ? [] : [entry]
  })
}

const MOST_MISSES = 20

function isSameName(): boolean {
  return true
}

function isSameUri({ key }: AccessEntry, uri: string): boolean {
  return key.slice('CERTSAN:'.length) === uri
}

/** The holder of a certificate or password of ours, and an account that is none of ours. */
function byHolder(inquiry: Inquiry): readonly IdentityEntry[] {
  if (!hasOwnEntries(inquiry, 'USER')) return []
  const identity = identityThatCounts(inquiry)
  const holder = identity.kind === 'verified' ? (identity.holder?.name ?? null) : null
  const account = standingAuthentication(inquiry)?.stranger ?? null
  const names = new Set([holder, account].filter(name => name !== null))
  return [...names].flatMap(name => {
    const entry = lookUpOwn(inquiry, 'USER', name)
    return entry === null ? [] : [{ entry, rule: 'holderRelays', text: `${name} may relay`, isByName: false }]
  })
}

function byWholeSubject(inquiry: Inquiry, certificate: PeerCertificate): readonly IdentityEntry[] {
  return bySubject(inquiry, certificate, inquiry.policy.survey.wholeSubjects)
}

function bySubjectPattern(inquiry: Inquiry, certificate: PeerCertificate): readonly IdentityEntry[] {
  return bySubject(inquiry, certificate, inquiry.policy.survey.subjectPatterns)
}

function bySubject(inquiry: Inquiry, certificate: PeerCertificate, patterns: readonly PatternKey[]): readonly IdentityEntry[] {
  const found = matching(inquiry, 'CERTSUBJECT~', certificate.subject, patterns, () => canMatch(inquiry, certificate, 'subject'))
  return found.map(entry => ({ entry, rule: 'subjectPatternRelays', text: 'certificates with such a subject may relay', isByName: true }))
}

/** Every entry whose pattern the name matches; written down as a look-up of the name. */
function matching(inquiry: Inquiry, tag: string, name: string, patterns: readonly PatternKey[], canMatchAny: () => boolean): readonly AccessEntry[] {
  if (patterns.length === 0 || !canMatchAny()) return []
  const parts = nameParts(name)
  const found = patterns.flatMap(({ key, pattern }) => {
    const entry = parts !== null && matchesName(pattern, parts) ? inquiry.policy.access.find(key) : null
    return entry === null ? [] : [entry]
  })
  for (const entry of found.length === 0 ? [null] : found) inquiry.because.push({ kind: 'lookedUp', key: `${tag}:${name}`, entry })
  return found
}
