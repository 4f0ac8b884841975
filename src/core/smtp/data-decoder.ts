/**
 * Turns the bytes after `354` back into the message they carry.
 *
 * Two rules of RFC 5321 meet here. §4.5.2 (transparency): a line that starts with a dot has that dot
 * removed, and a line that holds only a dot ends the message. §2.3.8 (lines): CR and LF appear only
 * together, as CRLF.
 *
 * The second rule is a security rule. A server that lets a bare LF end a line can be made to see the
 * end of a message where the sender's server saw text, and to take what follows as commands ("SMTP
 * smuggling", S1). So a bare CR or LF never ends anything here: the message is read to its real end
 * and then refused. So is one with a NUL: RFC 2045 §2.7-8 has none in text, and a program after us
 * that drops it may find a line with only a dot where we saw another.
 *
 * Text lines may be of any length. RFC 5321 §4.5.3.1.6 asks for 1,000 octets at least, and real
 * senders exceed them; no line is held in memory here, and the limit that counts is the message's.
 */

/** What was in a message that must not be. */
export type DataFault = 'bareLineEnd' | 'nul'

export type DecodedData = {
  /** What the bytes held of the message: a view of them, or a copy if dots were taken out. */
  readonly text: Buffer
  /** How many of the bytes were read: all, unless the message ended before. */
  readonly read: number
}

export class DataDecoder {
  #position: Position = 'lineStart'
  #fault: DataFault | null = null

  /** The line with only a dot has been read. */
  get ended(): boolean {
    return this.#position === 'end'
  }

  get fault(): DataFault | null {
    return this.#fault
  }

  decode(bytes: Buffer): DecodedData {
    const latin1 = bytes.toString('latin1')
    const runs: Buffer[] = []
    let runStart = 0
    let at = 0
    while (at < bytes.length && this.#position !== 'end') {
      if (this.#fault === null) at = this.#readOverLines(latin1, at)
      if (at === bytes.length) break
      const step = nextStep(this.#position, bytes[at] ?? 0)
      this.#position = step.to
      if (step.bare) this.#fault = 'bareLineEnd'
      if (!step.isText) {
        if (at > runStart) runs.push(bytes.subarray(runStart, at))
        runStart = at + 1
      }
      at++
    }
    if (at > runStart) runs.push(bytes.subarray(runStart, at))
    const [only] = runs
    const text = runs.length === 1 && only !== undefined ? only : Buffer.concat(runs)
    if (text.includes(0)) this.#fault ??= 'nul'
    return { text, read: at }
  }

  /**
   * The fast path: over all whole lines that do not begin with a dot, as the table would go, and up to
   * the next octet that only the table can judge. Finding both line ends costs one look at each octet,
   * because the first fault ends the use of this path for good.
   */
  #readOverLines(latin1: string, start: number): number {
    let at = start
    while (this.#position === 'text' || (this.#position === 'lineStart' && latin1.charCodeAt(at) !== DOT)) {
      const cr = latin1.indexOf('\r', at)
      const lf = latin1.indexOf('\n', at)
      if (cr === -1 || lf !== cr + 1) {
        const stop = cr !== -1 && (lf === -1 || cr < lf) ? cr : lf !== -1 ? lf : latin1.length
        if (stop > at) this.#position = 'text'
        return stop
      }
      this.#position = 'lineStart'
      at = lf + 1
      if (at === latin1.length) return at
    }
    return at
  }
}

/** Where the decoder stands, named by what it has just read. */
export type Position = 'lineStart' | 'text' | 'cr' | 'dot' | 'dotCr' | 'end'

/** What one octet does. `isText`: it belongs to the message. `bare`: a CR or LF stands alone before or in it. */
export type Step = { readonly to: Position; readonly isText: boolean; readonly bare: boolean }

/** The specification. */
export function nextStep(position: Position, octet: number): Step {
  return NEXT[position][octet === CR ? 0 : octet === LF ? 1 : octet === DOT ? 2 : 3]
}

const CR = 13
const LF = 10
const DOT = 46

/** A dot at the start of a line, and what follows it if the line ends there, is not text but markup. */
function to(position: Position): Step {
  return { to: position, isText: position === 'lineStart' || position === 'text' || position === 'cr', bare: false }
}

function bare(position: Position): Step {
  return { to: position, isText: true, bare: true }
}

// prettier-ignore
const NEXT: Record<Position, readonly [cr: Step, lf: Step, dot: Step, other: Step]> = {
  //           CR           LF               '.'           other
  lineStart: [to('cr'),    bare('text'),    to('dot'),    to('text')],
  text:      [to('cr'),    bare('text'),    to('text'),   to('text')],
  cr:        [bare('cr'),  to('lineStart'), bare('text'), bare('text')],
  dot:       [to('dotCr'), bare('text'),    to('text'),   to('text')],
  dotCr:     [bare('cr'),  to('end'),       bare('text'), bare('text')],
  end:       [to('end'),   to('end'),       to('end'),    to('end')],
}
