/**
 * Finds out whether a message really needs 8BITMIME, SMTPUTF8 or BINARYMIME (RFC 6152, RFC 6531,
 * RFC 3030 §3): a client that declared them may have sent plain ASCII, which any server takes.
 */

import { LineEndCheck } from './line-end-check.ts'

export type BodyTraits = {
  /** Bytes above 127 in the header section, and in the body. */
  readonly header: boolean
  readonly body: boolean
  /** It is not lines of text, so that DATA would change it. */
  readonly isBinary: boolean
}

export class EightBitFinder {
  #header = false
  #body = false
  /** How much of CRLF CRLF has just been read; 2 at the start, where an empty line is an empty header. */
  #matched = 2
  #inBody = false
  readonly #lineEnds = new LineEndCheck()
  #last = 10

  feed(chunk: Uint8Array): void {
    this.#lineEnds.check(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    this.#last = chunk.at(-1) ?? this.#last
    for (const byte of chunk) {
      if (byte >= 0x80) {
        if (this.#inBody) this.#body = true
        else this.#header = true
      }
      if (!this.#inBody) this.#seek(byte)
    }
  }

  /** What there was in the whole message. */
  found(): BodyTraits {
    this.#lineEnds.end()
    return { header: this.#header, body: this.#body, isBinary: this.#lineEnds.fault !== null || this.#last !== 10 }
  }

  #seek(byte: number): void {
    if (byte === END_OF_HEADER[this.#matched]) this.#matched++
    else this.#matched = byte === 13 ? 1 : 0
    this.#inBody = this.#matched === END_OF_HEADER.length
  }
}

const END_OF_HEADER = [13, 10, 13, 10]
