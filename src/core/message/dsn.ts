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
import type { Failure, Relay } from './conclusion.ts'
import type { QueuedMessage } from './envelope.ts'
import { describeProblem, describeReply, oneLine, statusOf, type AttemptProblem } from './outcome.ts'
import { decodeUtf8Address } from './utf8-address.ts'
import { decodeXtext } from './xtext.ts'

/** Up to what size an original comes back whole, also if the sender wants it (RET=FULL), and how much of a header section is returned. */
export const DSN_SIZES = { wholeMessageBytes: 10 * 1024, wantedMessageBytes: 1024 * 1024, headerBytes: 32 * 1024 } as const

export type DsnRequest = (
  | { readonly kind: 'failed' | 'delayed'; readonly recipients: readonly Failure[] }
  | { readonly kind: 'relayed'; readonly recipients: readonly Relay[] }
) & {
  /** For Message-ID. */
  readonly id: string
  /** Not to be guessed, since it must not occur in the original. */
  readonly boundary: string
  readonly hostname: string
  readonly now: number
  /** Until when a late message is tried. */
  readonly givesUpAt: number
  readonly message: QueuedMessage
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
    `Subject: ${SUBJECTS[kind]}`,
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

const SUBJECTS: Record<DsnRequest['kind'], string> = {
  failed: 'Your message could not be delivered',
  delayed: 'Your message is delayed',
  relayed: 'Your message was passed on',
}

/** What happened and what to do, for a person who knows nothing of mail servers. */
function wordLines(request: DsnRequest): readonly string[] {
  const { hostname, message, recipients } = request
  const many = recipients.length > 1 ? 'recipients' : 'recipient'
  return [
    `This is the mail relay at ${hostname}.`,
    '',
    `The message that you sent on ${formatDate(message.acceptedAt)}`,
    `${HAPPENED[request.kind]} the following ${many}:`,
    '',
    ...eachRecipient(request).flatMap(({ address, words }) => [`  <${oneLine(address)}>`, ...words.map(line => `    ${line}`), '']),
    ...closing(request),
  ]
}

const HAPPENED: Record<DsnRequest['kind'], string> = {
  failed: 'could not be delivered to',
  delayed: 'has not been delivered yet to',
  relayed: 'was passed on to the server of',
}

function closing({ kind, givesUpAt, message }: DsnRequest): readonly string[] {
  switch (kind) {
    case 'failed':
      return message.envelope.tls === 'required'
        ? ['It will not be tried again. The technical details are attached. Of a message that', 'required TLS nothing but its Message-ID comes back.']
        : ['It will not be tried again. The technical details and your message, or its', 'header, are attached.']
    case 'delayed':
      return ['You need not do anything, and should not send it again: it will be tried', `until ${formatDate(givesUpAt)}.`, 'You will hear again only if that fails.']
    case 'relayed':
      return ['That server gives no word of success. You will hear again only if it fails.']
  }
}

/** What there is to say of a recipient, in words and in fields. */
type About = {
  readonly address: string
  readonly originalRecipient: string | null
  readonly words: readonly string[]
  readonly status: string
  readonly remote: readonly string[]
  readonly diagnostic: string
}

function eachRecipient(request: DsnRequest): readonly About[] {
  if (request.kind === 'relayed') return request.recipients.map(aboutRelay)
  return request.recipients.map(failure => ({
    ...failure,
    words: explain(request.kind, failure),
    // RFC 3463 §3.5: X.4.7 is "delivery time expired".
    status: failure.expired ? '4.4.7' : statusOf(failure.why),
    remote: remoteServer(failure.why),
    diagnostic: diagnostic(failure.why),
  }))
}

function aboutRelay(relay: Relay): About {
  const said = describeReply(relay.reply)
  return { ...relay, words: [`The server ${oneLine(relay.by)} answered:`, said], status: relay.reply.enhanced ?? '2.0.0', remote: remoteMta(relay.by), diagnostic: `smtp; ${said}` }
}

function explain(kind: DsnRequest['kind'], { why, expired }: Failure): readonly string[] {
  const reason = reasonLines(why)
  if (kind === 'delayed') return reason
  if (expired) return ['It was tried for days; this was the last problem:', ...reason, 'Try again later, or reach the recipient in another way.']
  return [...reason, advice(why)]
}

function reasonLines(why: AttemptProblem): readonly string[] {
  switch (why.kind) {
    case 'remoteReply':
      return [`The server ${oneLine(why.peer)} answered:`, describeReply(why.reply)]
    case 'suspended':
      return reasonLines(why.because)
    case 'connectionFailed':
    case 'connectionLost':
    case 'connectionSpent':
    case 'badReply':
    case 'tlsFailed':
    case 'tlsRefused':
    case 'noRoute':
    case 'unsupported':
    case 'tooLate':
    case 'ourselves':
    case 'localTrouble':
      return [describeProblem(why)]
    default:
      return unreachable(why)
  }
}

function advice(why: AttemptProblem): string {
  if (why.kind === 'unsupported' && (why.feature === 'REQUIRETLS' || why.feature === 'STARTTLS')) {
    return 'You, or your mail program, had asked for verified TLS on the whole way, which that server does not promise. Without that wish the message may pass.'
  }
  if (why.kind === 'tlsRefused') return 'It is a rule of this relay that was not met, not one of the recipient. Ask your administrator.'
  const status = statusOf(why)
  if (/^5\.1\.(?:10|[0-8])$/.test(status)) return 'Check the address for typing errors, or ask the recipient for a new one.'
  if (status === '5.4.7') return 'It had to be there by a time that you, or your mail program, had set.'
  if (status.startsWith('5.2.')) return 'The mailbox takes no mail at present. Reach the recipient in another way.'
  if (/^5\.(?:3\.4|2\.3)$/.test(status)) return 'The message is too large for that server. Make it smaller, or send parts.'
  if (status.startsWith('5.6.')) return 'That server cannot take messages of this form. Plain text may pass.'
  if (status.startsWith('5.7.')) return 'That server does not want this message from you. Ask the recipient, or your administrator.'
  return 'If this makes no sense to you, pass it on to your administrator.'
}

/** RFC 3464 §2.2, §2.3. */
function statusLines(request: DsnRequest): readonly string[] {
  const { kind, hostname, now, givesUpAt, message } = request
  const { utf8, envelopeId } = message.envelope
  const addressType = utf8 ? 'utf-8' : 'rfc822'
  return [
    ...(envelopeId === null ? [] : [`Original-Envelope-Id: ${oneLine(decodeXtext(envelopeId) ?? envelopeId)}`]),
    `Reporting-MTA: dns; ${hostname}`,
    `Arrival-Date: ${formatDate(message.acceptedAt)}`,
    '',
    ...eachRecipient(request).flatMap(({ address, originalRecipient, status, remote, diagnostic }) => [
      ...(originalRecipient === null ? [] : [`Original-Recipient: ${original(originalRecipient, utf8)}`]),
      `Final-Recipient: ${addressType}; ${oneLine(address)}`,
      `Action: ${kind}`,
      `Status: ${status}`,
      ...remote,
      `Diagnostic-Code: ${diagnostic}`,
      `Last-Attempt-Date: ${formatDate(now)}`,
      ...(kind === 'delayed' ? [`Will-Retry-Until: ${formatDate(givesUpAt)}`] : []),
      '',
    ]),
  ]
}

/** RFC 3464 §2.3.1: the type, and the address as it was before xtext. RFC 6533 §3: in ASCII, one of UTF-8 stays as it is kept. */
function original(orcpt: string, utf8: boolean): string {
  const [type = '', address = ''] = orcpt.split(/;(.*)/s)
  const decoded = type.toLowerCase() !== 'utf-8' ? decodeXtext(address) : utf8 ? decodeUtf8Address(address) : address
  return `${oneLine(type)}; ${oneLine(decoded ?? address)}`
}

function remoteServer(why: AttemptProblem): readonly string[] {
  const problem = why.kind === 'suspended' ? why.because : why
  return remoteMta('peer' in problem ? problem.peer : '')
}

/** `mx.example.net[192.0.2.7]:25`, and perhaps more behind it, by its name. */
function remoteMta(peer: string): readonly string[] {
  const name = oneLine(peer.split('[')[0] ?? '')
  return name === '' ? [] : [`Remote-MTA: dns; ${name}`]
}

function diagnostic(why: AttemptProblem): string {
  return why.kind === 'remoteReply' ? `smtp; ${describeReply(why.reply)}` : `x-postern; ${describeProblem(why)}`
}

/** The third part: what the report is about (RFC 3462 §1). */
function originalLines({ boundary, message, original }: DsnRequest): readonly string[] {
  if (original === null) return []
  const { utf8, bodyType, tls } = message.envelope
  if (tls === 'required') return redacted(boundary, original.bytes)
  // Binary octets and 8-bit bytes of unknown meaning are not returned: a report must pass any server.
  const isWhole = original.kind === 'whole' && bodyType !== 'BINARYMIME' && (utf8 || original.bytes.every(byte => byte < 0x80))
  const bytes = isWhole ? original.bytes : headerSection(original.bytes)
  const type = isWhole ? (utf8 ? 'message/global' : 'message/rfc822') : utf8 ? 'message/global-headers' : 'text/rfc822-headers'
  return [`--${boundary}`, `Content-Type: ${type}`, ...transferEncoding(utf8), '', ...toLines(bytes)]
}

/** RFC 8689 §5: a message that required TLS is known by its Message-ID, and nothing else of it goes back. */
function redacted(boundary: string, bytes: Uint8Array): readonly string[] {
  const header = toLines(headerSection(bytes)).join('\r\n')
  const [field] = /^message-id:[ \t]*<[!-~]{1,900}>$/im.exec(header) ?? []
  return field === undefined ? [] : [`--${boundary}`, 'Content-Type: text/rfc822-headers', '', field, '']
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
