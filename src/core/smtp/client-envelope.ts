/**
 * The commands of an envelope as a client sends them (RFC 5321 §4.1.1.2-3): what was asked of us is asked
 * of the next hop, as far as it offers the extension.
 *
 * docs/reference/extensions.md says what becomes of each where it does not.
 */

import type { EnvelopeRecipient } from '../message/envelope.ts'
import { assert } from '../result.ts'
import type { BodyForm, ClientSession, Delivery } from './client-session.ts'
import type { Extensions } from './extensions.ts'

export type EnvelopeCommand = { readonly stage: 'mail' | 'rcpt' | 'data'; readonly index: number; readonly text: string }

export function envelopeCommands(session: ClientSession, delivery: Delivery, form: BodyForm): readonly EnvelopeCommand[] {
  const mail = [`MAIL FROM:<${safe(delivery.reversePath)}>`, ...mailParameters(session, delivery, form)]
  const { extensions } = session
  return [
    { stage: 'mail', index: -1, text: `${mail.join(' ')}\r\n` },
    ...delivery.recipients.map((recipient, index) => ({ stage: 'rcpt', index, text: rcpt(extensions, recipient) }) as const),
    ...(form === 'dotted' ? [{ stage: 'data', index: -1, text: 'DATA\r\n' } as const] : []),
  ]
}

function mailParameters(session: ClientSession, delivery: Delivery, form: BodyForm): readonly string[] {
  const { extensions } = session
  const { bodyType, utf8, tls, sizeBytes, returned, envelopeId, deliverBy, priority } = delivery
  const parameters: string[] = []
  if (extensions.size) parameters.push(`SIZE=${sizeBytes}`)
  if (form === 'binary chunk') parameters.push('BODY=BINARYMIME')
  else if (extensions.eightBitMime && bodyType !== '7BIT') parameters.push('BODY=8BITMIME')
  if (extensions.smtpUtf8 && utf8) parameters.push('SMTPUTF8')
  if ((tls === 'required' || tls === 'encrypted') && promisesTls(session)) parameters.push('REQUIRETLS')
  if (extensions.dsn && returned !== null) parameters.push(`RET=${returned}`)
  if (extensions.dsn && envelopeId !== null) parameters.push(`ENVID=${safe(envelopeId)}`)
  if (extensions.deliverBy !== null && deliverBy !== null) {
    parameters.push(`BY=${deliverBy.seconds};${deliverBy.mode === 'return' ? 'R' : 'N'}${deliverBy.trace ? 'T' : ''}`)
  }
  if (extensions.mtPriority && priority !== 0) parameters.push(`MT-PRIORITY=${priority}`)
  return parameters
}

/** RFC 8689 §4.2.1: who it is has been proved, and it offers to require the same of the next. */
export function promisesTls({ isVerified, extensions }: ClientSession): boolean {
  return isVerified && extensions.requireTls
}

function rcpt({ dsn }: Extensions, { forwardPath, notify, originalRecipient }: EnvelopeRecipient): string {
  const parameters: string[] = []
  if (dsn && notify !== null) parameters.push(` NOTIFY=${notify.length === 0 ? 'NEVER' : notify.join(',')}`)
  if (dsn && originalRecipient !== null) parameters.push(` ORCPT=${safe(originalRecipient)}`)
  return `RCPT TO:<${safe(forwardPath)}>${parameters.join('')}\r\n`
}

/** It goes into a command line: whoever let a line end into one is wrong, and is stopped here (S10). */
export function safe(text: string): string {
  assert(!CONTROL.test(text), 'what goes into a command holds no control characters')
  return text
}

const CONTROL = /\p{Cc}/u
