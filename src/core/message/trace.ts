/**
 * The Received field that each message gets on top (RFC 5321 §4.4), naming what sendmail's names: who
 * said to be whom from where, the TLS version, cipher and verify result, and the certificate.
 *
 * Much of this was written by strangers: the name after EHLO, names in certificates, addresses. What
 * goes in is printable, its comments are closed where they were opened, and its line ends are its own
 * (S14).
 */

import { verifyWord, type ClientIdentity } from '../names/identity.ts'
import type { Asker, ClientHost } from '../policy/decision.ts'

export type TraceStamp = {
  readonly asker: Asker
  /** Our own name. */
  readonly hostname: string
  /** The message's id in the queue. */
  readonly id: string
  readonly protocol: TransmissionType
  /** The forward-path of a message with one recipient; of several, none may be told (RFC 5321 §7.2). */
  readonly forPath: string | null
  /** Milliseconds since 1970. */
  readonly at: number
}

/** RFC 3848 and RFC 6531 §4.3. */
export type TransmissionType = 'SMTP' | `${'ESMTP' | 'UTF8SMTP' | 'LMTP' | 'UTF8LMTP'}${'' | 'A' | 'S' | 'SA'}`

export function transmissionType(session: {
  readonly isLmtp: boolean
  readonly extended: boolean
  readonly utf8: boolean
  readonly inTls: boolean
  readonly authenticated: boolean
}): TransmissionType {
  const { isLmtp, extended, utf8, inTls, authenticated } = session
  // There is no name for HELO over TLS: the comment says what TLS there was.
  if (!extended) return 'SMTP'
  const base = isLmtp ? (utf8 ? 'UTF8LMTP' : 'LMTP') : utf8 ? 'UTF8SMTP' : 'ESMTP'
  if (inTls) return authenticated ? `${base}SA` : `${base}S`
  return authenticated ? `${base}A` : base
}

/** The whole field, folded, with its last CRLF. */
export function formatReceived({ asker, hostname, id, protocol, forPath, at }: TraceStamp): string {
  const clauses = [
    `from ${helloName(asker.hello)} (${tcpInfo(asker.host)})`,
    ...authenticationComment(asker),
    `by ${hostname} (Postern) with ${protocol} id ${id}`,
    ...tlsComments(asker.identity),
    ...(forPath === null ? [] : [`for <${forPath.replaceAll(/\p{Cc}/gu, '?')}>`]),
  ]
  return `Received: ${clauses.join(FOLD)};${FOLD}${formatDate(at)}\r\n`
}

const FOLD = '\r\n\t'

/** RFC 5322 §3.3, in UTC: `Mon, 23 Nov 2026 19:26:00 +0000`. */
export function formatDate(milliseconds: number): string {
  return new Date(milliseconds).toUTCString().replace('GMT', '+0000')
}

/** RFC 5321 §4.4, TCP-info: what the connection says and the client could not invent. */
function tcpInfo(host: ClientHost): string {
  const address = host.address.includes(':') ? `[IPv6:${host.address}]` : `[${host.address}]`
  return host.name?.resolve === 'OK' ? `${word(host.name.name)} ${address}` : address
}

function authenticationComment({ authentication }: Asker): readonly string[] {
  return authentication === null ? [] : [`(authenticated: ${authentication.mechanism} ${comment(authentication.authorizationId)})`]
}

function tlsComments(identity: ClientIdentity): readonly string[] {
  if (identity.kind === 'plaintext') return []
  const { version, cipher, cipherBits } = identity.tls
  const tls = `(version=${version} cipher=${cipher} bits=${cipherBits} verify=${verifyWord(identity)})`
  if (identity.kind === 'anonymous') return [tls]
  const { subject, issuer } = identity.certificate
  return [tls, `(subject=${comment(subject)} issuer=${comment(issuer)})`]
}

/** The name after EHLO as a word: RFC 5321 §4.4 wants a domain or a literal, and clients send anything. */
function helloName(name: string): string {
  return name === '' ? 'unknown' : word(name)
}

function word(text: string): string {
  return text.slice(0, LONGEST_TEXT).replaceAll(/[^A-Za-z0-9.\-_:[\]]/g, '?')
}

/** Text within a comment (RFC 5322 §3.2.2): parentheses and backslashes cannot close or open one. */
function comment(text: string): string {
  return text.slice(0, LONGEST_TEXT).replaceAll(/[^ -~]/g, '?').replaceAll(/[()\\]/g, '\\$&')
}

/** RFC 5322 §2.1.1 allows 998 octets in a line; certificates hold names of any length. */
const LONGEST_TEXT = 200
