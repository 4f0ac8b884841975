/**
 * Log lines, counts, and the history that `trace` and `explain` read, as a fold over what happens.
 *
 * Nothing here changes a session. The core has no log calls: this observer sees each input and each
 * output, and knows which of them an administrator wants to read about.
 */

import type { Excess } from '../core/limits/limits.ts'
import { networkBlock } from '../core/limits/client-blocks.ts'
import { verifyWord } from '../core/names/identity.ts'
import type { Account, ClientIdentity } from '../core/names/identity.ts'
import type { QueuedMessage } from '../core/message/envelope.ts'
import type { Asker, Decision, Question } from '../core/policy/decision.ts'
import { formatAccessLine } from '../core/policy/access-map.ts'
import type { SessionTerms } from '../core/policy/session-terms.ts'
import type { LoginAttempt, LoginFailure } from '../core/sasl/script.ts'
import type { SessionInput, SessionOutput } from '../core/smtp/session-events.ts'
import type { Meter } from './meter.ts'
import type { LoginObserver } from './login-desk.ts'
import type { History, Log, ServerChannel, System } from './ports.ts'
import type { ReceiverObserver } from './receiver.ts'
import { Rejections } from './rejections.ts'
import { Repeats } from './repeats.ts'
import { limitDecision, loginDecision } from './unasked-refusals.ts'

export class Journal implements ReceiverObserver, LoginObserver {
  readonly #log: Log
  readonly #history: History
  readonly #system: System
  readonly #meter: Meter
  readonly #rejections: Rejections
  readonly #turnedAway = new Repeats<TurnedAway>(MOST_REPEATS)

  /** The limit that each session has exceeded last. */
  readonly #limits = new Map<string, string>()

  constructor(log: Log, history: History, system: System, meter: Meter) {
    this.#log = log
    this.#history = history
    this.#system = system
    this.#meter = meter
    this.#rejections = new Rejections(log)
  }

  connected(session: string, listener: string, channel: ServerChannel, identity: ClientIdentity): void {
    this.#meter.count('postern_connections_total', { listener })
    if (identity.kind !== 'plaintext') this.#meter.count('postern_handshakes_total', { result: identity.kind })
    const proxy = channel.proxyAddress === null ? {} : { proxy: channel.proxyAddress }
    this.#log.info({ event: 'connected', session, listener, client: channel.remoteAddress, ...proxy, ...identityFields(identity) })
  }

  turnedAway(listener: string, address: string, why: string, reason: 'tls' | 'proxy'): void {
    this.#meter.count('postern_turned_away_total', { listener, reason })
    if (reason === 'tls') this.#meter.count('postern_handshakes_total', { result: 'failed' })
    const line = { event: 'turned-away', listener, client: address, why }
    if (this.#isWritten(line)) this.#log.warn(line)
  }

  turnedAwayByLimit(asker: Asker, hostname: string, excess: Excess): string | null {
    const { listener, host } = asker
    this.#meter.count('postern_turned_away_total', { listener, reason: `${excess.what} ${excess.of}` })
    const id = this.#system.newId()
    const line = { event: 'turned-away', id, listener, client: host.address, why: excess.limit }
    if (!this.#isWritten(line)) return null
    this.#log.warn(line)
    this.#history.recordDecision({ at: this.#system.now(), question: { kind: 'connection', asker }, decision: limitDecision(id, excess, hostname, []) })
    return id
  }

  /** Of many alike only the first are. */
  #isWritten(line: TurnedAway): boolean {
    return this.#turnedAway.counts(`${line.listener} ${networkBlock(line.client)} ${line.why}`, line, this.#system.now())
  }

  /** To be called about once a second: writes how many lines were left out. */
  sweep(now: number): void {
    for (const { line, unwritten } of this.#turnedAway.takeOver(now)) this.#log.warn({ ...line, unwritten })
  }

  /** To be called once, at the end. */
  finish(): void {
    this.sweep(Infinity)
  }

  overLimit(session: string, { limit, what, of }: Excess, question: Question, decision: Decision): void {
    this.#meter.count('postern_over_limit_total', { what, of })
    this.#history.recordDecision({ at: this.#system.now(), question, decision })
    // Once for each limit and session: whoever floods us does not flood the log.
    if (this.#limits.get(session) === limit) return
    this.#limits.set(session, limit)
    this.#log.warn({ event: 'over-limit', id: decision.id, session, client: question.asker.host.address, limit })
  }

  onTerms(session: string, address: string, { entries }: SessionTerms): void {
    this.#log.info({ event: 'terms', session, client: address, entries: entries.map(formatAccessLine) })
  }

  loggedIn(session: string, address: string, { mechanism }: LoginAttempt, { holder, device }: Account): void {
    this.#meter.count('postern_logins_total', { mechanism, result: 'ok' })
    this.#log.info({ event: 'login', session, client: address, mechanism, holder: holder.name, ...deviceField(device) })
  }

  /** One line each: what programs that watch logs for guessing need is in it. */
  loginFailed({ sessionId: session, id, asker }: Parameters<LoginObserver['loginFailed']>[0], attempt: LoginAttempt, why: LoginFailure): void {
    const { mechanism } = attempt
    const login = attempt.login.slice(0, LONGEST_LOGIN)
    this.#history.recordDecision({ at: this.#system.now(), question: { kind: 'login', asker, mechanism, login }, decision: loginDecision(id, mechanism, why) })
    // That is our own fault, and has a line of its own: whoever watches for guessing has nothing to see in it.
    if (why === 'unavailable') return
    this.#meter.count('postern_logins_total', { mechanism, result: why })
    this.#log.warn({ event: 'login-failed', session, client: asker.host.address, mechanism, login, why, id })
  }

  happened(session: string, input: SessionInput, output: SessionOutput): void {
    if (input.kind === 'tlsEstablished' && output.kind === 'askPolicy' && output.question.kind === 'handshake') {
      this.#log.info({ event: 'tls', session, ...identityFields(input.identity) })
      this.#meter.count('postern_handshakes_total', { result: input.identity.kind })
    }
    if (output.kind === 'speakFor') {
      const login = output.login === null ? {} : { login: output.login }
      this.#log.info({ event: 'xclient', session, client: output.host.address, ...login })
    }
    if (input.kind === 'idle' && output.kind === 'close') this.#meter.count('postern_timeouts_total')
    this.#rejections.happened(session, input, output)
  }

  decided(session: string, question: Question, decision: Decision): void {
    if (decision.verdict === 'accept' && !hasWarning(decision)) return
    if (decision.verdict === 'refuse') this.#meter.count('postern_refusals_total', { asked: question.kind, rule: lastRule(decision) })
    this.#history.recordDecision({ at: this.#system.now(), question, decision })
    this.#log.warn({
      event: decision.verdict === 'refuse' ? 'refused' : decision.verdict === 'accept' ? 'let-through' : decision.verdict,
      id: decision.id,
      session,
      asked: question.kind,
      client: question.asker.host.address,
      listener: question.asker.listener,
      ...identityFields(question.asker.identity),
      ...loginFields(question.asker),
      ...pathFields(question),
      ...(decision.reply === null ? {} : { reply: `${decision.reply.code} ${decision.reply.enhanced} ${decision.reply.text}` }),
      ...(decision.holdReason === null ? {} : { holdReason: decision.holdReason }),
      because: lastRule(decision),
    })
  }

  accepted(session: string, message: QueuedMessage): void {
    const { envelope, origin } = message
    this.#meter.count('postern_accepted_messages_total', { listener: origin.listener })
    this.#meter.count('postern_accepted_recipients_total', {}, message.recipients.length)
    this.#meter.count('postern_accepted_bytes_total', {}, message.sizeBytes)
    this.#log.info({
      event: 'accepted',
      message: message.id,
      session,
      from: envelope.reversePath,
      recipients: envelope.recipients.length,
      sizeBytes: message.sizeBytes,
      client: origin.address,
      ...(origin.holder === null ? {} : { holder: origin.holder }),
      ...(message.heldBecause === null ? {} : { heldBecause: message.heldBecause }),
    })
    const from = `from <${envelope.reversePath}> by ${origin.holder ?? origin.address} on ${origin.listener}, session ${session}`
    for (const recipient of message.recipients) {
      this.#history.recordEvent({
        at: message.acceptedAt,
        messageId: message.id,
        event: message.heldBecause === null ? 'accepted' : 'held',
        recipient: recipient.address,
        text: message.heldBecause === null ? from : `${from}; held: ${message.heldBecause}`,
      })
    }
  }

  /** Of a client that asked for TLS. Every port scanner does that, and nothing is broken here. */
  handshakeFailed(session: string, why: string): void {
    this.#meter.count('postern_handshakes_total', { result: 'failed' })
    this.#log.warn({ event: 'handshake-failed', session, why })
  }

  failed(session: string, what: string, error: unknown): void {
    this.#meter.count('postern_failures_total', { what })
    const text = error instanceof Error ? (what === 'session' ? (error.stack ?? error.message) : error.message) : String(error)
    this.#log.error({ event: 'failed', session, what, error: text })
  }

  closed(session: string): void {
    this.#limits.delete(session)
    this.#rejections.closed(session)
  }
}

type TurnedAway = { readonly event: string; readonly id?: string; readonly listener: string; readonly client: string; readonly why: string }

/** Networks, times reasons, whose refusals at the door are counted at one time. */
const MOST_REPEATS = 10_000

/** Of a name that a stranger typed. */
const LONGEST_LOGIN = 100

/** What a line says of an identity: the verify word, and the names behind it. */
function identityFields(identity: ClientIdentity): { readonly [field: string]: unknown } {
  const verify = verifyWord(identity)
  if (identity.kind === 'plaintext') return { verify: 'none' }
  const tls = { tls: identity.tls.version, cipher: identity.tls.cipher, verify }
  if (identity.kind === 'anonymous') return tls
  const { subject, issuer, fingerprint } = identity.certificate
  const named = { ...tls, subject, issuer, fingerprint }
  if (identity.kind === 'unverified') return { ...named, problem: identity.problem.kind }
  return identity.holder === null ? named : { ...named, holder: identity.holder.name }
}

function loginFields({ authentication }: Asker): { readonly [field: string]: string } {
  if (authentication === null) return {}
  const { mechanism, account } = authentication
  return account === undefined ? { mechanism } : { mechanism, login: account.holder.name, ...deviceField(account.device) }
}

/** A token is of no device of ours. */
function deviceField(device: string | null): { readonly [field: string]: string } {
  return device === null ? {} : { device }
}

function pathFields(question: Question): { readonly [field: string]: string } {
  if (question.kind === 'sender') return { from: question.reversePath }
  if (question.kind === 'recipient') return { from: question.reversePath, to: question.forwardPath }
  if (question.kind === 'authors') return { from: question.reversePath, authors: question.authors.from.join(', ') }
  return {}
}

/** The rule that ended the search, or would have, is the last thing that a decision says. */
function lastRule(decision: Decision): string {
  const kind = decision.verdict === 'accept' ? 'warning' : 'rule'
  const reason = decision.because.findLast(reason => reason.kind === kind)
  return reason === undefined || !('rule' in reason) ? 'unknown' : reason.rule
}

/** Something is accepted only because its rule is set to warn. */
function hasWarning(decision: Decision): boolean {
  return decision.because.some(reason => reason.kind === 'warning')
}
