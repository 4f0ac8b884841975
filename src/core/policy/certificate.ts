/**
 * Does the certificate of this connection give relaying? CERTISSUER, CERTSUBJECT and AUTH EXTERNAL.
 *
 * Only a verified certificate is looked up, and identity has bound its issuer to the key that
 * verified it, not to the name alone (S8). A name that is empty matches no entry, and neither does one
 * whose text another name can have too, such as a name that was cut (S7).
 */

import type { PeerCertificate } from '../names/identity.ts'
import { isWord } from './access-value.ts'
import type { Asker, Reason } from './decision.ts'
import { note } from './finding.ts'
import { lookUpExact } from './lookups.ts'
import type { Inquiry } from './lookups.ts'

/** The AUTH that still counts: EXTERNAL stands on the certificate, which may have been revoked since (S6). */
export function standingAuthentication({ authentication, identity }: Asker): { readonly mechanism: string; readonly isExternal: boolean } | null {
  if (authentication === null) return null
  const mechanism = authentication.mechanism.toUpperCase()
  const isExternal = mechanism === 'EXTERNAL'
  return isExternal && identity.kind !== 'verified' ? null : { mechanism, isExternal }
}

/** Null if the certificate gives nothing. It can never deny: that is not what these entries are for. */
export function certificateMayRelay(inquiry: Inquiry): { readonly rule: string; readonly text: string } | null {
  const { identity } = inquiry.asker
  if (identity.kind !== 'verified') {
    inquiry.because.push(NOT_VERIFIED)
    return null
  }
  if (!canMatch(inquiry, identity.certificate, 'issuer')) return null
  const { issuerPattern, subjectPattern } = inquiry.policy.features
  const issuer = lookUpExact(inquiry, 'CERTISSUER', throughPattern(issuerPattern, identity.certificate.issuer))
  if (issuer === null) return null
  if (isWord(issuer.value, 'RELAY')) return { rule: 'issuerRelays', text: 'every certificate of this issuer may relay' }
  if (!isWord(issuer.value, 'SUBJECT') || !canMatch(inquiry, identity.certificate, 'subject')) return null
  const subject = lookUpExact(inquiry, 'CERTSUBJECT', throughPattern(subjectPattern, identity.certificate.subject))
  return subject !== null && isWord(subject.value, 'RELAY') ? { rule: 'subjectRelays', text: 'this certificate may relay' } : null
}

const NOT_VERIFIED: Reason = { kind: 'fact', text: 'the client has no verified certificate' }

function canMatch(inquiry: Inquiry, certificate: PeerCertificate, which: 'issuer' | 'subject'): boolean {
  if (certificate[which] === '') {
    note(inquiry, `the ${which} of the certificate is empty, and so matches nothing`)
    return false
  }
  if (certificate.ambiguousNames?.includes(which) === true) {
    note(inquiry, `the ${which} of the certificate can be confused with another, and so matches nothing`)
    return false
  }
  return true
}

/** A regex map with `-s1`: its first group if it matches, else the name as it is. */
function throughPattern(pattern: RegExp | null, name: string): string {
  return pattern === null ? name : (pattern.exec(name)?.[1] ?? name)
}
