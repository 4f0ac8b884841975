/**
 * AUTH EXTERNAL (RFC 4954, RFC 4422 Appendix A): the certificate of the TLS connection is the
 * credential, and the client may say as whom it wants to act.
 *
 * The exchange is one message from the client. It comes with AUTH, or after an empty challenge; in
 * base64, as `=`, or, from some mail programs, as an empty line.
 */

import type { ClientIdentity, Holder, PeerCertificate } from '../names/identity.ts'
import type { Authentication } from '../policy/decision.ts'
import { fail, ok, type Result } from '../result.ts'

export type AuthenticationProblem = 'cancelled' | 'notBase64' | 'notAllowed'

/** The mechanisms to offer: EXTERNAL says something only about a certificate that was verified. */
export function mechanismsFor(identity: ClientIdentity): readonly string[] {
  return identity.kind === 'verified' ? ['EXTERNAL'] : []
}

/** A client's answer to the challenge. RFC 4954 §4: `*` gives up. */
export function answerExternal(identity: ClientIdentity, line: string): Result<Authentication, AuthenticationProblem> {
  return line === '*' ? fail('cancelled') : authenticateExternal(identity, line)
}

/** `response` in base64; `=` and the empty text are the empty response, which asks for no identity but the certificate's own. */
export function authenticateExternal(identity: ClientIdentity, response: string): Result<Authentication, AuthenticationProblem> {
  const wanted = response === '=' ? '' : decodeBase64(response)
  if (wanted === null) return fail('notBase64')
  if (identity.kind !== 'verified') return fail('notAllowed')
  const { certificate, holder } = identity
  if (wanted !== '' && !mayActAs(wanted, certificate, holder)) return fail('notAllowed')
  const authenticationId = certificate.subject
  return ok({ mechanism: 'EXTERNAL', authenticationId, authorizationId: wanted === '' ? authenticationId : wanted, securityLayerBits: 0 })
}

/** Whether a name is one of the certificate's. Mail programs send what was typed as user name or address. */
function mayActAs(wanted: string, certificate: PeerCertificate, holder: Holder | null): boolean {
  const name = wanted.toLowerCase()
  const own = [certificate.subject, ...certificate.addresses, ...(holder === null ? [] : [holder.name, ...holder.senders])]
  return own.some(text => {
    const candidate = text.toLowerCase()
    return candidate.startsWith('@') ? name.endsWith(candidate) && name.length > candidate.length : name === candidate
  })
}

/** Null if it is no base64, or not of text: a name is UTF-8 without control characters (S16). */
function decodeBase64(text: string): string | null {
  if (!BASE64.test(text)) return null
  try {
    const name = UTF8.decode(Buffer.from(text, 'base64'))
    return CONTROL.test(name) ? null : name
  } catch {
    return null
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const CONTROL = /\p{Cc}/u
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
