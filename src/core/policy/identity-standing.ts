/**
 * What the access map says of who a client is: may it relay, is it refused, or neither?
 *
 * The most specific entry decides:
 *
 * 1. what names this one certificate, person or machine: CERTFP, CERTSAN, USER, CERTSUBJECT~ without a star;
 * 2. CERTISSUER that says SUBJECT, and CERTSUBJECT for this subject;
 * 3. what names many of a kind: CERTSAN for the addresses of a domain, CERTSUBJECT~ patterns;
 * 4. CERTISSUER that says RELAY; without an entry for the issuer, CERTISSUER~ patterns.
 *
 * Steps 2 and 4 without patterns are sendmail's, and a map without our own keys is asked nothing else.
 */

import type { ClientIdentity, PeerCertificate } from '../names/identity.ts'
import { isWord } from './access-value.ts'
import { findIssuerEntry, subjectMayRelay } from './certificate.ts'
import type { AccessEntry, Reason } from './decision.ts'
import { because, note, objection } from './finding.ts'
import type { Finding } from './finding.ts'
import { entriesOfIssuerPattern, entriesOfItsKind, entriesOfThisOne, strictest } from './identity-entries.ts'
import type { IdentityEntry } from './identity-entries.ts'
import { parseIdentityValue } from './identity-value.ts'
import { identityThatCounts } from './login.ts'
import type { Inquiry } from './lookups.ts'
import { unknownValue } from './refusals.ts'

export type Standing =
  /** `recipients`: to these only; null for any. */
  | { readonly kind: 'relays'; readonly rule: string; readonly text: string; readonly recipients: readonly string[] | null }
  /** An entry refuses this client, wherever it sends to. */
  | { readonly kind: 'refused'; readonly finding: Finding }
  /** An entry says OK: who the client is gives it nothing beyond what anybody has. */
  | { readonly kind: 'withheld' }
  | { readonly kind: 'none' }

export function standingOfIdentity(inquiry: Inquiry): Standing {
  const identity = identityThatCounts(inquiry)
  if (!inquiry.policy.survey.namesIdentities || !inquiry.policy.features.posternKeys) return standingAtSendmail(inquiry)
  const issuer = identity.kind === 'verified' ? new IssuerEntries(inquiry, identity) : null
  const particular = standingBy(inquiry, entriesOfThisOne(inquiry).filter(found => mayCount(inquiry, found, issuer)))
  if (particular !== null) return particular
  if (identity.kind !== 'verified' || issuer === null) return notVerified(inquiry)
  const { certificate } = identity
  if (issuer.says('SUBJECT') && subjectMayRelay(inquiry, certificate)) {
    noteOverruled(inquiry, certificate)
    return SUBJECT_RELAYS
  }
  const kind = standingBy(inquiry, entriesOfItsKind(inquiry, certificate).filter(found => mayCount(inquiry, found, issuer)))
  if (kind !== null) return kind
  if (issuer.exact !== null) return issuer.says('RELAY') ? ISSUER_RELAYS : NONE
  return (issuer.says('SUBJECT') ? null : standingBy(inquiry, issuer.patterns)) ?? NONE
}

/** A refusal by an entry of our own, which counts from MAIL on. Null if there is none. */
export function refusalOfIdentity(inquiry: Inquiry): Finding | null {
  if (!inquiry.policy.survey.namesIdentities || !inquiry.policy.features.posternKeys) return null
  const standing = standingOfIdentity(inquiry)
  return standing.kind === 'refused' ? standing.finding : null
}

/** The certificate can never be denied here: that is not what these entries are for. */
function standingAtSendmail(inquiry: Inquiry): Standing {
  const identity = identityThatCounts(inquiry)
  if (identity.kind !== 'verified') return notVerified(inquiry)
  const issuer = findIssuerEntry(inquiry, identity.certificate)
  if (issuer === null) return NONE
  if (isWord(issuer.value, 'RELAY')) return ISSUER_RELAYS
  return isWord(issuer.value, 'SUBJECT') && subjectMayRelay(inquiry, identity.certificate) ? SUBJECT_RELAYS : NONE
}

const NONE: Standing = { kind: 'none' }
const ISSUER_RELAYS: Standing = { kind: 'relays', rule: 'issuerRelays', text: 'every certificate of this issuer may relay', recipients: null }
const SUBJECT_RELAYS: Standing = { kind: 'relays', rule: 'subjectRelays', text: 'this certificate may relay', recipients: null }
const NOT_VERIFIED: Reason = { kind: 'fact', text: 'the client has no verified certificate' }

function notVerified(inquiry: Inquiry): Standing {
  inquiry.because.push(NOT_VERIFIED)
  return NONE
}

/** The entries of a certificate's issuer, looked up when they are first needed. */
class IssuerEntries {
  readonly isOurs: boolean
  readonly #inquiry: Inquiry
  readonly #certificate: PeerCertificate
  #found: { readonly exact: AccessEntry | null; readonly patterns: readonly IdentityEntry[] } | null = null

  constructor(inquiry: Inquiry, { certificate, holder }: Extract<ClientIdentity, { kind: 'verified' }>) {
    this.isOurs = holder !== null
    this.#inquiry = inquiry
    this.#certificate = certificate
  }

  get exact(): AccessEntry | null {
    return this.#look().exact
  }

  /** Asked only if no entry names the issuer exactly. */
  get patterns(): readonly IdentityEntry[] {
    return this.#look().patterns
  }

  /** RELAY to some recipients only is RELAY here. */
  says(word: 'RELAY' | 'SUBJECT'): boolean {
    if (this.exact !== null) return isWord(this.exact.value, word)
    const entry = strictest(this.patterns)?.entry
    return entry !== undefined && parseIdentityValue(entry.value).kind.toUpperCase() === word
  }

  #look(): { readonly exact: AccessEntry | null; readonly patterns: readonly IdentityEntry[] } {
    if (this.#found !== null) return this.#found
    const exact = findIssuerEntry(this.#inquiry, this.#certificate)
    this.#found = { exact, patterns: exact === null ? entriesOfIssuerPattern(this.#inquiry, this.#certificate) : [] }
    return this.#found
  }
}

/**
 * The names in a certificate are what its CA says. Our own authority's word counts; another CA's
 * counts for a permission only if the map has let that CA's certificates relay, all or some (S8).
 */
function mayCount(inquiry: Inquiry, { entry, isByName }: IdentityEntry, issuer: IssuerEntries | null): boolean {
  if (!isByName || issuer === null || issuer.isOurs || parseIdentityValue(entry.value).kind !== 'relay') return true
  if (issuer.says('RELAY') || issuer.says('SUBJECT')) return true
  note(inquiry, `${entry.key} does not count: the names that another CA writes give nothing without a CERTISSUER: line for it`)
  return false
}

/** What the strictest of these entries says; null if there are none. */
function standingBy(inquiry: Inquiry, entries: readonly IdentityEntry[]): Standing | null {
  const deciding = strictest(entries)
  if (deciding === null) return null
  const { entry, rule, text } = deciding
  if (entries.length > 1) {
    note(inquiry, `of these lines the strictest counts, and among equals the first: ${entry.key} ${entry.value}`)
    inquiry.because.push({ kind: 'lookedUp', key: entry.key, entry })
  }
  const meant = parseIdentityValue(entry.value)
  switch (meant.kind) {
    case 'relay':
      return { kind: 'relays', rule, text, recipients: meant.recipients }
    case 'ok':
      note(inquiry, `${entry.key} gives this client nothing beyond what anybody has`)
      return { kind: 'withheld' }
    case 'refuse':
      return { kind: 'refused', finding: objection(inquiry, entry, 'identity') ?? refuseUnknown(inquiry, entry) }
    case 'subject':
    case 'unknown':
      return { kind: 'refused', finding: refuseUnknown(inquiry, entry) }
  }
}

/** Whoever wrote a refusal that matches and does not count must be able to see why. */
function noteOverruled(inquiry: Inquiry, certificate: PeerCertificate): void {
  const entry = strictest(entriesOfItsKind(inquiry, certificate))?.entry
  if (entry === undefined || ['relay', 'ok'].includes(parseIdentityValue(entry.value).kind)) return
  note(inquiry, `${entry.key} ${entry.value} does not count: the line for this subject is more specific than one for many of a kind`)
}

/** Whatever it was meant to say: never a permission. */
function refuseUnknown(inquiry: Inquiry, { value }: AccessEntry): Finding {
  return because(inquiry, 'identityRejected', `${value} means nothing here, and so refuses`, { kind: 'refuse', reply: unknownValue })
}
