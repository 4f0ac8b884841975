/**
 * A message on its way from the session into the spool.
 *
 * RFC 5321 §6.1: the 250 takes responsibility for the message. So this is the only place that says
 * `stored`, and it says so when the message is on stable storage.
 */

import { formatCompletion, type Completion } from '../core/message/completion.ts'
import type { Envelope, QueuedMessage } from '../core/message/envelope.ts'
import { newMessage } from '../core/message/new-message.ts'
import { formatReceived } from '../core/message/trace.ts'
import type { Asker, Decision } from '../core/policy/decision.ts'
import { assert } from '../core/result.ts'
import type { MessageFate, SessionInput, SessionOutput } from '../core/smtp/session-events.ts'
import type { Visit } from './limiter.ts'
import { originOf } from './message-origin.ts'
import { SpoolFull, type Draft, type NewMessage, type System } from './ports.ts'
import type { Withdrawal } from './withdrawal.ts'

export type IntakeHost = {
  readonly system: System
  /** Makes the message durable and sees to its delivery. */
  accept(message: NewMessage): Promise<void>
  openDraft(): Draft
  /** What the client has proved itself with may count no more. */
  readonly whyWithdrawn: Withdrawal
}

export type IntakeObserver = {
  accepted(sessionId: string, message: QueuedMessage): void
  failed(sessionId: string, what: string, error: unknown): void
}

type OpenMessage = {
  readonly id: string
  readonly draft: Draft
  readonly envelope: Envelope
  readonly asker: Asker
  readonly fate: MessageFate
  readonly isKnown: boolean
  readonly openedAt: number
}

/** The session that the messages come from. */
type IntakeParts = {
  readonly sessionId: string
  readonly hostname: string
  readonly visit: Pick<Visit, 'charge'>
  /** Why the client may send nothing more. */
  judgeStanding(): Decision
}

/** For the messages of one session, one after the other. */
export class MessageIntake {
  readonly #parts: IntakeParts
  readonly #host: IntakeHost
  readonly #observer: IntakeObserver
  #message: OpenMessage | null = null
  #draftFailed: unknown = null

  constructor(parts: IntakeParts, host: IntakeHost, observer: IntakeObserver) {
    this.#parts = parts
    this.#host = host
    this.#observer = observer
  }

  /** When the open message was opened; null if none is. */
  get openedAt(): number | null {
    return this.#message?.openedAt ?? null
  }

  /** `clientHost`: with the name that has been found meanwhile. */
  open(opened: Extract<SessionOutput, { kind: 'openMessage' }>, clientHost: Asker['host'], isKnown: boolean): Promise<null> | null {
    const { envelope, asker, protocol, delivery: fate } = opened
    const id = this.#host.system.newId()
    const draft = this.#host.openDraft()
    const openedAt = this.#host.system.now()
    this.#message = { id, draft, envelope, asker, fate, isKnown, openedAt }
    this.#draftFailed = null
    const received = formatReceived({
      asker: { ...asker, host: clientHost },
      hostname: this.#parts.hostname,
      id,
      protocol,
      forPath: envelope.recipients.length === 1 ? (envelope.recipients[0]?.forwardPath ?? null) : null,
      at: openedAt,
    })
    return this.write(Buffer.from(received, 'utf8'))
  }

  completeHeader(completion: Completion): Promise<null> | null {
    assert(this.#message !== null, 'a message is open')
    const { id, openedAt } = this.#message
    return this.write(Buffer.from(formatCompletion(completion, { at: openedAt, id, hostname: this.#parts.hostname }), 'utf8'))
  }

  /** After a failed write the rest of the message is read and thrown away; the reply comes at its end. */
  write(bytes: Uint8Array): Promise<null> | null {
    assert(this.#message !== null, 'a message is open')
    // Also what never becomes a message has kept us busy.
    this.#parts.visit.charge('bytes', bytes.length, this.#host.system.now())
    if (this.#draftFailed !== null || this.#message.fate.kind === 'discard') return null
    try {
      const written = this.#message.draft.write(bytes)
      return written instanceof Promise ? written.then(() => null, error => this.#noteDraftFailure(error)) : null
    } catch (error) {
      return this.#noteDraftFailure(error)
    }
  }

  async commit(waivesTls: boolean): Promise<SessionInput> {
    assert(this.#message !== null, 'a message is open')
    const { id, draft, fate } = this.#message
    if (fate.kind === 'discard') {
      await this.drop()
      return { kind: 'stored', id }
    }
    try {
      if (this.#draftFailed !== null) throw this.#draftFailed
      const message = this.#queued(this.#message, waivesTls)
      // The session may not have heard of it yet: a client that sends on and on keeps it busy.
      if (this.#host.whyWithdrawn(message) !== null) {
        await this.drop()
        return { kind: 'withdrawn', decision: this.#parts.judgeStanding() }
      }
      await this.#host.accept({ message, draft })
      this.#message = null
      this.#observer.accepted(this.#parts.sessionId, message)
      return { kind: 'stored', id }
    } catch (error) {
      this.#observer.failed(this.#parts.sessionId, 'spool', error)
      await this.drop()
      return { kind: 'storageFailed', why: error instanceof SpoolFull ? 'full' : 'failed' }
    }
  }

  async drop(): Promise<null> {
    const message = this.#message
    this.#message = null
    await message?.draft.drop()
    return null
  }

  #noteDraftFailure(error: unknown): null {
    this.#draftFailed = error
    return null
  }

  #queued({ id, draft, envelope, asker, fate, isKnown }: OpenMessage, waivesTls: boolean): QueuedMessage {
    return newMessage({
      id,
      // RFC 8689 §4.1: the field is for those who said nothing in MAIL.
      envelope: { ...envelope, tls: envelope.tls ?? (waivesTls ? 'waived' : null) },
      origin: originOf(this.#parts.sessionId, asker, isKnown),
      acceptedAt: this.#host.system.now(),
      sizeBytes: draft.sizeBytes,
      heldBecause: fate.kind === 'hold' ? fate.because : null,
    })
  }
}
