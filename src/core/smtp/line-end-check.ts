/**
 * Finds what must not be in text: a CR or LF that is not part of a CRLF (RFC 5321 §2.3.8), and NUL
 * (RFC 2045 §2.7-8).
 *
 * A message that comes by BDAT needs no line ends to be told from commands, but it may leave by DATA,
 * where the next server could be made to see an end in one (S1, S2). So text has to be text however it
 * comes. data-decoder.ts sees to that as it looks for the end; this is for octets that were counted.
 */

import type { DataFault } from './data-decoder.ts'

export class LineEndCheck {
  #fault: DataFault | null = null
  /** The last octet was a CR, and its LF may be the next one. */
  #afterCr = false

  get fault(): DataFault | null {
    return this.#fault
  }

  /** The next octets, wherever they were cut. */
  check(octets: Buffer): void {
    if (this.#fault === 'bareLineEnd' || octets.length === 0) return
    if (octets.includes(0)) this.#fault = 'nul'
    if (this.#hasBareLineEnd(octets.toString('latin1'))) this.#fault = 'bareLineEnd'
  }

  /** There are no more octets. */
  end(): void {
    if (this.#afterCr) this.#fault = 'bareLineEnd'
  }

  #hasBareLineEnd(text: string): boolean {
    let at = 0
    if (this.#afterCr) {
      this.#afterCr = false
      if (text[0] !== '\n') return true
      at = 1
    }
    for (;;) {
      const cr = text.indexOf('\r', at)
      const lf = text.indexOf('\n', at)
      if (cr === -1 && lf === -1) return false
      if (lf === -1 && cr === text.length - 1) {
        this.#afterCr = true
        return false
      }
      if (cr === -1 || lf !== cr + 1) return true
      at = lf + 1
    }
  }
}
