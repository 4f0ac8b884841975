/**
 * Reads a message that comes by BDAT (RFC 3030 §2): so many octets as were announced, chunk after
 * chunk, and the last one says that it is.
 *
 * Where a chunk ends is known before it begins, so that nothing within it can be taken for its end or
 * for a command. What the octets must be is another question, and line-end-check.ts's.
 */

import { assert } from '../result.ts'
import type { DecodedData } from './data-decoder.ts'

/** What BDAT announces. */
export type Chunk = { readonly sizeOctets: number; readonly isLast: boolean }

export class ChunkReader {
  #chunk: Chunk = { sizeOctets: 0, isLast: false }
  #missing = 0

  /** The chunk that is being read, or was read last. */
  get chunk(): Chunk {
    return this.#chunk
  }

  /** All octets of the chunk are here. */
  get atChunkEnd(): boolean {
    return this.#missing === 0
  }

  /** All octets of the last chunk are here. */
  get ended(): boolean {
    return this.#chunk.isLast && this.atChunkEnd
  }

  begin(chunk: Chunk): void {
    assert(this.atChunkEnd && !this.ended, 'a chunk begins where another has ended, and none after the last')
    this.#chunk = chunk
    this.#missing = chunk.sizeOctets
  }

  /** What of the bytes belongs to the chunk: a view of them. */
  decode(bytes: Buffer): DecodedData {
    const text = bytes.length <= this.#missing ? bytes : bytes.subarray(0, this.#missing)
    this.#missing -= text.length
    return { text, read: text.length }
  }
}
