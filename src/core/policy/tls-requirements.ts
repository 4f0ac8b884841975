/**
 * What the other side must prove in TLS before mail passes: TLS_Clt, TLS_Srv and TLS_Rcpt.
 *
 *     [PERM+|TEMP+] VERIFY[:bits] | ENCR:bits  [+ requirement [++ requirement]...]
 *
 * sendmail's values fail open: what it cannot read, it accepts. That is kept, since these are
 * sendmail's answers, and `lintAccessMap` reports every such entry.
 */

import { verifyWord } from '../names/identity.ts'
import type { ClientIdentity } from '../names/identity.ts'
import { isWord, scannedValue } from './access-value.ts'
import { accessAddress, clientName } from './client-address.ts'
import type { AccessEntry, PolicyReply } from './decision.ts'
import { ACCEPT, CLIENT_NAME_MISSING, because, note } from './finding.ts'
import type { Finding } from './finding.ts'
import { hasEntries, lookUpAddress, lookUpDomain, lookUpExact } from './lookups.ts'
import type { Inquiry, Search, Tag } from './lookups.ts'

/** The other side as the requirements see it. Names and numbers are those of sendmail's macros. */
export type TlsPeer = {
  /** Null while it has not been looked up. */
  readonly name: string | null
  /** In access map form. */
  readonly address: string
  readonly verify: string
  readonly cipherBits: number
  readonly securityLayerBits: number
  readonly cnSubject: string
  readonly subject: string
  readonly issuer: string
  readonly dnsNames: readonly string[]
}

/** sendmail's tls_client: what this client's TLS must have proved. */
export function checkClientTls(inquiry: Inquiry): Finding {
  if (!hasEntries(inquiry, 'TLS_Clt')) return ACCEPT
  const { asker, policy } = inquiry
  const name = asker.host.name === null ? null : clientName(asker.host)
  if (name === null && policy.survey.namesHosts.has('tls_clt')) return CLIENT_NAME_MISSING
  const peer: TlsPeer = {
    name,
    address: accessAddress(asker.host.address),
    verify: verifyWord(asker.identity),
    securityLayerBits: asker.authentication?.securityLayerBits ?? 0,
    ...certificateFacts(asker.identity),
  }
  return checkPeerTls(inquiry, findPeerEntry(inquiry, 'TLS_Clt', peer), peer)
}

/** The entry for a peer: by its name, by its address, then the bare tag. */
export function findPeerEntry(search: Search, tag: Tag, peer: { readonly name: string | null; readonly address: string }): AccessEntry | null {
  const byHost =
    peer.name === ''
      ? null
      : ((peer.name === null ? null : lookUpDomain(search, tag, peer.name)) ?? lookUpAddress(search, tag, peer.address))
  return byHost ?? lookUpExact(search, tag, '')
}

/** Does the peer meet the entry? Without one only a broken handshake counts against it. */
export function checkPeerTls(search: Search, entry: AccessEntry | null, peer: TlsPeer): Finding {
  const required = entry === null ? null : parseRequirement(entry.value)
  const refuse = (text: string, detail: string): Finding =>
    because(search, 'tlsRequirement', detail, { kind: 'refuse', reply: { ...codes(search, required), text } })
  const broken = BROKEN_HANDSHAKES.get(peer.verify)
  if (broken !== undefined) return refuse(broken, broken)
  if (required === null) return ACCEPT
  if (required.kind === 'verify' && peer.verify !== 'OK' && peer.verify !== 'TRUSTED') {
    const why = UNVERIFIED.get(peer.verify) ?? 'authentication failure'
    return refuse(why, `the entry asks for a verified certificate: ${why}`)
  }
  const bits = Math.max(peer.cipherBits, peer.securityLayerBits)
  if (required.bits !== null && bits < required.bits) {
    return refuse(`encryption too weak ${bits} less than ${required.bits}`, `the entry asks for ${required.bits} bits`)
  }
  return checkFurther(search, required.further, peer, refuse)
}

type Refuse = (text: string, detail: string) => Finding

/**
 * The list behind `VERIFY+` or `ENCR:bits+`: all must hold. What cannot be read ends it, accepting; so do
 * `CS:` and `CI:` with nothing behind them, but for a peer whose name is as empty.
 */
function checkFurther(search: Search, further: readonly string[], peer: TlsPeer, refuse: Refuse): Finding {
  for (const requirement of further) {
    const [word, wanted] = splitOnce(requirement, ':')
    switch (word.toUpperCase()) {
      case 'CN': {
        if (peer.name === null && wanted === null) return CLIENT_NAME_MISSING
        if (!hasName(search, peer, wanted)) return refuse('certificate name does not match', `the entry asks for the name ${wanted ?? peer.name}`)
        break
      }
      case 'CS':
        if (wanted === null) return unreadable(search, requirement)
        if (wanted === '' && peer.subject !== '') return unreadable(search, requirement)
        if (!isSame(peer.subject, wanted)) return refuse('certificate subject does not match', `the entry asks for the subject ${wanted}`)
        break
      case 'CI':
        if (wanted === null) return unreadable(search, requirement)
        if (wanted === '' && peer.issuer !== '') return unreadable(search, requirement)
        if (!isSame(peer.issuer, wanted)) return refuse('certificate issuer does not match', `the entry asks for the issuer ${wanted}`)
        break
      case 'CITAG': {
        if (wanted === null) return unreadable(search, requirement)
        const entry = lookUpExact(search, wanted, peer.issuer)
        if (entry === null) return refuse('certificate issuer not acceptable', `the issuer has no ${wanted}: entry`)
        if (!isWord(entry.value, 'OK')) return ACCEPT
        break
      }
      default:
        return unreadable(search, requirement)
    }
  }
  return ACCEPT
}

function unreadable(search: Search, requirement: string): Finding {
  note(search, `"${requirement}" is no requirement that sendmail knows, and accepts`)
  return ACCEPT
}

/** CN against the name asked for, or against the peer's own name; with altnames as FEATURE(check_cert_altnames). */
function hasName(search: Search, peer: TlsPeer, wanted: string | null): boolean {
  const peerName = peer.name ?? ''
  const name = wanted ?? peerName
  if (!search.policy.features.checkCertificateAltNames) return isSame(peer.cnSubject, name)
  const wildcard = `*.${name.slice(name.indexOf('.') + 1)}`
  if (peer.dnsNames.some(dnsName => isSame(dnsName, name) || (name.includes('.') && isSame(dnsName, wildcard)))) return true
  return isSame(peer.cnSubject, peerName)
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

export type TlsRequirement = {
  readonly kind: 'verify' | 'encrypt'
  readonly failure: 'permanent' | 'temporary' | null
  /** Null if there is no number, or none that can be read. */
  readonly bits: number | null
  readonly further: readonly string[]
}

/** Null for a value that is not of this syntax at all, and so asks for nothing. */
export function parseRequirement(value: string): TlsRequirement | null {
  const [, prefix, word, rest = ''] = REQUIREMENT.exec(scannedValue(value)) ?? []
  if (word === undefined) return null
  const [, digits, more, junk] = BITS_AND_MORE.exec(rest) ?? []
  const isVerify = word.toUpperCase() === 'VERIFY'
  // ENCR without a number asks for nothing, but its codes still count for a broken handshake.
  const asksNothing = junk !== undefined || (!isVerify && digits === undefined)
  return {
    kind: isVerify && !asksNothing ? 'verify' : 'encrypt',
    failure: prefix === undefined ? null : prefix.toUpperCase() === 'PERM' ? 'permanent' : 'temporary',
    bits: asksNothing || digits === undefined || !NUMBER.test(digits) ? null : Number(digits),
    further: asksNothing || more === undefined ? [] : more.split('++'),
  }
}

const REQUIREMENT = /^(?:(PERM|TEMP)[ \t]*\+[ \t]*)?(VERIFY|ENCR)(?![A-Z0-9_-])[ \t]*(.*)$/is
const BITS_AND_MORE = /^(?::[ \t]*([^+\s]+)[ \t]*)?(?:\+[ \t]*(.+))?$|^(.+)$/s
const NUMBER = /^\d+$/

function splitOnce(text: string, separator: string): readonly [string, string | null] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}

function codes(search: Search, required: TlsRequirement | null): { readonly code: number; readonly enhanced: PolicyReply['enhanced'] } {
  switch (required?.failure ?? null) {
    case 'permanent':
      return { code: 503, enhanced: '5.7.0' }
    case 'temporary':
      return { code: 403, enhanced: '4.7.0' }
    case null:
      return search.policy.features.tlsFailuresArePermanent ? { code: 554, enhanced: '5.7.0' } : { code: 454, enhanced: '4.7.0' }
  }
}

/** These refuse whatever the map says. */
const BROKEN_HANDSHAKES: ReadonlyMap<string, string> = new Map([
  ['SOFTWARE', 'TLS handshake failed.'],
  ['PROTOCOL', 'STARTTLS failed.'],
  ['DANE_FAIL', 'DANE check failed.'],
  ['CONFIG', 'STARTTLS temporarily not possible.'],
])

const UNVERIFIED: ReadonlyMap<string, string> = new Map([
  ['FAIL', 'authentication failed'],
  ['NO', 'not authenticated'],
  ['NOT', 'no authentication requested'],
  ['NONE', 'other side does not support STARTTLS'],
  ['CLEAR', 'STARTTLS disabled locally'],
  ['', 'authentication required'],
])

function certificateFacts(identity: ClientIdentity): Omit<TlsPeer, 'name' | 'address' | 'verify' | 'securityLayerBits'> {
  const cipherBits = identity.kind === 'plaintext' ? 0 : identity.tls.cipherBits
  if (identity.kind === 'plaintext' || identity.kind === 'anonymous') {
    return { cipherBits, cnSubject: '', subject: '', issuer: '', dnsNames: [] }
  }
  const { cnSubject, subject, issuer, dnsNames } = identity.certificate
  return { cipherBits, cnSubject, subject, issuer, dnsNames }
}
