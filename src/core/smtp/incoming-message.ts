/**
 * A message on its way in, by DATA or by BDAT: what of it to store, and whether it may be accepted
 * once all of it is here.
 *
 * A message that will be refused is still read to the end of its text or chunk, because only there
 * does the client listen for an answer (RFC 5321 §4.2.5, RFC 3030 §2); nothing more of it is stored.
 * What the answer is depends on the whole message and never on how packets cut it.
 */

import { HeaderSection, type HeaderTreatment, type MessagePart } from '../message/header-section.ts'
import type { Authors } from '../policy/decision.ts'
import type { ChunkReader } from './chunk-reader.ts'
import { DataDecoder, type DataFault } from './data-decoder.ts'
import { LineEndCheck } from './line-end-check.ts'
import { replies, type Reply } from './reply.ts'
import type { SessionLimits } from './session-events.ts'

/** How many times the largest message a client may go on sending before it is cut off. */
const PATIENCE = 4

/** Octets that nobody wants are read up to here, so that the client hears why; beyond, it is cut off. */
export function mostOctets(limits: SessionLimits): number {
  return PATIENCE * limits.messageBytes
}

export class IncomingMessage {
  readonly #limits: SessionLimits
  readonly #decoder: DataDecoder | ChunkReader
  readonly #isBinary: boolean
  readonly #header: HeaderSection
  readonly #lineEnds = new LineEndCheck()
  #sizeBytes = 0
  #readOctets = 0

  /** `isBinary`: BODY=BINARYMIME was given, and the body may hold any octets (RFC 3030 §3). */
  constructor(limits: SessionLimits, treatment: HeaderTreatment, decoder: DataDecoder | ChunkReader = new DataDecoder(), isBinary = false) {
    this.#limits = limits
    this.#header = new HeaderSection(treatment)
    this.#decoder = decoder
    this.#isBinary = isBinary
  }

  get ended(): boolean {
    return this.#decoder.ended
  }

  /** No honest client goes on for so long after the size it was told. */
  get isEndless(): boolean {
    return this.wouldBeEndless(0)
  }

  /** The same, with so many octets that have been announced. */
  wouldBeEndless(moreOctets: number): boolean {
    return this.#readOctets + moreOctets > mostOctets(this.#limits)
  }

  /** Its line ends are not what they should be: what follows may be a second message in disguise (S1). */
  get isSuspicious(): boolean {
    return this.#fault !== null
  }

  /** Its header says that TLS need not be insisted on (RFC 8689 §3). */
  get waivesTls(): boolean {
    return this.#header.waivesTls
  }

  /** Whom its header names; null if nobody wants to know. */
  get authors(): Authors | null {
    return this.#header.authors
  }

  /** Takes the next octets. Answers with how many it read, and with what is to be stored by now. */
  read(bytes: Buffer): { readonly read: number; readonly store: readonly MessagePart[] } {
    const { text, read } = this.#decoder.decode(bytes)
    this.#sizeBytes += text.length
    this.#readOctets += read
    const headerBefore = this.#header.scanner.sizeBytes
    const parts = this.#header.take(text)
    if (!(this.#decoder instanceof DataDecoder)) this.#checkLineEnds(text, this.#header.scanner.sizeBytes - headerBefore)
    if (this.refusal() === null) return { read, store: this.ended ? [...parts, ...this.#header.finish()] : parts }
    this.#header.forget()
    return { read, store: [] }
  }

  /** Why the message cannot be accepted as far as it has been read; null if it can. */
  refusal(): Reply | null {
    const { messageBytes, headerBytes, headerFields, receivedFields } = this.#limits
    if (this.#fault === 'bareLineEnd') return replies.bareLineEndInMessage
    if (this.#fault === 'nul') return replies.nulInMessage
    if (this.#sizeBytes > messageBytes) return replies.messageTooBig(messageBytes)
    const { scanner } = this.#header
    if (scanner.sizeBytes > headerBytes) return replies.headerTooBig(headerBytes)
    if (scanner.fields > headerFields) return replies.tooManyFields(headerFields)
    if (scanner.receivedFields > receivedFields) return replies.mailLoop
    return null
  }

  get #fault(): DataFault | null {
    return this.#decoder instanceof DataDecoder ? this.#decoder.fault : this.#lineEnds.fault
  }

  /** RFC 3030 §3 frees the body from lines; the header section stays what RFC 5322 §2.2 says. */
  #checkLineEnds(text: Buffer, headerOctets: number): void {
    this.#lineEnds.check(this.#isBinary ? text.subarray(0, headerOctets) : text)
    if (this.ended && !(this.#isBinary && this.#header.scanner.ended)) this.#lineEnds.end()
  }
}
