/**
 * What the other side must prove in TLS before mail passes: TLS_Clt, TLS_Srv and TLS_Rcpt.
 *
 * sendmail's values fail open: what it cannot read, it accepts. That is kept, since these are
 * sendmail's answers, and `lintAccessMap` reports every such entry.
 */

import { verifyWord } from '../names/identity.ts'
import type { ClientIdentity } from '../names/identity.ts'
import { foldCase } from './access-map.ts'
import { isWord } from './access-value.ts'
import { accessAddress, clientName } from './client-address.ts'
import type { AccessEntry, PolicyReply } from './decision.ts'
import { ACCEPT, CLIENT_NAME_MISSING, because, note } from './finding.ts'
import type { Finding } from './finding.ts'
import { hasEntries, lookUpAddress, lookUpDomain, lookUpExact } from './lookups.ts'
import type { Inquiry, Search, Tag } from './lookups.ts'
import { parseRequirement } from './tls-requirement-value.ts'
import type { FurtherRequirement, TlsRequirement } from './tls-requirement-value.ts'

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

/**
 * The entry for a peer: by its name, by its address, then the bare tag. A name that is empty makes the
 * bare tag the first of them.
 */
export function findPeerEntry(search: Search, tag: Tag, peer: { readonly name: string | null; readonly address: string }): AccessEntry | null {
  const byName = peer.name === null ? null : lookUpDomain(search, tag, peer.name)
  return byName ?? lookUpAddress(search, tag, peer.address) ?? (peer.name === '' ? null : lookUpExact(search, tag, ''))
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
 * The list behind `VERIFY+` or `ENCR:bits+`: all must hold. What cannot be read ends it, accepting; so
 * does a name left empty behind all others, but for a peer whose name is as empty.
 */
function checkFurther(search: Search, further: readonly FurtherRequirement[], peer: TlsPeer, refuse: Refuse): Finding {
  for (const [index, { word, wanted, text }] of further.entries()) {
    const asksNothing = (name: string): boolean => name === '' && index === further.length - 1
    switch (word) {
      case 'CN': {
        if (peer.name === null && (wanted === null || search.policy.features.checkCertificateAltNames)) return CLIENT_NAME_MISSING
        const { kind, name } = compareName(search, peer, wanted ?? peer.name ?? '')
        if (kind === 'enough') return ACCEPT
        if (kind === 'same') break
        if (asksNothing(name)) return unreadable(search, text)
        return refuse('certificate name does not match', `the entry asks for the name ${name}`)
      }
      case 'CS':
        if (wanted === null) return unreadable(search, text)
        if (isSame(peer.subject, wanted)) break
        if (asksNothing(wanted)) return unreadable(search, text)
        return refuse('certificate subject does not match', `the entry asks for the subject ${wanted}`)
      case 'CI':
        if (wanted === null) return unreadable(search, text)
        if (isSame(peer.issuer, wanted)) break
        if (asksNothing(wanted)) return unreadable(search, text)
        return refuse('certificate issuer does not match', `the entry asks for the issuer ${wanted}`)
      case 'CITAG': {
        if (wanted === null) return unreadable(search, text)
        const entry = lookUpExact(search, wanted, peer.issuer)
        if (entry === null) return refuse('certificate issuer not acceptable', `the issuer has no ${wanted}: entry`)
        if (!isWord(entry.value, 'OK')) return ACCEPT
        break
      }
      case null:
        return unreadable(search, text)
    }
  }
  return ACCEPT
}

function unreadable(search: Search, requirement: string): Finding {
  note(search, `"${requirement}" is no requirement that sendmail knows, and accepts`)
  return ACCEPT
}

type Compared = {
  /** `enough`: and no further requirement is looked at. */
  readonly kind: 'same' | 'other' | 'enough'
  /** What the common name was compared with. */
  readonly name: string
}

/**
 * CN against the name asked for. With FEATURE(check_cert_altnames) an alternative name will do: one that is
 * the name, or a wildcard for its domain, behind which sendmail forgets the rest of the list; with none of
 * them the common name must be the peer's own, whatever was asked for.
 */
function compareName(search: Search, peer: TlsPeer, wanted: string): Compared {
  if (!search.policy.features.checkCertificateAltNames) return { kind: isSame(peer.cnSubject, wanted) ? 'same' : 'other', name: wanted }
  if (wanted !== '' && peer.dnsNames.some(dnsName => isSame(dnsName, wanted))) return { kind: 'same', name: wanted }
  const [, domain] = /^[^.]+\.(.+)$/.exec(wanted) ?? []
  if (domain !== undefined && peer.dnsNames.some(dnsName => isSame(dnsName, `*.${domain}`))) return { kind: 'enough', name: wanted }
  const name = peer.name ?? ''
  return { kind: isSame(peer.cnSubject, name) ? 'same' : 'other', name }
}

function isSame(a: string, b: string): boolean {
  return foldCase(a) === foldCase(b)
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
