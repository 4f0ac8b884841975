/**
 * A message between `354` and the line with only a dot: what of it to store, and whether it may be
 * accepted once all of it is here.
 *
 * A message that will be refused is still read to its end, because only there does the client listen
 * for an answer (RFC 5321 §4.2.5); nothing more of it is stored. What the answer is depends on the
 * whole message and never on how packets cut it.
 */

import { HeaderSection, type HeaderTreatment, type MessagePart } from '../message/header-section.ts'
import { DataDecoder } from './data-decoder.ts'
import { replies, type Reply } from './reply.ts'
import type { SessionLimits } from './session-events.ts'

/** How many times the largest message a client may go on sending before it is cut off. */
const PATIENCE = 4

export class IncomingMessage {
  readonly #limits: SessionLimits
  readonly #decoder = new DataDecoder()
  readonly #header: HeaderSection
  #sizeBytes = 0
  #readOctets = 0

  constructor(limits: SessionLimits, treatment: HeaderTreatment) {
    this.#limits = limits
    this.#header = new HeaderSection(treatment)
  }

  get ended(): boolean {
    return this.#decoder.ended
  }

  /** No honest client goes on for so long after the size it was told. */
  get isEndless(): boolean {
    return this.#readOctets > PATIENCE * this.#limits.messageBytes
  }

  /** Its line ends are not what they should be: what follows may be a second message in disguise (S1). */
  get isSuspicious(): boolean {
    return this.#decoder.fault !== null
  }

  /** Takes the next octets. Answers with how many it read, and with what is to be stored by now. */
  read(bytes: Buffer): { readonly read: number; readonly store: readonly MessagePart[] } {
    const { text, read } = this.#decoder.decode(bytes)
    this.#sizeBytes += text.length
    this.#readOctets += read
    const parts = this.#header.take(text)
    if (this.refusal() === null) return { read, store: this.ended ? [...parts, ...this.#header.finish()] : parts }
    this.#header.forget()
    return { read, store: [] }
  }

  /** Why the message cannot be accepted as far as it has been read; null if it can. */
  refusal(): Reply | null {
    const { messageBytes, headerBytes, headerFields, receivedFields } = this.#limits
    if (this.#decoder.fault === 'bareLineEnd') return replies.bareLineEndInMessage
    if (this.#decoder.fault === 'nul') return replies.nulInMessage
    if (this.#sizeBytes > messageBytes) return replies.messageTooBig(messageBytes)
    const { scanner } = this.#header
    if (scanner.sizeBytes > headerBytes) return replies.headerTooBig(headerBytes)
    if (scanner.fields > headerFields) return replies.tooManyFields(headerFields)
    if (scanner.receivedFields > receivedFields) return replies.mailLoop
    return null
  }
}
