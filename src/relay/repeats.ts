/**
 * Lines that come over and over: the first few in a minute are written, the rest is counted, so that
 * whoever floods us does not flood the log (S18), and nothing goes unsaid.
 */

/** Lines of one kind in a minute. */
const WRITTEN = 10
const MINUTE = 60_000

type Counted<Line> = { readonly line: Line; readonly since: number; times: number }

export class Repeats<Line> {
  readonly #most: number
  /** In order of their first line. */
  readonly #counted = new Map<string, Counted<Line>>()

  /** `most` is the number of kinds that are counted at one time; the oldest count ends for a new one. */
  constructor(most: number) {
    this.#most = most
  }

  /** Counts a line of this kind. True if it is to be written. */
  counts(kind: string, line: Line, now: number): boolean {
    const known = this.#counted.get(kind)
    if (known === undefined) this.#counted.set(kind, { line, since: now, times: 1 })
    else known.times++
    return known === undefined || known.times <= WRITTEN
  }

  /** What was counted and not written, where the minute is over or there are too many kinds. At `Infinity` every minute is. */
  takeOver(now: number): readonly { readonly line: Line; readonly unwritten: number }[] {
    const over: { line: Line; unwritten: number }[] = []
    for (const [kind, { line, since, times }] of this.#counted) {
      const isOver = now - since >= MINUTE || now < since || this.#counted.size > this.#most
      if (!isOver) break
      this.#counted.delete(kind)
      if (times > WRITTEN) over.push({ line, unwritten: times - WRITTEN })
    }
    return over
  }
}
