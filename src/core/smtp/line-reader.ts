/**
 * Keeps the bytes that have arrived and gives them out as command lines, or as they are.
 *
 * RFC 5321 §2.3.8: only CRLF ends a line. A CR or LF alone is a fault and never an end, because two
 * programs that disagree about line ends disagree about who said what.
 *
 * A limit is counted on the line, wherever packets cut it: what is kept of a line that has no end
 * yet is never more than the limit.
 */

export type Line =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'tooLong' }
  | { readonly kind: 'bareLineEnd' }

export class LineReader {
  #bytes: Buffer = NOTHING
  /** Where the unread bytes begin. */
  #at = 0
  /** Reading over the rest of a line that is too long already. */
  #skipping = false

  push(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#bytes = this.hasUnread ? Buffer.concat([this.unread, chunk]) : chunk
    this.#at = 0
  }

  get hasUnread(): boolean {
    return this.#at < this.#bytes.length
  }

  /** All that has not been read. A view: it is good until the next `push`. */
  get unread(): Buffer {
    return this.#at === 0 ? this.#bytes : this.#bytes.subarray(this.#at)
  }

  /** Reads over so many unread bytes. */
  skip(count: number): void {
    this.#at += count
  }

  /**
   * The next line without its CRLF, octet by octet (latin1), or null while its end has not come.
   * With CRLF it has at most `limitBytes` octets.
   */
  readLine(limitBytes: number): Line | null {
    const start = this.#at
    const cr = this.#bytes.indexOf(CR, start)
    const lf = this.#bytes.indexOf(LF, start)
    // A CR that is the last byte so far may still get its LF.
    if (lf === -1 && (cr === -1 || cr === this.#bytes.length - 1)) return this.#wait(limitBytes)
    if (cr === -1 || lf !== cr + 1) return { kind: 'bareLineEnd' }
    this.#at = lf + 1
    if (this.#skipping || this.#at - start > limitBytes) {
      this.#skipping = false
      return { kind: 'tooLong' }
    }
    return { kind: 'line', text: this.#bytes.toString('latin1', start, cr) }
  }

  /** A line that can only become too long is not kept, but for a CR that may end it. */
  #wait(limitBytes: number): null {
    if (this.#skipping || this.#bytes.length - this.#at >= limitBytes) {
      this.#skipping = true
      this.#at = this.#bytes.at(-1) === CR ? this.#bytes.length - 1 : this.#bytes.length
    }
    return null
  }
}

const CR = 13
const LF = 10
const NOTHING = Buffer.alloc(0)
