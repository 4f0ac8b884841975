/**
 * Text as programs pipe it, made into lines of SMTP.
 *
 * A line ends with LF or CRLF; both become CRLF, because nothing else may leave (RFC 5321 §2.3.8). A
 * lone CR ends nothing: whoever can write one into a subject must not get a field of his own by it, nor
 * end the message. It becomes a blank; where it stood is told, for a header to be refused. NUL octets are left out: no server takes them. Unless dots are ignored (-i), a line with
 * only a dot ends the text, as in a conversation; it stays the caller's business that dots at the
 * beginning of lines mean nothing else here. A first line as mailboxes have it (`From joe Mon …`) is
 * no header and is left out.
 */

export class TextInput {
  readonly #ignoresDots: boolean
  /** A CR has come last: an LF may follow. */
  #holdsCr = false
  /** Octets that have been answered with. */
  #sizeBytes = 0
  #loneCrAt: number | null = null
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

  /** Where in the text that comes out the first lone CR has become a blank. */
  get loneCrAt(): number | null {
    return this.#loneCrAt
  }

  /** The next octets. Answers with lines, and perhaps the beginning of one. */
  take(octets: Uint8Array): Buffer {
    const text = (this.#holdsCr ? '\r' : '') + Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1').replaceAll('\0', '')
    this.#holdsCr = text.endsWith('\r')
    return this.#read(this.#holdsCr ? text.slice(0, -1) : text)
  }

  /** The end of the input. A last line without its end gets one. */
  finish(): Buffer {
    const rest = this.#holdsCr ? this.#read('\r') : Buffer.alloc(0)
    if (this.#ended || (!this.#isWithinLine && this.#start === '')) return rest
    return Buffer.concat([rest, Buffer.from(this.#endLine(''), 'latin1')])
  }

  #read(text: string): Buffer {
    const out: string[] = []
    const pieces = text.split(/\r?\n/)
    for (const [index, piece] of pieces.entries()) {
      if (this.#ended) break
      if (this.#loneCrAt === null && piece.includes('\r')) this.#loneCrAt = this.#sizeBytes + this.#start.length + piece.indexOf('\r')
      const words = piece.replaceAll('\r', ' ')
      const line = index < pieces.length - 1 ? this.#endLine(words) : this.#continueLine(words)
      this.#sizeBytes += line.length
      out.push(line)
    }
    return Buffer.from(out.join(''), 'latin1')
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
