/**
 * How an attempt to deliver ended, for one recipient: delivered, try again, or bounce.
 *
 * `isPermanent` is the one place that chooses between "try again" and "bounce". When in doubt it is
 * "try again": a message that waits can still be saved, a bounced one cannot.
 *
 * Everything a remote server says comes through `oneLine` before anybody stores or shows it, so that
 * no reply can put a line of its own into a log, a bounce or the queue (S10, S14).
 */

import type { Reply } from '../smtp/reply.ts'
import { unreachable } from '../result.ts'
import type { PolicyReply } from '../policy/decision.ts'

/** Exactly one of three, because exactly three things can happen next. */
export type Outcome = (
  /** `by` is the server that took responsibility (RFC 5321 §6.1). */
  | { readonly kind: 'delivered'; readonly by: string; readonly reply: Reply; readonly knows: Known }
  | { readonly kind: 'deferred'; readonly why: AttemptProblem }
  | { readonly kind: 'refused'; readonly why: AttemptProblem }
) &
  AccessLines

/** Of which extensions, that have to do with what a sender hears, the server that has the message now knows. */
type Known = { readonly dsn: boolean; readonly deliverBy: boolean }

/** The lines of the access map that had a say, for the administrator: `access:3 TLS_Srv:mx.example.net VERIFY`. */
type AccessLines = { readonly accessLines?: readonly string[] }

/** Where in the conversation something happened. */
export type Stage = 'greeting' | 'hello' | 'tls' | 'mail' | 'rcpt' | 'data' | 'end of data' | 'quit'

/** Why an attempt failed. `peer` is the server: `mx.example.net[192.0.2.7]:25`. */
export type AttemptProblem =
  | { readonly kind: 'remoteReply'; readonly stage: Stage; readonly peer: string; readonly reply: Reply }
  | { readonly kind: 'connectionFailed'; readonly peer: string; readonly detail: string }
  | { readonly kind: 'connectionLost'; readonly stage: Stage; readonly peer: string; readonly detail: string }
  /** The server takes no more messages over this connection (RFC 9422 §4.1); over another it does. */
  | { readonly kind: 'connectionSpent'; readonly peer: string }
  /** What the server said is not SMTP, or is too much of it (S19). */
  | { readonly kind: 'badReply'; readonly stage: Stage; readonly peer: string; readonly detail: string }
  | ({ readonly kind: 'tlsFailed'; readonly cause: TlsFailure; readonly peer: string; readonly detail: string } & AccessLines)
  /** The access map asks for more than the server's TLS has proved, in its reply; `detail` is why it has not. */
  | ({ readonly kind: 'tlsRefused'; readonly peer: string; readonly reply: PolicyReply; readonly detail: string | null } & AccessLines)
  | { readonly kind: 'noRoute'; readonly cause: NoRoute; readonly domain: string; readonly detail: string }
  /** The message needs an extension that the server lacks, or is larger than it takes. */
  | { readonly kind: 'unsupported'; readonly feature: '8BITMIME' | 'BINARYMIME' | 'SMTPUTF8' | 'SIZE' | 'DELIVERBY' | 'REQUIRETLS' | 'STARTTLS'; readonly peer: string }
  /** The sender gave it so much time (RFC 2852). */
  | { readonly kind: 'tooLate'; readonly detail: string }
  /** The server calls itself what we call ourselves. */
  | { readonly kind: 'ourselves'; readonly peer: string }
  /** Nobody else's fault: the message could not be read back from our own spool, or a bug. */
  | { readonly kind: 'localTrouble'; readonly detail: string }
  /** Nothing was tried: the next hop failed a moment ago, for this reason. */
  | { readonly kind: 'suspended'; readonly because: AttemptProblem }

export type TlsFailure =
  /** No STARTTLS among the extensions, or a refusal of the command. */
  | 'notOffered'
  | 'handshake'
  /** The chain or the name of the server's certificate. */
  | 'unverified'
  /** Bytes behind the reply to STARTTLS, sent by whoever is on the path (S4). */
  | 'injected'
  /** Our own: what the access map wants of TLS with this server cannot be done. */
  | 'settings'

export type NoRoute =
  | 'noSuchDomain'
  /** RFC 7505: the domain says that it takes no mail. */
  | 'nullMx'
  /** We are the best mail exchanger of a domain that is not ours (RFC 5321 §5.1). */
  | 'loop'
  /** Mail exchangers without an address. */
  | 'noAddress'
  /** Only addresses that lead back to this machine, or nowhere (S21). */
  | 'unusableAddress'
  | 'badDomain'
  | 'dnsFailed'

/** The one place that decides between "try again" and "bounce". */
export function isPermanent(problem: AttemptProblem): boolean {
  switch (problem.kind) {
    case 'remoteReply':
      // RFC 5321 §4.5.3.1.10: 552 to RCPT was once "too many recipients", and is then temporary.
      if (problem.stage === 'rcpt' && problem.reply.code === 552) return false
      return problem.reply.code >= 500 // RFC 5321 §4.2.1
    case 'noRoute':
      return problem.cause !== 'dnsFailed' && problem.cause !== 'noAddress'
    case 'unsupported':
    case 'tooLate':
      return true
    case 'tlsRefused':
      return problem.reply.code >= 500 // PERM
    case 'connectionFailed':
    case 'connectionLost':
    case 'connectionSpent':
    case 'badReply':
    case 'tlsFailed':
    // Only an administrator can mend it, and then the mail is still there.
    case 'ourselves':
    case 'localTrouble':
    case 'suspended':
      return false
    default:
      return unreachable(problem)
  }
}

/** The outcome that follows from a problem. */
export function outcomeOf(problem: AttemptProblem): Outcome {
  const outcome: Outcome = isPermanent(problem) ? { kind: 'refused', why: problem } : { kind: 'deferred', why: problem }
  return withAccessLines(outcome, accessLinesOf(problem))
}

export function withAccessLines(outcome: Outcome, accessLines: readonly string[]): Outcome {
  return accessLines.length === 0 ? outcome : { ...outcome, accessLines }
}

function accessLinesOf(problem: AttemptProblem): readonly string[] {
  if (problem.kind === 'suspended') return accessLinesOf(problem.because)
  return 'accessLines' in problem ? (problem.accessLines ?? []) : []
}

/** The problem in one line, for `lastReply`, `trace` and the bounce. */
export function describeProblem(problem: AttemptProblem): string {
  switch (problem.kind) {
    case 'remoteReply':
      return oneLine(`${describeReply(problem.reply)} (${problem.peer}, ${STAGE_WORDS[problem.stage]})`)
    case 'connectionFailed':
      return oneLine(`no connection to ${problem.peer}: ${problem.detail}`)
    case 'connectionLost':
      return oneLine(`connection to ${problem.peer} lost, ${STAGE_WORDS[problem.stage]}: ${problem.detail}`)
    case 'connectionSpent':
      return oneLine(`${problem.peer} takes no more over this connection`)
    case 'badReply':
      return oneLine(`${problem.peer} does not speak SMTP, ${STAGE_WORDS[problem.stage]}: ${problem.detail}`)
    case 'tlsFailed':
      return oneLine(`no ${problem.cause === 'unverified' ? 'verified ' : ''}TLS with ${problem.peer}: ${problem.detail}`)
    case 'tlsRefused': {
      const { code, enhanced, text } = problem.reply
      return oneLine(`${code} ${enhanced} ${text} (our own rule for ${problem.peer}${problem.detail === null ? '' : `: ${problem.detail}`})`)
    }
    case 'noRoute':
      return oneLine(`no route to ${problem.domain}: ${problem.detail}`)
    case 'unsupported':
      return oneLine(`${problem.peer} ${UNSUPPORTED_WORDS[problem.feature]}`)
    case 'tooLate':
      return oneLine(`too late: ${problem.detail}`)
    case 'ourselves':
      return oneLine(`${problem.peer} answers with our own name, so that mail would go in circles; set the next hop right, or give one of the two another hostname`)
    case 'localTrouble':
      return oneLine(`trouble of our own: ${problem.detail}`)
    case 'suspended':
      return oneLine(`not tried again yet: ${describeProblem(problem.because)}`)
    default:
      return unreachable(problem)
  }
}

/** The outcome in one line. */
export function describeOutcome(outcome: Outcome): string {
  return outcome.kind === 'delivered'
    ? oneLine(`${describeReply(outcome.reply)} (${outcome.by})`)
    : describeProblem(outcome.why)
}

/** The enhanced status code of a problem (RFC 3463), for the machine part of a bounce. */
export function statusOf(problem: AttemptProblem): string {
  switch (problem.kind) {
    case 'remoteReply':
      return problem.reply.enhanced ?? `${problem.reply.code >= 500 ? 5 : 4}.0.0`
    case 'connectionFailed':
      return '4.4.1'
    case 'connectionLost':
    case 'connectionSpent':
      return '4.4.2'
    case 'badReply':
      return '4.5.0'
    case 'tlsFailed':
      return TLS_STATUS[problem.cause]
    case 'tlsRefused':
      return problem.reply.enhanced
    case 'noRoute':
      return NO_ROUTE_STATUS[problem.cause]
    case 'unsupported':
      return UNSUPPORTED_STATUS[problem.feature]
    case 'tooLate':
      return '5.4.7' // RFC 2852 §4
    case 'ourselves':
      return '4.4.6'
    case 'localTrouble':
      return '4.3.0'
    case 'suspended':
      return statusOf(problem.because)
    default:
      return unreachable(problem)
  }
}

/** A reply as one line of text: `550 5.1.1 No such user`. */
export function describeReply(reply: Reply): string {
  const words = reply.enhanced === null ? reply.lines : [reply.enhanced, ...reply.lines]
  return oneLine(`${reply.code} ${words.join(' ')}`)
}

/** Characters that `lastReply` and a log field keep of what a remote server said. */
const LINE_LIMIT = 500

/** Text without control characters, of bounded length: it can be put into a line without ending it. */
export function oneLine(text: string): string {
  // U+2028 and U+2029 end a line for some readers of logs; lone surrogates do not survive UTF-8.
  const clean = text.replaceAll(UNPRINTABLE, ' ').trim().toWellFormed()
  return clean.length <= LINE_LIMIT ? clean : `${clean.slice(0, LINE_LIMIT - 1).toWellFormed()}…`
}

const UNPRINTABLE = /[\p{Cc}\u2028\u2029]+/gu

// prettier-ignore
const STAGE_WORDS: Record<Stage, string> = {
  greeting:      'in its greeting',
  hello:         'after EHLO',
  tls:           'after STARTTLS',
  mail:          'after MAIL',
  rcpt:          'after RCPT',
  data:          'after DATA',
  'end of data': 'after the message',
  quit:          'after QUIT',
}

const UNSUPPORTED_WORDS = {
  '8BITMIME': 'takes no 8-bit messages (it does not offer 8BITMIME)',
  BINARYMIME: 'takes no binary messages (it does not offer BINARYMIME and CHUNKING)',
  SMTPUTF8: 'takes no internationalized messages (it does not offer SMTPUTF8)',
  SIZE: 'takes no messages of this size',
  DELIVERBY: 'gives no word on time (it does not offer DELIVERBY), and the message is to be returned when it is late',
  REQUIRETLS: 'does not promise TLS for the rest of the way (it does not offer REQUIRETLS), which the sender requires',
  STARTTLS: 'offers no TLS, which the sender requires',
} as const

/** RFC 5248, RFC 6531 §3.7.4 and RFC 8689 §7. */
const UNSUPPORTED_STATUS = {
  '8BITMIME': '5.6.3',
  BINARYMIME: '5.6.3',
  SMTPUTF8: '5.6.7',
  SIZE: '5.3.4',
  DELIVERBY: '5.3.3',
  REQUIRETLS: '5.7.30',
  STARTTLS: '5.7.10',
} as const

/** RFC 5248: no encryption, cryptographic failure, system incorrectly configured. */
const TLS_STATUS: Record<TlsFailure, string> = { notOffered: '4.7.4', handshake: '4.7.4', unverified: '4.7.5', injected: '4.7.4', settings: '4.3.5' }

// prettier-ignore
const NO_ROUTE_STATUS: Record<NoRoute, string> = {
  noSuchDomain:    '5.1.2',
  nullMx:          '5.1.10', // RFC 7505 §4.2
  loop:            '5.4.6',
  noAddress:       '4.4.4',
  unusableAddress: '5.4.4',
  badDomain:       '5.1.2',
  dnsFailed:       '4.4.3',
}
