/**
 * What next hops have said of recipients, for as long as it is to be believed.
 *
 * Bounded. What strangers can make up without end, recipients that nobody has and next hops that do not
 * answer, takes no room from the recipients that exist.
 */

import type { CalloutAnswer } from '../core/policy/decision.ts'
import type { CalloutReport } from '../core/smtp/client-callout.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND

/** How long an answer is given again before the next hop is asked anew. */
const FRESH_MILLISECONDS = { yes: 6 * HOUR, cannotAsk: HOUR, no: 600 * SECOND, unknown: 60 * SECOND } as const
/** How long a recipient counts as existing when the next hop does not answer any more. */
const STALE_MILLISECONDS = 7 * 24 * HOUR
const MOST_ENTRIES = 10_000

type Entry = { readonly answer: CalloutReport; readonly at: number }

export class CalloutCache {
  /** Oldest first, in both. */
  readonly #existing = new Map<string, Entry>()
  readonly #others = new Map<string, Entry>()
  readonly #most: number

  constructor(most = MOST_ENTRIES) {
    this.#most = most
  }

  get size(): number {
    return this.#existing.size + this.#others.size
  }

  remember(key: string, answer: CalloutReport, now: number): void {
    // A next hop that does not answer has not said that the recipient is gone.
    if (answer.says !== 'unknown') this.#existing.delete(key)
    this.#others.delete(key)
    const entries = answer.says === 'yes' ? this.#existing : this.#others
    entries.set(key, { answer, at: now })
    const [oldest] = entries.keys()
    if (entries.size > this.#most && oldest !== undefined) entries.delete(oldest)
  }

  /** What need not be asked again. */
  find(key: string, now: number): CalloutAnswer | null {
    return believed(this.#existing.get(key), now) ?? believed(this.#others.get(key), now)
  }

  /** The yes of a recipient that existed not too long ago, for when there is no newer answer. */
  lastYes(key: string, now: number): CalloutAnswer | null {
    const entry = this.#existing.get(key)
    return entry === undefined || now - entry.at > STALE_MILLISECONDS ? null : told(entry, now)
  }

  /** An administrator who has made a recipient known, or the next hop work again, need not wait. */
  forgetAllButYes(): void {
    this.#others.clear()
  }
}

function believed(entry: Entry | undefined, now: number): CalloutAnswer | null {
  return entry === undefined || now - entry.at > FRESH_MILLISECONDS[entry.answer.says] ? null : told(entry, now)
}

function told({ answer: { says, detail }, at }: Entry, now: number): CalloutAnswer {
  return { says, detail: `${detail}, ${Math.round((now - at) / SECOND)} seconds ago` }
}
