/** Counts what one worker does, since it started. */

import type { Labels, MetricName, Sample } from '../core/metrics/metrics.ts'

export class Meter {
  readonly #counts = new Map<string, { readonly name: MetricName; readonly labels: Labels; value: number }>()

  /** Labels are words of ours, never a client's: their number is what a metric costs. */
  count(name: MetricName, labels: Labels = {}, amount = 1): void {
    const key = `${name} ${Object.values(labels).join(' ')}`
    const known = this.#counts.get(key)
    if (known === undefined) this.#counts.set(key, { name, labels, value: amount })
    else known.value += amount
  }

  samples(): readonly Sample[] {
    return [...this.#counts.values()].map(count => ({ ...count }))
  }
}
