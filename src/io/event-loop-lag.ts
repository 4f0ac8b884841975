/**
 * How late this process is: the time between when something could have run and when it did.
 *
 * The figures are those of the last window that is over, so that asking twice gives the same answer.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks'

const WINDOW_MILLISECONDS = 10_000
const RESOLUTION_MILLISECONDS = 20
const NANOSECONDS = 1e9

export type Lag = { readonly p99Seconds: number; readonly maxSeconds: number }

export class EventLoopLag {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MILLISECONDS })
  #last: Lag = { p99Seconds: 0, maxSeconds: 0 }
  #windowEndsAt = 0

  constructor() {
    this.#histogram.enable()
  }

  get last(): Lag {
    return this.#last
  }

  /** To be called about once a second. Returns the figures of a window that has just ended, else null. */
  tick(now: number): Lag | null {
    if (now < this.#windowEndsAt) return null
    const isFirst = this.#windowEndsAt === 0
    this.#windowEndsAt = now + WINDOW_MILLISECONDS
    this.#last = { p99Seconds: this.#late(this.#histogram.percentile(99)), maxSeconds: this.#late(this.#histogram.max) }
    this.#histogram.reset()
    return isFirst ? null : this.#last
  }

  /** The timer that measures is itself due only every so often. */
  #late(nanoseconds: number): number {
    return Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MILLISECONDS / 1000)
  }
}
