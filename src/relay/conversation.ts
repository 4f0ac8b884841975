/**
 * Runs one server session over one channel. All the waiting of the receiving side is in this class.
 *
 * It turns the session's intentions into effects, and effects into facts; it decides nothing.
 * Back-pressure needs no code: the next bytes are read when the last output is done.
 */

import { assert, unreachable } from '../core/result.ts'
import { withoutCertificate, type Account, type ClientIdentity } from '../core/names/identity.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import { USUAL_TERMS } from '../core/policy/session-terms.ts'
import type { SessionTerms } from '../core/policy/session-terms.ts'
import type { EtrnNode } from '../core/smtp/etrn.ts'
import { formatReply } from '../core/smtp/reply.ts'
import { ServerSession } from '../core/smtp/server-session.ts'
import type { SessionInput, SessionRules, SessionOutput, SessionSettings } from '../core/smtp/session-events.ts'
import type { Visit } from './limiter.ts'
import type { LoginDesk, LoginObserver } from './login-desk.ts'
import { MessageIntake, type IntakeHost, type IntakeObserver } from './message-intake.ts'
import { PolicyAsker } from './policy-asker.ts'
import type { PolicyHost, PolicyObserver } from './policy-asker.ts'
import type { ServerChannel } from './ports.ts'
import { isError } from './visit-charges.ts'

/** What a conversation is a guest of: one worker's policy, spool and journal. */
export type ConversationHost = PolicyHost & IntakeHost & {
  /** Looks at passwords. */
  readonly logins: Pick<LoginDesk, 'answer'>
  /** Makes what waits for these recipients due now, at every worker: of how many messages, or null if that failed. */
  wakeQueue(node: EtrnNode): Promise<number | null>
}

/** Sees everything that happens in a session, and never changes it. */
export type ConversationObserver = PolicyObserver & IntakeObserver & Pick<LoginObserver, 'loginFailed'> & {
  handshakeFailed(sessionId: string, why: string): void
  happened(sessionId: string, input: SessionInput, output: SessionOutput): void
  /** The access map has terms of its own for this client. */
  onTerms(sessionId: string, address: string, terms: SessionTerms): void
  closed(sessionId: string): void
}

/** News from outside that waits for the session's next turn. */
type News = Extract<SessionInput, { kind: 'idle' | 'shutDown' | 'identityLost' | 'loginEnded' | 'overLimit' }>

export class Conversation {
  readonly id: string
  readonly #host: ConversationHost
  readonly #observer: ConversationObserver
  readonly #channel: ServerChannel
  readonly #visit: Visit
  readonly #session: ServerSession
  readonly #policy: PolicyAsker
  readonly #intake: MessageIntake
  readonly #settings: SessionSettings
  readonly #news: News[] = []
  #identity: ClientIdentity = { kind: 'plaintext' }
  #terms: SessionTerms = USUAL_TERMS
  #account: Account | null = null
  #unsent = ''
  #progressedAt: number
  #deadline: number
  #timedOut = false
  #doneInARow = 0
  /** Rules that the session has yet to hear of. */
  #reloaded: SessionRules | null = null

  constructor(host: ConversationHost, observer: ConversationObserver, channel: ServerChannel, visit: Visit, settings: SessionSettings) {
    this.id = host.system.newId()
    this.#host = host
    this.#observer = observer
    this.#channel = channel
    this.#visit = visit
    this.#settings = settings
    this.#session = new ServerSession(settings)
    const session = { sessionId: this.id, hostname: settings.hostname, visit, judgeStanding: () => this.#policy.judgeStanding(this.#identity) }
    this.#intake = new MessageIntake(session, host, observer)
    this.#progressedAt = host.system.now()
    this.#deadline = this.#nextDeadline()
    this.#policy = new PolicyAsker(host, observer, this.id, channel.remoteAddress, visit, settings)
  }

  get listener(): ListenerName {
    return this.#settings.listener
  }

  get channel(): ServerChannel {
    return this.#channel
  }

  /** Who the client has proved to be by now. */
  get identity(): ClientIdentity {
    return this.#identity
  }

  /** Whose password the client has logged in with, if with any. */
  get account(): Account | null {
    return this.#account
  }

  /** When the client's silence becomes too long, in milliseconds since 1970. */
  get deadline(): number {
    return this.#deadline
  }

  /** Tells the session something that neither it nor the client caused. */
  tell(news: News): void {
    if (news.kind === 'loginEnded') this.#account = null
    this.#news.push(news)
    this.#channel.wake()
  }

  /** The certificate or the password counts no more; this is left of the identity. */
  loseIdentity(identity: ClientIdentity): void {
    this.#identity = identity
    this.#account = null
    this.tell({ kind: 'identityLost', identity, decision: this.#policy.judgeStanding(identity) })
  }

  /** From now on these hold: the session hears of them before anything else. */
  reload(rules: SessionRules): void {
    this.#reloaded = rules
    this.#policy.reload(rules)
  }

  /**
   * The deadline has passed. The client is told so; one that does not take even that, because it
   * never reads what we write, is cut off (S18).
   */
  timeOut(now: number): void {
    if (this.#timedOut) return this.#channel.close()
    this.#timedOut = true
    this.#deadline = now + GOODBYE_MILLISECONDS
    this.tell({ kind: 'idle' })
  }

  /** The handshake of a client that begins with TLS; before `run`. */
  async secureFirst(): ReturnType<ServerChannel['startTls']> {
    await this.#findTerms()
    return this.#channel.startTls(this.#terms.handshake)
  }

  /** Resolves when the connection is over. `identity` is not plaintext after implicit TLS. */
  async run(identity: ClientIdentity): Promise<void> {
    this.#identity = identity
    try {
      await this.#findTerms()
      const { features } = this.#terms
      await this.#converse({ kind: 'connected', address: this.#channel.remoteAddress, identity, features })
      await this.#flush()
    } finally {
      await this.#intake.drop()
      this.#channel.close()
      this.#observer.closed(this.id)
    }
  }

  async #findTerms(): Promise<void> {
    if (this.#terms !== USUAL_TERMS) return
    const terms = this.#policy.terms()
    this.#terms = terms instanceof Promise ? await terms : terms
    if (this.#terms !== USUAL_TERMS) this.#observer.onTerms(this.id, this.#channel.remoteAddress, this.#terms)
  }

  async #converse(connected: SessionInput): Promise<void> {
    const greeting = await this.#handle(connected)
    // Whoever speaks before the greeting is told by the session that this is no SMTP (S30).
    const early = greeting === 'over' ? null : await this.#channel.early(this.#terms.greetPauseMilliseconds ?? this.#settings.greetDelaySeconds * 1000)
    if (early !== null) await this.#handle({ kind: 'bytes', bytes: early })
    let outcome = greeting
    while (outcome !== 'over') {
      if (this.#doneInARow >= MOST_IN_A_ROW) await this.#standBack()
      const input: SessionInput | null = outcome ?? (await this.#nextInput())
      if (input === null) return
      outcome = await this.#handle(input)
    }
  }

  async #standBack(): Promise<void> {
    this.#doneInARow = 0
    await this.#channel.standBack()
  }

  /** One turn of the session. Answers with the fact that it waits for, if it waits for one. */
  async #handle(input: SessionInput): Promise<SessionInput | 'over' | null> {
    const rules = this.#reloaded
    this.#reloaded = null
    if (rules !== null && (await this.#handle({ kind: 'reloaded', rules })) === 'over') return 'over'
    let answer: SessionInput | null = null
    const outputs = this.#session.handle(input)
    this.#doneInARow += 1 + outputs.length
    // Of a message that will be refused nothing comes out, and yet the client is sending it.
    if (outputs.length > 0 || this.#session.isReceivingMessage) this.#progressedAt = this.#host.system.now()
    for (const output of outputs) {
      assert(answer === null, 'an output that waits for an answer comes last')
      this.#observer.happened(this.id, input, output)
      if (output.kind === 'close') return 'over'
      const excess = output.kind === 'reply' && isError(output.reply) ? this.#policy.erred() : null
      if (excess !== null) this.#news.push(excess)
      const done = this.#perform(output)
      const result = done instanceof Promise ? await done : done
      if (result === 'over') return 'over'
      answer = result
    }
    return answer
  }

  async #nextInput(): Promise<SessionInput | null> {
    await this.#flush()
    const news = this.#news.shift()
    if (news !== undefined) return news
    if (!this.#timedOut) this.#deadline = this.#nextDeadline()
    for (;;) {
      const waiting = this.#channel.read()
      const read = waiting instanceof Promise ? await waiting : waiting
      if (read === null) return null
      if (read !== 'woken') return { kind: 'bytes', bytes: read }
      const late = this.#news.shift()
      if (late !== undefined) return late
    }
  }

  /**
   * RFC 5321 §4.5.3.2. Counted from the last complete command or block of a message, not from the
   * last byte: a client that types one byte a minute is silent, too (S18).
   */
  #nextDeadline(): number {
    const silent = this.#progressedAt + this.#session.timeoutSeconds() * 1000
    const { openedAt } = this.#intake
    return openedAt === null ? silent : Math.min(silent, openedAt + this.#settings.limits.messageSeconds * 1000)
  }

  #perform(
    output: Exclude<SessionOutput, { kind: 'close' }>,
  ): SessionInput | null | 'over' | Promise<SessionInput | null | 'over'> {
    switch (output.kind) {
      case 'reply':
        this.#unsent += formatReply(output.reply)
        return this.#unsent.length < MOST_UNSENT ? null : this.#flush().then(() => null)
      case 'startTls':
        return this.#startTls()
      case 'speakFor':
        this.#identity = withoutCertificate(this.#identity)
        this.#account = null
        this.#policy.speakFor(output.host)
        return null
      case 'wakeQueue':
        return this.#host.wakeQueue(output.node).then(messages => ({ kind: 'queueWoken', messages }))
      case 'askPolicy':
        return this.#policy.ask(output.question)
      case 'askCredentials':
        return this.#askCredentials(output)
      case 'openMessage':
        return this.#intake.open(output, this.#policy.host, output.isKnown || this.#visit.mayRelay)
      case 'body':
        return this.#intake.write(output.bytes)
      case 'completeHeader':
        return this.#intake.completeHeader(output.completion)
      case 'commitMessage':
        return this.#intake.commit(output.waivesTls)
      case 'dropMessage':
        return this.#intake.drop()
      default:
        return unreachable(output)
    }
  }

  async #askCredentials({ question, asker }: Extract<SessionOutput, { kind: 'askCredentials' }>): Promise<SessionInput> {
    const client = { ...this.#policy.loginOf(asker), bindingOf: this.#channel.channelBinding.bind(this.#channel) }
    try {
      const answer = await this.#host.logins.answer(question, client)
      if (answer.kind === 'loggedIn') this.#account = answer.account
      return { kind: 'credentialsJudged', answer, id: client.id }
    } catch (error) {
      this.#observer.failed(this.id, 'login', error)
      this.#observer.loginFailed(client, question.attempt, 'unavailable')
      return { kind: 'credentialsJudged', answer: { kind: 'failed', problem: 'unavailable' }, id: client.id }
    }
  }

  async #flush(): Promise<void> {
    const text = this.#unsent
    this.#unsent = ''
    if (text !== '') await this.#channel.write(text)
  }

  async #startTls(): Promise<SessionInput | 'over'> {
    await this.#flush()
    const identity = await this.#channel.startTls(this.#terms.handshake)
    if (identity.kind === 'failed') {
      this.#visit.charge('errors', 1, this.#host.system.now())
      this.#observer.handshakeFailed(this.id, identity.failed)
      return 'over'
    }
    this.#identity = identity
    return { kind: 'tlsEstablished', identity }
  }
}

/** After so many turns and replies others have theirs: a client that sends ten thousand commands at once waits itself (S18). */
const MOST_IN_A_ROW = 64
/** Replies that wait to be sent: a packet of HELP is worth forty of replies, and its client may never read them (S18). */
const MOST_UNSENT = 64 * 1024

/** How long a client that has been silent too long may take to hear that. */
const GOODBYE_MILLISECONDS = 10_000
