/**
 * Makes a message ready to follow `BDAT n LAST` (RFC 3030 §2): exactly the octets that were announced.
 *
 * Binary octets leave as they are. Text leaves with CR and LF only together: the next server may pass
 * it on by DATA, where one that stands alone could be taken for the end of a line (S2). It leaves as a
 * space, as in data-encoder.ts, so that the length stays what it was.
 */

import { LineEndCheck } from './line-end-check.ts'

export class ChunkEncoder {
  readonly #isBinary: boolean
  #octetsLeft: number
  /** A CR is kept until its LF is seen. */
  #heldCr = false

  constructor(sizeOctets: number, isBinary: boolean) {
    this.#octetsLeft = sizeOctets
    this.#isBinary = isBinary
  }

  /** The next bytes of the message, as they are to be sent. May be the chunk itself. */
  encode(chunk: Uint8Array): Uint8Array {
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    return this.#counted(this.#isBinary ? octets : this.#asText(octets))
  }

  /** What follows the last byte of the message. */
  end(): string {
    const last = this.#heldCr ? ' ' : ''
    this.#counted(Buffer.from(last))
    if (this.#octetsLeft !== 0) throw new Error(`${this.#octetsLeft} octets are missing`)
    return last
  }

  /** More octets than announced would be commands to the server, and fewer would make it wait. */
  #counted(octets: Buffer): Buffer {
    this.#octetsLeft -= octets.length
    if (this.#octetsLeft < 0) throw new Error('there are more octets than its length says')
    return octets
  }

  #asText(octets: Buffer): Buffer {
    const held = this.#heldCr
    const text = held ? Buffer.concat([CR, octets]) : octets
    this.#heldCr = text.at(-1) === CR[0]
    const ready = this.#heldCr ? text.subarray(0, -1) : text
    const check = new LineEndCheck()
    check.check(ready)
    check.end()
    return check.fault === 'bareLineEnd' ? Buffer.from(ready.toString('latin1').replaceAll(BARE_LINE_ENDS, ' '), 'latin1') : ready
  }
}

const CR = Buffer.from('\r')
const BARE_LINE_ENDS = /\r(?!\n)|(?<!\r)\n/g
