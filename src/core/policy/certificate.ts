/**
 * sendmail's own entries for certificates: CERTISSUER, then CERTSUBJECT; and AUTH EXTERNAL.
 *
 * Only a verified certificate is looked up, and identity has bound its issuer to the key that
 * verified it, not to the name alone (S8). A name that is empty matches no entry, and neither does one
 * whose text another name can have too, such as a name that was cut (S7). A name is looked up as
 * OpenSSL writes it now, and then as OpenSSL before 3.0 did, where that can stand for no other name.
 */

import type { PeerCertificate } from '../names/identity.ts'
import { isWord } from './access-value.ts'
import type { AccessEntry } from './decision.ts'
import { note } from './finding.ts'
import { identityThatCounts } from './login.ts'
import { lookUpExact } from './lookups.ts'
import type { Inquiry } from './lookups.ts'

/**
 * The AUTH that still counts: EXTERNAL stands on the certificate, which may have been revoked since
 * (S6), and a password alone gives nothing where both are wanted.
 */
export function standingAuthentication(inquiry: Inquiry): StandingAuthentication | null {
  const { authentication } = inquiry.asker
  if (authentication === null) return null
  const mechanism = authentication.mechanism.toUpperCase()
  const isOfStranger = mechanism !== 'EXTERNAL' && authentication.account === undefined
  if (isOfStranger) return { mechanism, stranger: authentication.authenticationId }
  return identityThatCounts(inquiry).kind === 'verified' ? { mechanism, stranger: null } : null
}

/** `stranger` has logged in with a password, and is none of our holders: another program keeps such accounts. */
export type StandingAuthentication = { readonly mechanism: string; readonly stranger: string | null }

export function findIssuerEntry(inquiry: Inquiry, certificate: PeerCertificate): AccessEntry | null {
  const { issuerPattern } = inquiry.policy.features
  return canMatch(inquiry, certificate, 'issuer') ? lookUpName(inquiry, 'CERTISSUER', certificate, 'issuer', issuerPattern) : null
}

/** To be asked only where the issuer's entry says SUBJECT: alone, CERTSUBJECT gives nothing. It can never deny. */
export function subjectMayRelay(inquiry: Inquiry, certificate: PeerCertificate): boolean {
  if (!canMatch(inquiry, certificate, 'subject')) return false
  const entry = lookUpName(inquiry, 'CERTSUBJECT', certificate, 'subject', inquiry.policy.features.subjectPattern)
  return entry !== null && isWord(entry.value, 'RELAY')
}

/** Says so in the reasons if nothing can match. */
export function canMatch(inquiry: Inquiry, certificate: PeerCertificate, which: 'issuer' | 'subject'): boolean {
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

function lookUpName(
  inquiry: Inquiry,
  tag: 'CERTISSUER' | 'CERTSUBJECT',
  certificate: PeerCertificate,
  which: 'issuer' | 'subject',
  pattern: RegExp | null,
): AccessEntry | null {
  const entry = lookUpExact(inquiry, tag, throughPattern(pattern, certificate[which]))
  const older = certificate.olderNames?.[which] ?? null
  return entry === null && older !== null ? lookUpExact(inquiry, tag, throughPattern(pattern, older)) : entry
}

/** A regex map with `-s1`: its first group if it matches, else the name as it is. */
function throughPattern(pattern: RegExp | null, name: string): string {
  return pattern === null ? name : (pattern.exec(name)?.[1] ?? name)
}
