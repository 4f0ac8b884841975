/**
 * The client's half of an SMTP conversation, as scripts that read like RFC 5321 Appendix D.
 *
 * The client chooses the order, so each part is a generator: it yields what it wants done (`send`,
 * `receive`, `startTls`, …) and is resumed with what came of it. There is no I/O here; connection.ts
 * runs the scripts over a channel, tests run them against the server's half.
 *
 * One connection is `greet` (client-greeting.ts), then `deliver` for each message, then `quit`. A problem
 * in `greet` is the host's: the next one may do better. A problem in `deliver` is the message's, or one
 * recipient's.
 */

import { assert, fail, ok, type Result } from '../result.ts'
import { outcomeOf, withAccessLines, type AttemptProblem, type Outcome, type Stage } from '../message/outcome.ts'
import type { DeliverBy, Envelope, EnvelopeRecipient } from '../message/envelope.ts'
import { NON_ASCII } from '../names/idna.ts'
import { formatAccessLine } from '../policy/access-map.ts'
import type { HopAnswer, HopQuestion, TlsProof } from '../policy/next-hop-tls.ts'
import type { TlsPeer } from '../policy/tls-requirements.ts'
import { envelopeCommands, promisesTls } from './client-envelope.ts'
import { unlessFull, withinDomains, type JudgedRecipient } from './domain-limit.ts'
import type { BodyTraits } from './eight-bit.ts'
import type { Extensions } from './extensions.ts'
import type { Reply } from './reply.ts'

/** What a script wants done. */
export type ClientStep =
  /** Nothing waits for it: what is sent in a row leaves as one write. */
  | { readonly kind: 'send'; readonly text: string }
  | { readonly kind: 'receive'; readonly timeoutSeconds: number }
  /** Nothing may have come before the command has been sent, and nothing may come with its reply. */
  | { readonly kind: 'receiveAlone'; readonly timeoutSeconds: number }
  | { readonly kind: 'startTls' }
  | { readonly kind: 'askPolicy'; readonly question: HopQuestion }
  /** Find out what a server must be able to take, whatever the client declared. */
  | { readonly kind: 'inspectBody' }
  /** Send the message, in the form that its command announced. */
  | { readonly kind: 'sendBody'; readonly form: BodyForm }

export type BodyForm =
  /** After `354`: dot-stuffed, and with the line that ends it. */
  | 'dotted'
  /** Behind BDAT: exactly the octets of the message; in `text`, with CR and LF only together. */
  | 'text chunk'
  | 'binary chunk'

/** What came of it. */
export type ClientFact =
  | { readonly kind: 'done' }
  | { readonly kind: 'replied'; readonly reply: Reply }
  | { readonly kind: 'badReply'; readonly detail: string }
  | { readonly kind: 'lost'; readonly detail: string }
  /** `unverified` says why the certificate proves nothing; null if it does. */
  | { readonly kind: 'tlsEstablished'; readonly protocol: string; readonly unverified: string | null; readonly proof: TlsProof }
  | { readonly kind: 'judged'; readonly answer: HopAnswer }
  | { readonly kind: 'tlsFailed'; readonly cause: 'handshake' | 'injected'; readonly detail: string }
  | { readonly kind: 'inspected'; readonly found: BodyTraits }
  /** Our own spool did not give the message back. */
  | { readonly kind: 'bodyUnreadable'; readonly detail: string }

export type Script<Answer> = Generator<ClientStep, Answer, ClientFact>

/** A connection that is ready for a message. */
export type ClientSession = {
  readonly peer: string
  readonly extensions: Extensions
  /** As text for the reports: `TLSv1.3 TLS_AES_256_GCM_SHA384, verified`; null in clear. */
  readonly tls: string | null
  /** Its certificate proves the name of the host. */
  readonly isVerified: boolean
  /** The same for the policy, which may ask more of some recipients. */
  readonly server: TlsPeer
  /** Lines of the access map that had a say in it. */
  readonly accessLines: readonly string[]
  /** How many more transactions the server takes over this connection (RFC 9422 §4.1); null if it has not said. */
  readonly transactionsLeft: number | null
  /** Of the recipients that have been named, in lower case; kept only where the server limits them. */
  readonly domains: ReadonlySet<string>
  /** How we have introduced ourselves, and what it said to that. */
  readonly hello: { readonly command: string; readonly reply: Reply }
  /** There has been a transaction. */
  readonly isUsed: boolean
}

/** What of an envelope goes out, to some of its recipients. */
export type Delivery = Pick<Envelope, 'reversePath' | 'bodyType' | 'utf8' | 'tls' | 'returned' | 'envelopeId' | 'priority'> & {
  readonly recipients: readonly EnvelopeRecipient[]
  readonly sizeBytes: number
  /** With the seconds that are left by now (RFC 2852 §4). */
  readonly deliverBy: DeliverBy | null
}

export type DeliveryReport = {
  /** One for each forward-path, in order. */
  readonly outcomes: readonly Outcome[]
  /** The session for the next message; null if the connection is of no more use. */
  readonly session: ClientSession | null
  /** The server had gone before it answered MAIL: on a reused connection, no fault of the message. */
  readonly wentAway: boolean
}

/** One message, to those of its recipients who may be named to this server. */
export function* deliver(session: ClientSession, delivery: Delivery): Script<DeliveryReport> {
  const { judged, domains } = withinDomains(session, delivery.recipients, yield* judgeRecipients(session, delivery.recipients))
  const allowed = delivery.recipients.filter((_, index) => judged[index]?.refusal === null)
  const report = yield* transactInParts({ ...session, domains }, { ...delivery, recipients: allowed })
  const rest = report.outcomes.values()
  const outcomes = judged.map(({ refusal, accessLines }) => {
    const outcome = refusal ?? rest.next().value
    assert(outcome !== undefined, 'every recipient has an outcome')
    return withAccessLines(outcome, accessLines)
  })
  return { ...report, outcomes, session: unlessFull(report.session) }
}

/** TLS_Rcpt: who is named only where more has been proved is not named to others. */
function* judgeRecipients({ peer, server, accessLines }: ClientSession, recipients: readonly EnvelopeRecipient[]): Script<readonly JudgedRecipient[]> {
  const judged: JudgedRecipient[] = []
  for (const { forwardPath } of recipients) {
    const { refusal, line } = yield* ask({ kind: 'recipient', server, forwardPath })
    judged.push({
      refusal: refusal === null ? null : outcomeOf({ kind: 'tlsRefused', peer, reply: refusal, detail: null, accessLines: [] }),
      accessLines: line === null ? accessLines : [...accessLines, formatAccessLine(line)],
    })
  }
  return judged
}

/** RFC 9422 §4.2: to no more recipients at a time than the server says, and in no more transactions. */
function* transactInParts(session: ClientSession, delivery: Delivery): Script<DeliveryReport> {
  const { recipients } = delivery
  const most = session.extensions.mostRecipients ?? recipients.length
  let report: DeliveryReport = ended([], session)
  for (let at = 0; at < recipients.length; at += most) {
    if (report.session === null || report.session.transactionsLeft === 0) {
      const why: AttemptProblem = report.session === null ? closedEarly(session.peer) : { kind: 'connectionSpent', peer: session.peer }
      return { ...report, outcomes: [...report.outcomes, ...recipients.slice(at).map(() => outcomeOf(why))] }
    }
    const part: DeliveryReport = yield* transact(report.session, { ...delivery, recipients: recipients.slice(at, at + most) })
    report = { ...part, outcomes: [...report.outcomes, ...part.outcomes], wentAway: part.wentAway && at === 0 }
    if (part.wentAway) return { ...report, outcomes: [...report.outcomes, ...recipients.slice(at + most).map(() => outcomeOf({ kind: 'connectionSpent', peer: session.peer }))] }
  }
  return report
}

function closedEarly(peer: string): AttemptProblem {
  return { kind: 'connectionLost', stage: 'mail', peer, detail: 'it ended with an earlier part of the recipients' }
}

/** One mail transaction. */
function* transact(session: ClientSession, delivery: Delivery): Script<DeliveryReport> {
  const obstacle = yield* findObstacle(session, delivery)
  if (obstacle !== null) return ended(delivery.recipients.map(() => outcomeOf(obstacle)), session)
  if (session.isUsed && !(yield* isInStep(session))) {
    return { ...ended(delivery.recipients.map(() => outcomeOf({ kind: 'connectionSpent', peer: session.peer })), null), wentAway: true }
  }

  const said = yield* sendEnvelope(session, delivery)
  if (said.kind === 'over') return said.report
  const finish = (outcome: Outcome, next: ClientSession | null): DeliveryReport => ended(fill(said.outcomes, outcome), next)

  const form = bodyForm(session.extensions, delivery)
  // Only now that somebody is to have it: a server that took the octets behind a refused BDAT for
  // commands would obey whoever wrote the message (S2).
  if (form !== 'dotted') yield { kind: 'send', text: `BDAT ${delivery.sizeBytes} LAST\r\n` }
  const sent = yield { kind: 'sendBody', form }
  // Half a message has gone out; closing the connection is the only way not to finish it.
  if (sent.kind === 'bodyUnreadable') return finish(outcomeOf({ kind: 'localTrouble', detail: sent.detail }), null)

  // RFC 5321 §6.1: with this 250 the server takes responsibility.
  const taken = yield* expect('end of data', session.peer, isPositive)
  if (!taken.ok) return finish(outcomeOf(taken.problem), after(session, taken.problem))
  const by = session.tls === null ? session.peer : `${session.peer}, ${session.tls}`
  const { dsn, deliverBy } = session.extensions
  return finish({ kind: 'delivered', by, reply: taken.value, knows: { dsn, deliverBy: deliverBy !== null } }, spent(session))
}

/**
 * Whether the reply to a command is the reply to that command. A server that has said more than it was
 * asked, such as a reply for each recipient, would have all its replies taken for those to the command
 * before: a refusal would go to the wrong recipient, and a message count as delivered that was refused.
 * EHLO ends a transaction like RSET (RFC 5321 §4.1.4), and what it is answered is like no other reply.
 */
function* isInStep({ peer, hello }: ClientSession): Script<boolean> {
  yield { kind: 'send', text: hello.command }
  const heard = yield* expectAlone('hello', peer, isPositive)
  return heard.ok && heard.value.lines.join('\n') === hello.reply.lines.join('\n')
}

/** RFC 5321 §4.1.1.10: a connection is not closed without saying so. */
export function* quit(peer: string): Script<void> {
  yield { kind: 'send', text: 'QUIT\r\n' }
  yield* expect('quit', peer, isPositive)
}

/** RFC 3030 §3: only BDAT carries any octets. A large message goes by it too, so that nobody has to look for its end. */
function bodyForm({ chunking, binaryMime }: Extensions, { bodyType, sizeBytes }: Delivery): BodyForm {
  if (bodyType === 'BINARYMIME' && binaryMime) return 'binary chunk'
  return chunking && sizeBytes >= LARGE_BYTES ? 'text chunk' : 'dotted'
}

/** What makes an attempt useless before it begins. */
function* findObstacle(session: ClientSession, delivery: Delivery): Script<AttemptProblem | null> {
  const { extensions, peer } = session
  const late = lateness(session, delivery)
  if (late !== null) return late
  // RFC 1870 §6.1: no need to have it said by the server.
  if (extensions.sizeLimitBytes !== null && delivery.sizeBytes > extensions.sizeLimitBytes)
    return { kind: 'unsupported', feature: 'SIZE', peer }
  if (delivery.tls === 'required' && !promisesTls(session)) return { kind: 'unsupported', feature: 'REQUIRETLS', peer }
  const missesBinary = delivery.bodyType === 'BINARYMIME' && !extensions.binaryMime
  const missesEightBit = (missesBinary || delivery.bodyType === '8BITMIME') && !extensions.eightBitMime
  const missesUtf8 = delivery.utf8 && !extensions.smtpUtf8
  if (!missesBinary && !missesEightBit && !missesUtf8) return null

  const paths = [delivery.reversePath, ...delivery.recipients.map(({ forwardPath }) => forwardPath)]
  if (missesUtf8 && paths.some(path => NON_ASCII.test(path))) return { kind: 'unsupported', feature: 'SMTPUTF8', peer }
  const fact = yield { kind: 'inspectBody' }
  if (fact.kind === 'bodyUnreadable') return { kind: 'localTrouble', detail: fact.detail }
  assert(fact.kind === 'inspected', 'the message was to be inspected')
  const { header, body, isBinary } = fact.found
  if (missesUtf8 && header) return { kind: 'unsupported', feature: 'SMTPUTF8', peer }
  // RFC 6152 §3, RFC 3030 §3: convert or return. A relay that rewrites bodies breaks signatures, so we return.
  if (missesBinary && isBinary) return { kind: 'unsupported', feature: 'BINARYMIME', peer }
  if (missesEightBit && (header || body)) return { kind: 'unsupported', feature: '8BITMIME', peer }
  return null
}

/** RFC 2852 §4: what is to come back when its time is over goes only to those who will see to that. */
function lateness({ extensions, peer }: ClientSession, { deliverBy }: Delivery): AttemptProblem | null {
  if (deliverBy?.mode !== 'return') return null
  if (deliverBy.seconds <= 0) return { kind: 'tooLate', detail: 'the time that the sender gave it is over' }
  if (extensions.deliverBy === null) return { kind: 'unsupported', feature: 'DELIVERBY', peer }
  const { leastSeconds } = extensions.deliverBy
  return deliverBy.seconds < leastSeconds ? { kind: 'tooLate', detail: `${peer} needs ${leastSeconds} seconds at the least` } : null
}

/** The session after MAIL was taken. */
function spent(session: ClientSession): ClientSession {
  const { transactionsLeft } = session
  return { ...session, isUsed: true, transactionsLeft: transactionsLeft === null ? null : Math.max(0, transactionsLeft - 1) }
}

/** How far an envelope came. */
type EnvelopeReport =
  /** The server waits for the message, for the recipients that have no outcome yet. */
  | { readonly kind: 'waiting'; readonly outcomes: readonly (Outcome | null)[] }
  | { readonly kind: 'over'; readonly report: DeliveryReport }

/** MAIL, RCPT and DATA where the message is not sent by BDAT, in groups where the server allows it (RFC 2920 §3.1). */
function* sendEnvelope(session: ClientSession, delivery: Delivery): Script<EnvelopeReport> {
  const commands = envelopeCommands(session, delivery, bodyForm(session.extensions, delivery))
  const outcomes: (Outcome | null)[] = delivery.recipients.map(() => null)
  const groupSize = session.extensions.pipelining ? GROUP_LIMIT : 1
  let refusal: AttemptProblem | null = null
  let mailAnswered = false
  for (let at = 0; at < commands.length; at += groupSize) {
    const group = commands.slice(at, at + groupSize)
    if (refusal !== null || (group[0]?.stage === 'data' && noneLeft(outcomes))) break
    yield { kind: 'send', text: group.map(command => command.text).join('') }
    for (const command of group) {
      const heard: Result<Reply, AttemptProblem> = yield* expect(command.stage, session.peer, ACCEPTS[command.stage])
      if (command.stage === 'data') return yield* dataAnswered(session, outcomes, refusal, heard)
      if (!heard.ok && isClosing(heard.problem)) {
        const rest = outcomeOf(refusal ?? heard.problem)
        return { kind: 'over', report: { ...ended(fill(outcomes, rest), null), wentAway: !mailAnswered } }
      }
      if (command.stage === 'mail') mailAnswered = true
      if (heard.ok) continue
      if (command.stage === 'mail') refusal = heard.problem
      // After a refused MAIL the server can only say that it is out of order; MAIL's reply is the reason.
      else if (refusal === null) outcomes[command.index] = outcomeOf(heard.problem)
    }
  }
  if (refusal === null && !noneLeft(outcomes)) return { kind: 'waiting', outcomes }
  return { kind: 'over', report: ended(settled(outcomes, refusal), refusal === null ? spent(session) : { ...session, isUsed: true }) }
}

/** The reply to DATA: the server waits for the message, or does not. */
function* dataAnswered(
  session: ClientSession,
  outcomes: readonly (Outcome | null)[],
  refusal: AttemptProblem | null,
  heard: Result<Reply, AttemptProblem>,
): Script<EnvelopeReport> {
  if (!heard.ok)
    return { kind: 'over', report: ended(settled(outcomes, refusal ?? heard.problem), after(session, heard.problem)) }
  // It refused MAIL and still wants a message: nothing that we could send now would be right.
  if (refusal !== null) return { kind: 'over', report: ended(settled(outcomes, refusal), null) }
  if (!noneLeft(outcomes)) return { kind: 'waiting', outcomes }
  // RFC 2920 §3.1: 354 without any recipient is answered by a single dot.
  yield { kind: 'send', text: '.\r\n' }
  const end = yield* expect('end of data', session.peer, isPositive)
  const next = end.ok ? { ...session, isUsed: true } : after(session, end.problem)
  return { kind: 'over', report: ended(settled(outcomes, null), next) }
}

export function* ask(question: HopQuestion): Script<HopAnswer> {
  const fact = yield { kind: 'askPolicy', question }
  assert(fact.kind === 'judged', 'the policy was asked')
  return fact.answer
}

/** Waits for a reply. Whatever is not the wanted one is a problem, and the caller's to judge. */
export function* expect(stage: Stage, peer: string, isWanted: (reply: Reply) => boolean): Script<Result<Reply, AttemptProblem>> {
  return received(yield { kind: 'receive', timeoutSeconds: TIMEOUT_SECONDS[stage] }, stage, peer, isWanted)
}

/** As `expect`, of a server that must have said nothing else. */
export function* expectAlone(stage: Stage, peer: string, isWanted: (reply: Reply) => boolean): Script<Result<Reply, AttemptProblem>> {
  return received(yield { kind: 'receiveAlone', timeoutSeconds: TIMEOUT_SECONDS[stage] }, stage, peer, isWanted)
}

function received(fact: ClientFact, stage: Stage, peer: string, isWanted: (reply: Reply) => boolean): Result<Reply, AttemptProblem> {
  if (fact.kind === 'lost') return fail({ kind: 'connectionLost', stage, peer, detail: fact.detail })
  if (fact.kind === 'badReply') return fail({ kind: 'badReply', stage, peer, detail: fact.detail })
  assert(fact.kind === 'replied', 'a reply was waited for')
  return isWanted(fact.reply) ? ok(fact.reply) : fail({ kind: 'remoteReply', stage, peer, reply: fact.reply })
}

function ended(outcomes: readonly Outcome[], session: ClientSession | null): DeliveryReport {
  return { outcomes, session, wentAway: false }
}

function fill(outcomes: readonly (Outcome | null)[], rest: Outcome): readonly Outcome[] {
  return outcomes.map(outcome => outcome ?? rest)
}

/** The outcomes of a transaction without a message; `problem` is null if each recipient has its own. */
function settled(outcomes: readonly (Outcome | null)[], problem: AttemptProblem | null): readonly Outcome[] {
  if (problem !== null) return fill(outcomes, outcomeOf(problem))
  return outcomes.map(outcome => {
    assert(outcome !== null, 'every recipient has an outcome')
    return outcome
  })
}

function noneLeft(outcomes: readonly (Outcome | null)[]): boolean {
  return outcomes.every(outcome => outcome !== null)
}

/** The session after a reply that was not the wanted one. */
function after(session: ClientSession, problem: AttemptProblem): ClientSession | null {
  return isClosing(problem) ? null : { ...session, isUsed: true }
}

/** After these there is nobody to talk to, or nothing more to be believed (RFC 5321 §3.8: 421). */
function isClosing(problem: AttemptProblem): boolean {
  return problem.kind !== 'remoteReply' || problem.reply.code === 421 || problem.reply.code < 400
}

export function isPositive(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300
}

const ACCEPTS = {
  mail: isPositive,
  rcpt: isPositive,
  data: (reply: Reply): boolean => reply.code === 354,
} as const

/** From this size on a message goes by BDAT where it can. Below, both take as long, and every server knows DATA. */
const LARGE_BYTES = 64 * 1024

/** Commands in one write (RFC 2920 §3.1): their replies fit any receive window, so nobody waits for each other. */
const GROUP_LIMIT = 100

/** RFC 5321 §4.5.3.2. A block of the message has its own, with whoever sends it. */
const TIMEOUT_SECONDS: Record<Stage, number> = {
  greeting: 300,
  hello: 300,
  tls: 300,
  mail: 300,
  rcpt: 300,
  data: 120,
  'end of data': 600,
  quit: 10,
}
