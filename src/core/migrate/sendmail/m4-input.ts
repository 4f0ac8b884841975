/**
 * What an m4 expander reads from: files, and in front of them the text that macros have become.
 *
 * m4 puts the expansion of a macro back into its input and reads on, so the input is a pile. Every
 * piece of it knows from which line of a site's own files it came, however it was made.
 */

import type { Place } from '../report.ts'

type Piece = {
  readonly text: string
  at: number
  /** For a file, its name; for expanded text, null. */
  readonly file: string | null
  /** The line that is being read: of the file, or of the call that made this text. */
  line: number
  readonly origin: string
  /** The files that led here, the first one first. */
  readonly chain: readonly string[]
}

export class M4Input {
  readonly #pile: Piece[] = []
  #consumed = 0

  /** Characters read so far. */
  get consumed(): number {
    return this.#consumed
  }

  /** The files that led to what was read last, the first one first. */
  get chain(): readonly string[] {
    return this.#pile.at(-1)?.chain ?? []
  }

  /** `chain`: the files that led to this one. */
  pushFile(file: string, text: string, chain: readonly string[]): void {
    this.#pile.push({ text, at: 0, file, line: 1, origin: file, chain: [...chain, file] })
  }

  /** Text that a call at `place` has become. */
  pushText(text: string, place: Place): void {
    if (text !== '') this.#pile.push({ text, at: 0, file: null, line: place.line, origin: place.file, chain: this.chain })
  }

  clear(): void {
    this.#pile.length = 0
  }

  /** Where the next character comes from; null at the end of everything. */
  place(): Place | null {
    const piece = this.#top()
    return piece === null ? null : { file: piece.origin, line: piece.line }
  }

  /** The next character, or '' at the end of everything. */
  peek(): string {
    const piece = this.#top()
    return piece === null ? '' : piece.text.charAt(piece.at)
  }

  next(): string {
    const piece = this.#top()
    if (piece === null) return ''
    const character = piece.text.charAt(piece.at)
    piece.at += 1
    this.#consumed += 1
    if (character === '\n' && piece.file !== null) piece.line += 1
    return character
  }

  /** True if exactly this comes next, all within one piece. */
  startsWith(text: string): boolean {
    const piece = this.#top()
    return piece !== null && piece.text.startsWith(text, piece.at)
  }

  skip(count: number): void {
    for (let left = count; left > 0; left -= 1) this.next()
  }

  /** The name that comes next, or '' if none does. */
  name(): string {
    const piece = this.#top()
    if (piece === null) return ''
    NAME.lastIndex = piece.at
    const name = NAME.exec(piece.text)?.[0] ?? ''
    this.skip(name.length)
    return name
  }

  /** Pieces that were read to their end are gone from the pile. */
  #top(): Piece | null {
    for (;;) {
      const piece = this.#pile.at(-1)
      if (piece === undefined) return null
      if (piece.at < piece.text.length) return piece
      this.#pile.pop()
    }
  }
}

const NAME = /[A-Za-z_]\w*/y
