/**
 * Every reply this server can give.
 *
 * The words a client reads are here and nowhere else. They tell less than we know: a sentence and,
 * for a decision, its id, by which the administrator finds the rest.
 */

import type { Circle, Excess } from '../limits/limits.ts'
import type { Decision, PolicyReply } from '../policy/decision.ts'
import { assert, unreachable } from '../result.ts'
import type { AuthenticationProblem } from '../sasl/script.ts'
import type { CommandProblem } from './command.ts'

/** A reply (RFC 5321 §4.2) with its enhanced status (RFC 2034), if it has one. Lines hold no CR or LF. */
export type Reply = {
  readonly code: number
  /** `2.1.5`; null for greetings, EHLO and 3yz. */
  readonly enhanced: string | null
  readonly lines: readonly string[]
}

/** The bytes of a reply, all of them printable ASCII (RFC 5321 §4.2), as one or more lines with CRLF. */
export function formatReply(reply: Reply): string {
  const only = reply.lines.length === 1 ? reply.lines[0] : undefined
  if (only !== undefined && only.length <= TEXT_LIMIT && !UNPRINTABLE.test(only)) {
    return `${reply.code} ${status(reply)}${only}\r\n`
  }
  const lines = reply.lines.flatMap(line => wrapped(line.replaceAll(UNPRINTABLES, '?')))
  const last = lines.length - 1
  return lines.map((line, at) => `${reply.code}${at === last ? ' ' : '-'}${status(reply)}${line}\r\n`).join('')
}

/** What the policy answers if it refuses: its own words, and the id that `postern explain` takes. */
export function policyRefusal(decision: Decision): Reply | null {
  if (decision.verdict !== 'refuse') return null
  assert(decision.reply !== null, 'a refusal has a reply')
  const { code, enhanced, text } = decision.reply
  return reply(code, enhanced, `${text} (id ${decision.id})`)
}

/** The same where the policy was asked for nothing but its refusal. */
export function refusalBy(decision: Decision): Reply {
  const refusal = policyRefusal(decision)
  assert(refusal !== null, 'this is always refused')
  return refusal
}

/** What is wrong with a command line. */
export function commandRefusal(problem: CommandProblem): Reply {
  switch (problem.kind) {
    case 'tooLong':
      return replies.lineTooLong
    case 'unprintable':
      return replies.unprintable
    case 'unknownCommand':
      return replies.unknownCommand
    case 'notImplemented':
      return replies.notImplemented
    case 'notSmtp':
      return replies.notSmtp
    case 'badChunk':
      return replies.badChunk
    case 'badSyntax':
      return replies.badSyntax(problem.expected)
    case 'badPath':
      return problem.verb === 'MAIL' ? replies.badReversePath(problem.problem.detail) : replies.badForwardPath(problem.problem.detail)
    case 'unknownParameter':
      return replies.unknownParameter(problem.keyword)
    case 'badParameter':
      return replies.badParameter(problem.detail)
    default:
      return unreachable(problem)
  }
}

/** What exceeds a limit over several connections. What waits is told when MAIL or RCPT may come again: later. */
export function limitRefusal(excess: Excess, hostname: string, id: string | null): Reply {
  const { code, enhanced, text } = overLimit(excess, hostname)
  return reply(code, enhanced, id === null ? text : `${text} (id ${id})`)
}

/** The same as the administrator finds it. */
export function overLimit({ of, what, entry }: Excess, hostname: string): PolicyReply {
  // As sendmail's FEATURE(conncontrol) and FEATURE(ratecontrol).
  if (entry !== null) return { code: 421, enhanced: '4.3.2', text: what === 'openConnections' ? 'Too many open connections.' : 'Connection rate limit exceeded.' }
  const later = (text: string): PolicyReply => ({ code: 450, enhanced: '4.7.1', text: `${text} ${WHOM[of]}; try again later` })
  const farewell = (text: string): PolicyReply => ({ code: 421, enhanced: '4.7.0', text: `${hostname} ${text} ${WHOM[of]}; try again later` })
  switch (what) {
    case 'openConnections':
      return farewell('Too many connections')
    case 'connections':
      return farewell('Connections come too fast')
    case 'errors':
      return farewell('Too many errors')
    case 'messages':
      return later('Too many messages')
    case 'recipients':
      return later('Too many recipients')
    case 'bytes':
      return later('Too much mail')
    default:
      return unreachable(what)
  }
}

const WHOM: Record<Circle, string> = {
  address: 'from your address',
  network: 'from your network',
  identity: 'of your identity',
  all: 'from everybody',
}

/** `id` explains it, where somebody has looked at what the client has shown. */
export function authenticationRefusal(problem: AuthenticationProblem, id: string | null = null): Reply {
  const refusal = plainRefusal(problem)
  return id === null ? refusal : { ...refusal, lines: refusal.lines.map(line => `${line} (id ${id})`) }
}

function plainRefusal(problem: AuthenticationProblem): Reply {
  switch (problem) {
    case 'cancelled':
      return replies.authCancelled
    case 'notBase64':
      return replies.authNotBase64
    case 'malformed':
      return replies.authMalformed
    case 'notAllowed':
      return replies.certificateNotAllowed
    case 'refused':
      return replies.authFailed
    case 'tokenRefused':
      return replies.tokenRefused
    case 'tooMany':
      return replies.authLater
    case 'unavailable':
      return replies.authUnavailable
    default:
      return unreachable(problem)
  }
}

export const replies = {
  // The connection.
  greeting: (hostname: string, protocol: 'ESMTP' | 'LMTP') => reply(220, null, `${hostname} ${protocol} Postern`),
  spokeBeforeGreeting: reply(554, '5.5.0', 'Wait for the greeting before you speak'),
  connectionRefused: reply(503, '5.5.1', 'No service for you here; only QUIT is left'),
  bye: (hostname: string) => reply(221, '2.0.0', `${hostname} Bye`),
  idle: (hostname: string) => reply(421, '4.4.2', `${hostname} Nothing was heard for too long`),
  shuttingDown: (hostname: string) => reply(421, '4.3.2', `${hostname} The service is going down; try again soon`),
  tooManyErrors: (hostname: string) => reply(421, '4.7.0', `${hostname} Too many errors`),
  tooManyMessages: (hostname: string) => reply(421, '4.7.0', `${hostname} Too many messages on one connection; connect again`),

  // Command lines.
  lineTooLong: reply(500, '5.5.2', 'Line too long'),
  bareLineEnd: reply(500, '5.5.2', 'Lines end with CRLF; a CR or LF alone is not allowed'),
  unprintable: reply(500, '5.5.2', 'Commands are printable ASCII, or UTF-8 in addresses'),
  unknownCommand: reply(500, '5.5.1', 'Command not recognized'),
  notImplemented: reply(502, '5.5.1', 'Command not implemented'),
  notSmtp: reply(554, '5.5.1', 'This is an SMTP server'),
  badSyntax: (expected: string) => reply(501, '5.5.4', `Syntax: ${expected}`),
  pipelinedBehind: (verb: string) => reply(503, '5.5.0', `Wait for the reply to ${verb} before you go on`),
  helloFirst: reply(503, '5.5.1', 'Send EHLO first'),
  lhloFirst: reply(503, '5.5.1', 'Send LHLO first'),

  // EHLO, HELO and the commands that change nothing.
  hello: (lines: readonly string[]): Reply => ({ code: 250, enhanced: null, lines }),
  reset: reply(250, '2.0.0', 'Reset'),
  noop: reply(250, '2.0.0', 'OK'),
  cannotVerify: reply(252, '2.5.0', 'Cannot verify the user, but will take the message and try to deliver it'),
  help: (protocol: string, verbs: readonly string[]): Reply => ({
    code: 214,
    enhanced: '2.0.0',
    lines: [`Commands: ${verbs.join(' ')}`, `HELP and a command tells its syntax. This is Postern, which speaks ${protocol}`, 'and relays for clients that show a certificate.'],
  }),
  helpAbout: (syntax: string) => reply(214, '2.0.0', `Syntax: ${syntax}`),
  helpUnknown: reply(504, '5.5.4', 'There is no such command here'),

  // STARTTLS (RFC 3207 §4).
  readyForTls: reply(220, '2.0.0', 'Ready to start TLS'),
  bytesBehindStartTls: reply(501, '5.5.2', 'Nothing may follow STARTTLS before the handshake'),
  startTlsNotOffered: reply(502, '5.5.1', 'STARTTLS is not offered here'),
  tlsAlreadyActive: reply(503, '5.5.1', 'TLS is already active'),
  startTlsInTransaction: reply(503, '5.5.1', 'STARTTLS is not possible within a mail transaction'),

  // AUTH (RFC 4954 §4 and §6).
  authenticated: reply(235, '2.7.0', 'Authentication successful'),
  authContinue: (challenge: string): Reply => ({ code: 334, enhanced: null, lines: [challenge] }),
  authCancelled: reply(501, '5.7.0', 'Authentication cancelled'),
  authNotBase64: reply(501, '5.5.2', 'That is not text in base64'),
  authUnknownMechanism: reply(504, '5.5.4', 'Authentication mechanism not offered'),
  authNeedsTls: reply(538, '5.7.11', 'Issue a STARTTLS command first: authentication needs encryption'),
  authMalformed: reply(501, '5.5.2', 'That is not what the mechanism prescribes'),
  certificateNotAllowed: reply(535, '5.7.8', 'Your certificate does not allow this identity'),
  authFailed: reply(535, '5.7.8', 'User name or password not accepted'),
  tokenRefused: reply(535, '5.7.8', 'Token not accepted'),
  authLater: reply(454, '4.7.0', 'Too many logins have failed; try again later'),
  authUnavailable: reply(454, '4.7.0', 'Cannot check logins now; try again later'),
  tooManyLogins: (hostname: string) => reply(421, '4.7.0', `${hostname} Too many failed logins`),
  speaksForNobody: (hostname: string) => reply(421, '4.7.0', `${hostname} You speak for others no longer; connect again`),
  loginEnded: (hostname: string) => reply(421, '4.7.0', `${hostname} Your login has ended; log in again`),
  authTwice: reply(503, '5.5.1', 'You have authenticated already'),
  authInTransaction: reply(503, '5.5.1', 'AUTH is not possible within a mail transaction'),

  // XCLIENT (Postfix's XCLIENT_README).
  xclientTwice: reply(503, '5.5.1', 'You have said for whom you speak'),
  xclientInTransaction: reply(503, '5.5.1', 'XCLIENT is not possible within a mail transaction'),
  badXclient: (why: string) => reply(501, '5.5.4', `XCLIENT: ${why}`),

  // ETRN (RFC 1985 §5).
  etrnStarted: (messages: number, node: string) => reply(253, '2.0.0', `OK, ${messages} pending messages for node ${node} started`),
  etrnNothing: (node: string) => reply(251, '2.0.0', `OK, no messages waiting for node ${node}`),
  etrnFailed: (node: string) => reply(458, '4.3.0', `Unable to queue messages for node ${node}`),
  etrnNoQueues: reply(458, '4.3.0', 'Queues have no names here; ask for a domain'),
  etrnInTransaction: reply(503, '5.5.1', 'ETRN is not possible within a mail transaction'),

  // MAIL and RCPT (RFC 5321 §4.1.1.2-3).
  senderOk: reply(250, '2.1.0', 'Sender OK'),
  /** RFC 6710 §4. */
  otherPriority: (priority: number) => reply(250, '2.3.6', `Sender OK; ${priority} is the priority of this message`),
  recipientOk: reply(250, '2.1.5', 'Recipient OK'),
  nestedMail: reply(503, '5.5.1', 'A mail transaction is open already; RSET ends it'),
  mailFirst: reply(503, '5.5.1', 'Send MAIL first'),
  badReversePath: (why: string) => reply(501, '5.1.7', `Sender address: ${why}`),
  badForwardPath: (why: string) => reply(501, '5.1.3', `Recipient address: ${why}`),
  smtpUtf8Needed: reply(553, '5.6.7', 'An address that is not ASCII needs SMTPUTF8'),
  // RFC 3207 §4: 530 is for what needs STARTTLS first.
  requireTlsInClear: reply(530, '5.7.10', 'REQUIRETLS is for a message that comes over TLS'),
  badParameter: (why: string) => reply(501, '5.5.4', why),
  unknownParameter: (keyword: string) => reply(555, '5.5.4', `Parameter not recognized: ${keyword}`),
  holdTooLong: (mostSeconds: number) => reply(501, '5.5.4', `Messages are held for ${mostSeconds} seconds at the most`),
  messageTooBig: (limitBytes: number) => reply(552, '5.3.4', `Messages are limited to ${limitBytes} octets`),
  tooManyRecipients: reply(452, '4.5.3', 'Too many recipients; send to the rest in another message'),

  // DATA (RFC 5321 §4.1.1.4).
  startInput: reply(354, null, 'Start mail input; end with <CRLF>.<CRLF>'),
  // RFC 2033 §4.2 has a code of its own for it.
  noRecipientsInLmtp: reply(503, '5.5.1', 'No valid recipients'),
  noValidRecipients: reply(554, '5.5.1', 'No valid recipients'),

  // BDAT (RFC 3030 §2-3).
  badChunk: reply(501, '5.5.4', 'Syntax: BDAT size [LAST]'),
  chunkTaken: (octets: number) => reply(250, '2.0.0', `${octets} octets received`),
  chunksHaveBegun: reply(503, '5.5.1', 'The message has begun: only more of it, or RSET, can follow'),
  dataAmongChunks: reply(503, '5.5.1', 'A message that began with BDAT cannot go on with DATA; it is dropped'),
  binaryNeedsChunks: reply(503, '5.5.1', 'A message with BODY=BINARYMIME is sent by BDAT'),
  afterRefusedChunk: reply(503, '5.5.1', 'A chunk before this one was refused, and the message with it'),

  // What becomes of a message.
  queued: (id: string) => reply(250, '2.0.0', `Queued as ${id}`),
  storageFull: reply(452, '4.3.1', 'No room to store the message; try again later'),
  storageFailed: reply(451, '4.3.0', 'Could not store the message; try again later'),
  bareLineEndInMessage: reply(550, '5.6.0', 'The message has a CR or LF that is not part of a CRLF'),
  nulInMessage: reply(550, '5.6.0', 'The message has a NUL octet'),
  headerTooBig: (limitBytes: number) => reply(552, '5.3.4', `Header sections are limited to ${limitBytes} octets`),
  tooManyFields: (limit: number) => reply(554, '5.6.0', `Header sections are limited to ${limit} fields`),
  mailLoop: reply(554, '5.4.6', 'Too many Received fields: the message is going in circles'),
} as const

function reply(code: number, enhanced: string | null, text: string): Reply {
  return { code, enhanced, lines: [text] }
}

/** RFC 2034 §4: each line of a reply begins with the status. */
function status(reply: Reply): string {
  return reply.enhanced === null ? '' : `${reply.enhanced} `
}

/** RFC 5321 §4.5.3.1.5: 512 octets with code, status and CRLF. What is longer goes on in a further line. */
const TEXT_LIMIT = 480

function wrapped(line: string): string[] {
  const pieces: string[] = []
  let rest = line
  while (rest.length > TEXT_LIMIT) {
    const blank = rest.lastIndexOf(' ', TEXT_LIMIT)
    const end = blank > 0 ? blank : TEXT_LIMIT
    pieces.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return [...pieces, rest]
}

/** What must not leave as text: a CR or LF in words from elsewhere would be a reply of its own (S14). */
const UNPRINTABLE = /[^\t\x20-\x7e]/
const UNPRINTABLES = /[^\t\x20-\x7e]/g
