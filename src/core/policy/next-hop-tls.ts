/**
 * What the access map says about TLS with a next hop: Try_TLS, TLS_Srv and TLS_Rcpt.
 *
 * The client's script asks at the moments at which sendmail does: before STARTTLS, after the handshake
 * or in its absence, and before each recipient is named. The answer carries the line that gave it, so
 * that a log line can say why mail waits, bounces or went in clear.
 */

import { parseAddress } from '../names/address.ts'
import type { PeerCertificate, TlsParameters } from '../names/identity.ts'
import type { AccessEntry, PolicyReply, Reason } from './decision.ts'
import { hasEntries, lookUpDomain, lookUpExact, lookUpMailbox, lookUpUser } from './lookups.ts'
import type { Search } from './lookups.ts'
import { normaliseSender } from './normalise-recipient.ts'
import type { Policy } from './policy.ts'
import { findTryTlsEntry, forbidsTls } from './session-features.ts'
import type { PeerHost } from './session-features.ts'
import { checkPeerTls, findPeerEntry } from './tls-requirements.ts'
import type { TlsPeer } from './tls-requirements.ts'

/** What a connection to a server has proved, in the terms of sendmail's macros. */
export type TlsProof = Omit<TlsPeer, 'name' | 'address'>

/** sendmail's `${verify}` where it is the client. */
export type VerifyWord =
  | 'OK'
  /** TLS without any certificate, and with one that proves nothing. */
  | 'NO'
  | 'FAIL'
  /** STARTTLS was not offered, not tried, or refused for good. */
  | 'NONE'
  /** STARTTLS was refused for now. */
  | 'TEMP'
  /** STARTTLS was answered by what is no answer to it. */
  | 'PROTOCOL'
  /** The handshake failed; and a second connection without TLS after that. */
  | 'SOFTWARE'
  | 'CLEAR'
  /** The line of the access map for TLS with this server cannot be followed. */
  | 'CONFIG'

export type HopQuestion =
  /** Try_TLS: is STARTTLS to be used with this server? */
  | { readonly kind: 'startTls'; readonly server: PeerHost }
  /** TLS_Srv: has this server proved enough? Asked without TLS, too. */
  | { readonly kind: 'server'; readonly server: TlsPeer }
  /** TLS_Rcpt: enough for this recipient, as its sender named it? */
  | { readonly kind: 'recipient'; readonly server: TlsPeer; readonly forwardPath: string }

export type HopAnswer = {
  /** Null: nothing against it. */
  readonly refusal: PolicyReply | null
  /** The line that was found, whatever it asks for; null if none was. */
  readonly line: AccessEntry | null
}

export function judgeNextHop(policy: Policy, question: HopQuestion): HopAnswer {
  const because: Reason[] = []
  const search = { policy, because }
  switch (question.kind) {
    case 'startTls': {
      const line = findTryTlsEntry(search, question.server)
      return { refusal: forbidsTls(line) ? TLS_NOT_WANTED : null, line }
    }
    case 'server':
      return judgeProof(search, hasEntries(search, 'TLS_Srv') ? findPeerEntry(search, 'TLS_Srv', question.server) : null, question.server)
    case 'recipient': {
      const line = hasEntries(search, 'TLS_Rcpt') ? findRecipientEntry(search, question.forwardPath) : null
      // Unlike tls_server, tls_rcpt looks at nothing without a line: a broken handshake was refused before.
      return line === null ? { refusal: null, line } : judgeProof(search, line, question.server)
    }
  }
}

function judgeProof(search: Search, line: AccessEntry | null, server: TlsPeer): HopAnswer {
  const finding = checkPeerTls(search, line, server)
  return { refusal: finding.kind === 'refuse' ? finding.reply : null, line }
}

/** The entry for a recipient as it was first given, less a detour through us; then the bare tag. */
export function findRecipientEntry(search: Search, forwardPath: string): AccessEntry | null {
  const parsed = parseAddress(forwardPath)
  if (!parsed.ok) return lookUpExact(search, 'TLS_Rcpt', '')
  const address = normaliseSender(search.policy, parsed.value)
  const { localPart, domain } = address
  const entry =
    domain === null
      ? lookUpUser(search, 'TLS_Rcpt', localPart)
      : (lookUpMailbox(search, 'TLS_Rcpt', address) ??
        lookUpUser(search, 'TLS_Rcpt', localPart) ??
        lookUpDomain(search, 'TLS_Rcpt', domain))
  return entry ?? lookUpExact(search, 'TLS_Rcpt', '')
}

/** A connection in clear, and how it came to that. */
export function unprotected(verify: VerifyWord): TlsProof {
  return { verify, cipherBits: 0, securityLayerBits: 0, cnSubject: '', subject: '', issuer: '', dnsNames: [] }
}

/** What a finished handshake proved. sendmail compares no host name unless an entry asks for it (CN). */
export function proofOf({ cipherBits }: TlsParameters, certificate: PeerCertificate | null, chainProblem: string | null): TlsProof {
  if (certificate === null) return { ...unprotected('NO'), cipherBits }
  const { cnSubject, subject, issuer, dnsNames, ambiguousNames = [] } = certificate
  return {
    verify: chainProblem === null ? 'OK' : 'FAIL',
    cipherBits,
    securityLayerBits: 0,
    cnSubject,
    // A name whose text another name may share is nobody's (S7).
    subject: ambiguousNames.includes('subject') ? '' : subject,
    issuer: ambiguousNames.includes('issuer') ? '' : issuer,
    dnsNames,
  }
}

/** What sendmail's try_tls answers. It goes to nobody: the session goes on in clear. */
const TLS_NOT_WANTED: PolicyReply = { code: 550, enhanced: '5.7.1', text: 'do not try TLS with this server' }
