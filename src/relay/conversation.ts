/**
 * Runs one server session over one channel. All the waiting of the receiving side is in this class.
 *
 * It turns the session's intentions into effects, and effects into facts; it decides nothing.
 * Back-pressure needs no code: the next bytes are read when the last output is done.
 */

import { assert, unreachable } from '../core/result.ts'
import { formatCompletion, type Completion } from '../core/message/completion.ts'
import type { Envelope, QueuedMessage } from '../core/message/envelope.ts'
import { newMessage } from '../core/message/new-message.ts'
import { formatReceived } from '../core/message/trace.ts'
import { withoutCertificate, type Account, type ClientIdentity } from '../core/names/identity.ts'
import type { Asker } from '../core/policy/decision.ts'
import { USUAL_TERMS } from '../core/policy/session-terms.ts'
import type { SessionTerms } from '../core/policy/session-terms.ts'
import type { EtrnNode } from '../core/smtp/etrn.ts'
import { formatReply } from '../core/smtp/reply.ts'
import { ServerSession } from '../core/smtp/server-session.ts'
import type { MessageFate, SessionInput, SessionOutput, SessionSettings } from '../core/smtp/session-events.ts'
import type { Visit } from './limiter.ts'
import type { LoginDesk, LoginObserver } from './login-desk.ts'
import { originOf } from './message-origin.ts'
import type { Withdrawal } from './withdrawal.ts'
import { PolicyAsker } from './policy-asker.ts'
import type { PolicyHost, PolicyObserver } from './policy-asker.ts'
import { SpoolFull, type Draft, type NewMessage, type ServerChannel } from './ports.ts'
import { isError } from './visit-charges.ts'

/** What a conversation is a guest of: one worker's policy, spool and journal. */
export type ConversationHost = PolicyHost & {
  /** Makes the message durable and sees to its delivery. */
  accept(message: NewMessage): Promise<void>
  openDraft(): Draft
  /** What the client has proved itself with may count no more. */
  readonly whyWithdrawn: Withdrawal
  /** Looks at passwords. */
  readonly logins: Pick<LoginDesk, 'answer'>
  /** Makes what waits for these recipients due now, at every worker: of how many messages, or null if that failed. */
  wakeQueue(node: EtrnNode): Promise<number | null>
}

/** Sees everything that happens in a session, and never changes it. */
export type ConversationObserver = PolicyObserver & Pick<LoginObserver, 'loginFailed'> & {
  handshakeFailed(sessionId: string, why: string): void
  happened(sessionId: string, input: SessionInput, output: SessionOutput): void
  /** The access map has terms of its own for this client. */
  onTerms(sessionId: string, address: string, terms: SessionTerms): void
  accepted(sessionId: string, message: QueuedMessage): void
  closed(sessionId: string): void
}

/** News from outside that waits for the session's next turn. */
type News = Extract<SessionInput, { kind: 'idle' | 'shutDown' | 'identityLost' | 'loginEnded' | 'overLimit' }>

type OpenMessage = {
  readonly id: string
  readonly draft: Draft
  readonly envelope: Envelope
  readonly asker: Asker
  readonly fate: MessageFate
  readonly isKnown: boolean
  readonly openedAt: number
}

export class Conversation {
  readonly id: string
  readonly #host: ConversationHost
  readonly #observer: ConversationObserver
  readonly #channel: ServerChannel
  readonly #visit: Visit
  readonly #session: ServerSession
  readonly #policy: PolicyAsker
  readonly #settings: SessionSettings
  readonly #news: News[] = []
  #identity: ClientIdentity = { kind: 'plaintext' }
  #terms: SessionTerms = USUAL_TERMS
  #account: Account | null = null
  #message: OpenMessage | null = null
  #draftFailed: unknown = null
  #unsent = ''
  #progressedAt: number
  #deadline: number
  #timedOut = false
  #doneInARow = 0

  constructor(host: ConversationHost, observer: ConversationObserver, channel: ServerChannel, visit: Visit, settings: SessionSettings) {
    this.id = host.system.newId()
    this.#host = host
    this.#observer = observer
    this.#channel = channel
    this.#visit = visit
    this.#settings = settings
    this.#session = new ServerSession(settings)
    this.#progressedAt = host.system.now()
    this.#deadline = this.#nextDeadline()
    this.#policy = new PolicyAsker(host, observer, this.id, channel.remoteAddress, visit, settings)
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
      await this.#dropMessage()
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
    return this.#message === null ? silent : Math.min(silent, this.#message.openedAt + this.#settings.limits.messageSeconds * 1000)
  }

  #perform(
    output: Exclude<SessionOutput, { kind: 'close' }>,
  ): SessionInput | null | 'over' | Promise<SessionInput | null | 'over'> {
    switch (output.kind) {
      case 'reply':
        this.#unsent += formatReply(output.reply)
        return null
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
        return this.#openMessage(output)
      case 'body':
        return this.#writeBody(output.bytes)
      case 'completeHeader':
        return this.#completeHeader(output.completion)
      case 'commitMessage':
        return this.#commitMessage(output.waivesTls)
      case 'dropMessage':
        return this.#dropMessage()
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
    if (this.#unsent === '') return
    const text = this.#unsent
    this.#unsent = ''
    const written = this.#channel.write(text)
    if (written instanceof Promise) await written
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

  #openMessage(opened: Extract<SessionOutput, { kind: 'openMessage' }>): Promise<null> | null {
    const { envelope, asker, protocol, delivery: fate } = opened
    const isKnown = opened.isKnown || this.#visit.mayRelay
    const id = this.#host.system.newId()
    const draft = this.#host.openDraft()
    const openedAt = this.#host.system.now()
    this.#message = { id, draft, envelope, asker, fate, isKnown, openedAt }
    this.#draftFailed = null
    const received = formatReceived({
      asker: { ...asker, host: this.#policy.host },
      hostname: this.#settings.hostname,
      id,
      protocol,
      forPath: envelope.recipients.length === 1 ? (envelope.recipients[0]?.forwardPath ?? null) : null,
      at: openedAt,
    })
    return this.#writeBody(Buffer.from(received, 'utf8'))
  }

  #completeHeader(completion: Completion): Promise<null> | null {
    assert(this.#message !== null, 'a message is open')
    const { id, openedAt } = this.#message
    const { hostname } = this.#settings
    return this.#writeBody(Buffer.from(formatCompletion(completion, { at: openedAt, id, hostname }), 'utf8'))
  }

  /** After a failed write the rest of the message is read and thrown away; the reply comes at its end. */
  #writeBody(bytes: Uint8Array): Promise<null> | null {
    assert(this.#message !== null, 'a message is open')
    // Also what never becomes a message has kept us busy.
    this.#visit.charge('bytes', bytes.length, this.#host.system.now())
    if (this.#draftFailed !== null || this.#message.fate.kind === 'discard') return null
    try {
      const written = this.#message.draft.write(bytes)
      return written instanceof Promise ? written.then(() => null, error => this.#noteDraftFailure(error)) : null
    } catch (error) {
      return this.#noteDraftFailure(error)
    }
  }

  #noteDraftFailure(error: unknown): null {
    this.#draftFailed = error
    return null
  }

  /**
   * RFC 5321 §6.1: the 250 that follows takes responsibility for the message, so the answer to the
   * session is given only when the message is on stable storage.
   */
  async #commitMessage(waivesTls: boolean): Promise<SessionInput> {
    assert(this.#message !== null, 'a message is open')
    const { id, draft, fate } = this.#message
    if (fate.kind === 'discard') {
      await this.#dropMessage()
      return { kind: 'stored', id }
    }
    try {
      if (this.#draftFailed !== null) throw this.#draftFailed
      const message = this.#queued(this.#message, waivesTls)
      // The session may not have heard of it yet: a client that sends on and on keeps it busy.
      if (this.#host.whyWithdrawn(message) !== null) {
        await this.#dropMessage()
        return { kind: 'withdrawn', decision: this.#policy.judgeStanding(this.#identity) }
      }
      await this.#host.accept({ message, draft })
      this.#message = null
      this.#observer.accepted(this.id, message)
      return { kind: 'stored', id }
    } catch (error) {
      this.#observer.failed(this.id, 'spool', error)
      await this.#dropMessage()
      return { kind: 'storageFailed', why: error instanceof SpoolFull ? 'full' : 'failed' }
    }
  }

  #queued({ id, draft, envelope, asker, fate, isKnown }: OpenMessage, waivesTls: boolean): QueuedMessage {
    return newMessage({
      id,
      // RFC 8689 §4.1: the field is for those who said nothing in MAIL.
      envelope: { ...envelope, tls: envelope.tls ?? (waivesTls ? 'waived' : null) },
      origin: originOf(this.id, asker, isKnown),
      acceptedAt: this.#host.system.now(),
      sizeBytes: draft.sizeBytes,
      heldBecause: fate.kind === 'hold' ? fate.because : null,
    })
  }

  async #dropMessage(): Promise<null> {
    const message = this.#message
    this.#message = null
    await message?.draft.drop()
    return null
  }
}

/** After so many turns and replies others have theirs: a client that sends ten thousand commands at once waits itself (S18). */
const MOST_IN_A_ROW = 64

/** How long a client that has been silent too long may take to hear that. */
const GOODBYE_MILLISECONDS = 10_000
