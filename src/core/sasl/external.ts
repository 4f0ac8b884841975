/**
 * EXTERNAL (RFC 4422 Appendix A): the certificate of the TLS connection is the credential, and the
 * client may say as whom it wants to act.
 *
 * The exchange is one message from the client. It comes with AUTH, or after an empty challenge; in
 * base64, as `=`, or, from some mail programs, as an empty line.
 */

import { wholeAddresses } from '../names/certificate-addresses.ts'
import type { ClientIdentity } from '../names/identity.ts'
import { fail, ok } from '../result.ts'
import { isOneOfNames } from './acting-as.ts'
import { ask, challenge, conclude, textOf, type SaslScript } from './script.ts'

/** The empty response asks for no identity but the certificate's own. */
export function* external(identity: ClientIdentity): SaslScript {
  const wanted = textOf(yield* challenge(''))
  // A name is text without control characters (S16).
  if (wanted === null || wanted.includes('\0')) return fail('notBase64')
  const attempt = { mechanism: 'EXTERNAL', login: wanted, wanted }
  if (identity.kind !== 'verified') return conclude(attempt, yield* ask({ kind: 'noteMismatch', attempt }))
  const { certificate, holder } = identity
  const own = [certificate.subject, ...wholeAddresses(certificate), ...(holder === null ? [] : [holder.name, ...holder.senders])]
  if (wanted !== '' && !isOneOfNames(wanted, own)) return conclude(attempt, yield* ask({ kind: 'noteMismatch', attempt }))
  const authenticationId = certificate.subject
  return ok({ mechanism: 'EXTERNAL', authenticationId, authorizationId: wanted === '' ? authenticationId : wanted, securityLayerBits: 0 })
}
