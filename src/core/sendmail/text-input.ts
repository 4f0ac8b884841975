/**
 * Text as programs pipe it, made into lines of SMTP.
 *
 * A line may end with LF, CRLF or a lone CR; all become CRLF, because nothing else may leave (RFC 5321
 * §2.3.8). NUL octets are left out: no server takes them. Unless dots are ignored (-i), a line with
 * only a dot ends the text, as in a conversation; it stays the caller's business that dots at the
 * beginning of lines mean nothing else here. A first line as mailboxes have it (`From joe Mon …`) is
 * no header and is left out.
 */

export class TextInput {
  readonly #ignoresDots: boolean
  #afterCr = false
  #isFirstLine = true
  #ended = false
  /** What has come of the current line, as long as it may turn out to be one that is left out. */
  #start = ''
  #isWithinLine = false

  constructor(ignoresDots: boolean) {
    this.#ignoresDots = ignoresDots
  }

  /** A line with only a dot has come: what follows is not read. */
  get ended(): boolean {
    return this.#ended
  }

  /** The next octets. Answers with lines, and perhaps the beginning of one. */
  take(octets: Uint8Array): Buffer {
    const out: string[] = []
    const text = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1').replaceAll('\0', '')
    // The LF of a CRLF that was cut in two.
    const from = this.#afterCr && text.startsWith('\n') ? 1 : 0
    if (text !== '') this.#afterCr = text.endsWith('\r')
    const pieces = text.slice(from).split(/\r\n|\r|\n/)
    for (const [index, piece] of pieces.entries()) {
      if (this.#ended) break
      out.push(index < pieces.length - 1 ? this.#endLine(piece) : this.#continueLine(piece))
    }
    return Buffer.from(out.join(''), 'latin1')
  }

  /** The end of the input. A last line without its end gets one. */
  finish(): Buffer {
    if (this.#ended || (!this.#isWithinLine && this.#start === '')) return Buffer.alloc(0)
    return Buffer.from(this.#endLine(''), 'latin1')
  }

  #endLine(piece: string): string {
    const line = this.#isWithinLine ? piece : this.#start + piece
    const wasWithinLine = this.#isWithinLine
    const wasFirstLine = this.#isFirstLine
    this.#start = ''
    this.#isWithinLine = false
    this.#isFirstLine = false
    if (wasWithinLine) return `${line}\r\n`
    if (line === '.' && !this.#ignoresDots) {
      this.#ended = true
      return ''
    }
    return wasFirstLine && line.startsWith(MAILBOX_LINE) ? '' : `${line}\r\n`
  }

  #continueLine(piece: string): string {
    if (this.#isWithinLine) return piece
    this.#start += piece
    // Long enough to know that it is none of the lines that are left out.
    if (this.#start.length < MAILBOX_LINE.length || (this.#isFirstLine && this.#start.startsWith(MAILBOX_LINE) && this.#start.length < LONGEST_MAILBOX_LINE)) return ''
    const start = this.#start
    this.#start = ''
    this.#isWithinLine = true
    return start
  }
}

const MAILBOX_LINE = 'From '
const LONGEST_MAILBOX_LINE = 998
