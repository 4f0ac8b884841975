/**
 * Turns a message into the bytes that follow `354`: the counterpart of data-decoder.ts.
 *
 * RFC 5321 §4.5.2: a dot is put before a line that starts with one, and CRLF . CRLF ends the message.
 * §2.3.8: CR and LF appear only together, as CRLF. So that no next hop can be made to see an end of
 * message where there is none (S2), a CR or LF that stands alone leaves as a space. Not as a line
 * end: that could begin a header field which nobody has checked.
 *
 * The table is the specification. Nearly every chunk is whole lines without stray bytes and leading
 * dots; a fast path finds that out with `indexOf` and lets the chunk through as it is.
 */

/** Where the encoder stands, named by what it has just sent. A CR is kept until its LF is seen. */
type Position = 'lineStart' | 'text' | 'cr'

export class DataEncoder {
  #position: Position = 'lineStart'

  /** The next bytes of the message, as they are to be sent. May be the chunk itself. */
  encode(chunk: Uint8Array): Uint8Array {
    if (this.#position !== 'cr' && isReadyToSend(chunk, this.#position)) {
      if (chunk.length > 0) this.#position = chunk[chunk.length - 1] === LF ? 'lineStart' : 'text'
      return chunk
    }
    return this.#encodeByTable(chunk)
  }

  /** What follows the last byte of the message. A last line without CRLF gets one. */
  end(): string {
    switch (this.#position) {
      case 'lineStart':
        return '.\r\n'
      case 'text':
        return '\r\n.\r\n'
      case 'cr':
        return ' \r\n.\r\n'
    }
  }

  #encodeByTable(chunk: Uint8Array): Uint8Array {
    // Each byte becomes two at most, and a CR may be waiting from the chunk before.
    const sent = new Uint8Array(chunk.length * 2 + 1)
    let length = 0
    let position = this.#position
    for (const byte of chunk) {
      const column = byte === CR ? 0 : byte === LF ? 1 : byte === DOT ? 2 : 3
      const [bytes, next] = STEPS[position][column]
      for (const out of bytes) sent[length++] = out === SELF ? byte : out
      position = next
    }
    this.#position = position
    return sent.subarray(0, length)
  }
}

/** Whole lines or parts of lines, with nothing to add and nothing to replace. */
function isReadyToSend(chunk: Uint8Array, position: Position): boolean {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  if (position === 'lineStart' && bytes[0] === DOT) return false
  let from = 0
  for (;;) {
    const cr = bytes.indexOf(CR, from)
    const lf = bytes.indexOf(LF, from)
    if (cr === -1 && lf === -1) return true
    if (cr === -1 || lf !== cr + 1) return false
    if (bytes[lf + 1] === DOT) return false
    from = lf + 1
  }
}

const CR = 13
const LF = 10
const DOT = 46
const SPACE = 32
/** Stands for the byte itself. */
const SELF = -1

type Step = readonly [bytes: readonly number[], next: Position]

// prettier-ignore
const STEPS: Record<Position, readonly [cr: Step, lf: Step, dot: Step, other: Step]> = {
  //           CR                LF                      '.'                       other
  lineStart: [[[],      'cr'], [[SPACE],  'text'],      [[DOT, DOT],   'text'], [[SELF],        'text']],
  text:      [[[],      'cr'], [[SPACE],  'text'],      [[DOT],        'text'], [[SELF],        'text']],
  cr:        [[[SPACE], 'cr'], [[CR, LF], 'lineStart'], [[SPACE, DOT], 'text'], [[SPACE, SELF], 'text']],
}
