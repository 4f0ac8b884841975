/**
 * A mail transaction (RFC 5321 §3.3): what MAIL began and each RCPT adds to, up to DATA or BDAT.
 */

import type { Envelope, EnvelopeRecipient } from '../message/envelope.ts'
import type { Decision } from '../policy/decision.ts'
import type { MailParameters } from './parameters.ts'
import type { Reply } from './reply.ts'
import type { MessageFate } from './session-events.ts'

export class MailTransaction {
  readonly reversePath: string
  /** Not the priority that was asked for. */
  readonly hasOtherPriority: boolean
  readonly #parameters: MailParameters
  /** By address. */
  readonly #recipients = new Map<string, EnvelopeRecipient>()
  #recipientsTaken = 0
  #fate: MessageFate
  #relays = false
  #identityLost: Reply | null = null
  #refusedForRoom = 0

  constructor(reversePath: string, parameters: MailParameters, fate: MessageFate, hasOtherPriority = false) {
    this.hasOtherPriority = hasOtherPriority
    this.reversePath = reversePath
    this.#parameters = parameters
    this.#fate = fate
  }

  /** How many times RCPT was accepted. */
  get recipients(): number {
    return this.#recipientsTaken
  }

  /** What becomes of the message, by all that has been decided about it so far. */
  get fate(): MessageFate {
    return this.#fate
  }

  get priority(): number {
    return this.#parameters.priority
  }

  get requiresTls(): boolean {
    return this.#parameters.tls === 'required'
  }

  get utf8(): boolean {
    return this.#parameters.utf8
  }

  /** The body may hold any octets (RFC 3030 §3). */
  get isBinary(): boolean {
    return this.#parameters.bodyType === 'BINARYMIME'
  }

  /** Some of its recipients were accepted because of who sends it. */
  get relays(): boolean {
    return this.#relays
  }

  /** The refusal of all that follows, if part of it was accepted on the strength of an identity that no longer counts. */
  get identityLost(): Reply | null {
    return this.#identityLost
  }

  loseIdentity(refusal: Reply): void {
    this.#identityLost = refusal
  }

  /** An address that comes again is one recipient nonetheless, on the terms it came with first. */
  add(recipient: EnvelopeRecipient): void {
    this.#recipientsTaken++
    if (!this.#recipients.has(recipient.forwardPath)) this.#recipients.set(recipient.forwardPath, recipient)
  }

  takeInto(decision: Decision): void {
    this.#fate = worseFate(this.#fate, fateOf(decision))
    this.#relays ||= decision.relay
  }

  /** Counts a recipient for whom there was no room. */
  refuseForRoom(): number {
    return ++this.#refusedForRoom
  }

  envelope(): Envelope {
    const { sizeBytes, ...asked } = this.#parameters
    return {
      reversePath: this.reversePath,
      recipients: [...this.#recipients.values()],
      declaredSizeBytes: sizeBytes,
      ...asked,
    }
  }
}

export const QUEUED: MessageFate = { kind: 'queue' }

export function fateOf(decision: Decision): MessageFate {
  switch (decision.verdict) {
    case 'discard':
      return { kind: 'discard' }
    case 'quarantine':
      return { kind: 'hold', because: decision.holdReason ?? '' }
    case 'accept':
    case 'refuse':
      return QUEUED
  }
}

/** A message is dropped if anything says so, else held if anything says so; the first reason is kept. */
export function worseFate(one: MessageFate, other: MessageFate): MessageFate {
  if (one.kind === 'discard' || other.kind === 'queue') return one
  return other.kind === 'discard' || one.kind === 'queue' ? other : one
}
