/**
 * The message that tells a sender what became of theirs (RFC 3461 to 3464, RFC 6533).
 *
 * Three parts: words for a person, fields for a program, and the message itself or its header section.
 * Whatever came from outside (addresses, replies, the original) is made harmless where it is put in,
 * so that nothing in it can begin a field or a part of its own (S10, S14).
 *
 * The reverse-path of such a message is null; that, and `Auto-Submitted`, keep it from being answered
 * (RFC 3834 §5, S21).
 */

import { unreachable } from '../result.ts'
import type { Failure } from './conclusion.ts'
import type { QueuedMessage } from './envelope.ts'
import { describeProblem, formatReply, oneLine, statusOf, type AttemptProblem } from './outcome.ts'

/** Up to what size an original comes back whole, and how much of a header section is returned. */
export const DSN_SIZES = { wholeMessageBytes: 10 * 1024, headerBytes: 32 * 1024 } as const

export type DsnRequest = {
  readonly kind: 'failed' | 'delayed'
  /** For Message-ID. */
  readonly id: string
  /** Not to be guessed, since it must not occur in the original. */
  readonly boundary: string
  readonly hostname: string
  readonly now: number
  /** Until when a late message is tried. */
  readonly givesUpAt: number
  readonly message: QueuedMessage
  readonly recipients: readonly Failure[]
  /** Null if it cannot be read any more. */
  readonly original: { readonly kind: 'whole' | 'header'; readonly bytes: Uint8Array } | null
}

export type Dsn = {
  /** The message, with CRLF. */
  readonly text: string
  /** It can be sent to a server with SMTPUTF8 only. */
  readonly utf8: boolean
  readonly eightBit: boolean
}

export function composeDsn(request: DsnRequest): Dsn {
  const { message, boundary } = request
  // Only who sent an internationalized message is known to read one (RFC 6533 §4).
  const { utf8 } = message.envelope
  const lines = [
    ...headerLines(request),
    '',
    'This is a report about a message, in MIME format.',
    `--${boundary}`,
    `Content-Type: text/plain; charset=${utf8 ? 'utf-8' : 'us-ascii'}`,
    ...transferEncoding(utf8),
    '',
    ...wordLines(request),
    '',
    `--${boundary}`,
    `Content-Type: message/${utf8 ? 'global-' : ''}delivery-status`,
    ...transferEncoding(utf8),
    '',
    ...statusLines(request),
    ...originalLines(request),
    `--${boundary}--`,
  ]
  const text = `${lines.map(line => (utf8 ? line : line.replaceAll(NON_ASCII, '?'))).join('\r\n')}\r\n`
  return { text, utf8, eightBit: utf8 }
}

/** The header section at the start of a message, without the empty line, and cut at a line's end. */
export function headerSection(bytes: Uint8Array): Uint8Array {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, DSN_SIZES.headerBytes))
  const end = start.indexOf('\r\n\r\n')
  return start.subarray(0, (end === -1 ? start.lastIndexOf('\r\n') : end) + 2)
}

function headerLines({ kind, id, boundary, hostname, now, message }: DsnRequest): readonly string[] {
  return [
    `From: Mail delivery at ${hostname} <MAILER-DAEMON@${hostname}>`,
    `To: <${oneLine(message.envelope.reversePath)}>`,
    `Subject: ${kind === 'failed' ? 'Your message could not be delivered' : 'Your message is delayed'}`,
    `Date: ${formatDate(now)}`,
    `Message-ID: <${id}@${hostname}>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    ` boundary="${boundary}"`,
    ...transferEncoding(message.envelope.utf8),
  ]
}

function transferEncoding(utf8: boolean): readonly string[] {
  return utf8 ? ['Content-Transfer-Encoding: 8bit'] : []
}

/** What happened and what to do, for a person who knows nothing of mail servers. */
function wordLines({ kind, hostname, givesUpAt, message, recipients }: DsnRequest): readonly string[] {
  const many = recipients.length > 1 ? 'recipients' : 'recipient'
  const opening =
    kind === 'failed'
      ? [`The message that you sent on ${formatDate(message.acceptedAt)}`, `could not be delivered to the following ${many}:`]
      : [`The message that you sent on ${formatDate(message.acceptedAt)}`, `has not been delivered yet to the following ${many}:`]
  const closing =
    kind === 'failed'
      ? ['It will not be tried again. The technical details and your message, or its', 'header, are attached.']
      : ['You need not do anything, and should not send it again: it will be tried', `until ${formatDate(givesUpAt)}.`, 'You will hear again only if that fails.']
  return [
    `This is the mail relay at ${hostname}.`,
    '',
    ...opening,
    '',
    ...recipients.flatMap(failure => [`  <${oneLine(failure.address)}>`, ...explain(kind, failure).map(line => `    ${line}`), '']),
    ...closing,
  ]
}

function explain(kind: 'failed' | 'delayed', { why, expired }: Failure): readonly string[] {
  const reason = reasonLines(why)
  if (kind === 'delayed') return reason
  if (expired) return ['It was tried for days; this was the last problem:', ...reason, 'Try again later, or reach the recipient in another way.']
  if (why.kind === 'tlsRefused') return [...reason, 'It may go there only over a connection that is secured better. Ask your administrator.']
  return [...reason, advice(statusOf(why))]
}

function reasonLines(why: AttemptProblem): readonly string[] {
  switch (why.kind) {
    case 'remoteReply':
      return [`The server ${oneLine(why.peer)} answered:`, formatReply(why.reply)]
    case 'suspended':
      return reasonLines(why.because)
    case 'connectionFailed':
    case 'connectionLost':
    case 'badReply':
    case 'tlsFailed':
    case 'tlsRefused':
    case 'noRoute':
    case 'unsupported':
    case 'localTrouble':
      return [describeProblem(why)]
    default:
      return unreachable(why)
  }
}

function advice(status: string): string {
  if (/^5\.1\.(?:10|[0-8])$/.test(status)) return 'Check the address for typing errors, or ask the recipient for a new one.'
  if (status.startsWith('5.2.')) return 'The mailbox takes no mail at present. Reach the recipient in another way.'
  if (/^5\.(?:3\.4|2\.3)$/.test(status)) return 'The message is too large for that server. Make it smaller, or send parts.'
  if (status.startsWith('5.6.')) return 'That server can not take messages of this form. Plain text may pass.'
  if (status.startsWith('5.7.')) return 'That server does not want this message from you. Ask the recipient, or your administrator.'
  return 'If this makes no sense to you, pass it on to your administrator.'
}

/** RFC 3464 §2.2, §2.3. */
function statusLines({ kind, hostname, now, givesUpAt, message, recipients }: DsnRequest): readonly string[] {
  const addressType = message.envelope.utf8 ? 'utf-8' : 'rfc822'
  return [
    `Reporting-MTA: dns; ${hostname}`,
    `Arrival-Date: ${formatDate(message.acceptedAt)}`,
    '',
    ...recipients.flatMap(({ address, why, expired }) => [
      `Final-Recipient: ${addressType}; ${oneLine(address)}`,
      `Action: ${kind}`,
      // RFC 3463 §3.5: X.4.7 is "delivery time expired".
      `Status: ${expired ? '4.4.7' : statusOf(why)}`,
      ...remoteServer(why),
      `Diagnostic-Code: ${diagnostic(why)}`,
      `Last-Attempt-Date: ${formatDate(now)}`,
      ...(kind === 'delayed' ? [`Will-Retry-Until: ${formatDate(givesUpAt)}`] : []),
      '',
    ]),
  ]
}

function remoteServer(why: AttemptProblem): readonly string[] {
  const problem = why.kind === 'suspended' ? why.because : why
  const name = 'peer' in problem ? oneLine(problem.peer.split('[')[0] ?? '') : ''
  return name === '' ? [] : [`Remote-MTA: dns; ${name}`]
}

function diagnostic(why: AttemptProblem): string {
  return why.kind === 'remoteReply' ? `smtp; ${formatReply(why.reply)}` : `x-postern; ${describeProblem(why)}`
}

/** The third part: what the report is about (RFC 3462 §1). */
function originalLines({ boundary, message, original }: DsnRequest): readonly string[] {
  if (original === null) return []
  const { utf8, bodyType } = message.envelope
  // Binary octets and 8-bit bytes of unknown meaning are not returned: a report must pass any server.
  const isWhole = original.kind === 'whole' && bodyType !== 'BINARYMIME' && (utf8 || original.bytes.every(byte => byte < 0x80))
  const bytes = isWhole ? original.bytes : headerSection(original.bytes)
  const type = isWhole ? (utf8 ? 'message/global' : 'message/rfc822') : utf8 ? 'message/global-headers' : 'text/rfc822-headers'
  return [`--${boundary}`, `Content-Type: ${type}`, ...transferEncoding(utf8), '', ...toLines(bytes)]
}

/** Lines of text, whatever the bytes: control characters, stray CR and LF among them, become `?`. */
function toLines(bytes: Uint8Array): readonly string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return text.split('\r\n').map(line => line.replaceAll(CONTROL_BUT_TAB, '?'))
}

/** RFC 5322 §3.3, in UTC. */
function formatDate(instant: number): string {
  return new Date(instant).toUTCString().replace('GMT', '+0000')
}

const NON_ASCII = /[^\0-\x7f]+/g
const CONTROL_BUT_TAB = /(?!\t)\p{Cc}/gu
