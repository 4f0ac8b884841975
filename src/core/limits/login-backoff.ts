/**
 * How long the next login has to wait after failed ones, and when nobody looks at it any more (S16).
 *
 * Failures are counted for the name that was tried and for the network they came from. Each makes the
 * next attempt of either wait longer, also one with the right password: who guesses cannot tell by
 * the time, and cannot go on by another connection. A network that has used up its allowance is not
 * listened to. A name never is shut: else a stranger could lock anybody out.
 *
 * What is remembered is bounded: when a table is full, the older half of it is forgotten.
 */

import { costOf, hasRoom, type Rate } from './rate.ts'

export class LoginBackOff {
  readonly #names: Debts
  readonly #networks: Debts
  #rate: Rate | null

  /** `rate` is the allowance of a network; null for no back-off at all. */
  constructor(rate: Rate | null, mostRemembered: number) {
    this.#rate = rate
    this.#names = new Debts(mostRemembered)
    this.#networks = new Debts(mostRemembered)
  }

  reconfigure(rate: Rate | null): void {
    this.#rate = rate
  }

  /** True while a network has no allowance left. */
  isShut(network: string, now: number): boolean {
    return this.#rate !== null && !hasRoom(this.#rate, this.#networks.workedOffAt(network), 1, now)
  }

  /** How long an attempt waits before anybody looks at it. */
  delayMilliseconds(name: string, network: string, now: number): number {
    if (this.#rate === null) return 0
    const workedOffAt = Math.max(this.#names.workedOffAt(name), this.#networks.workedOffAt(network))
    const failures = Math.ceil(Math.max(workedOffAt - now, 0) / costOf(this.#rate, 1))
    return failures === 0 ? 0 : Math.min(FIRST_DELAY * 2 ** (failures - 1), LONGEST_DELAY)
  }

  /** `name` is '' where nobody has given one: all of those would be one. */
  failed(name: string, network: string, now: number): void {
    if (this.#rate === null) return
    const cost = costOf(this.#rate, 1)
    // A name is charged no more than what makes the longest delay, so that it is free again soon.
    if (name !== '') this.#names.add(name, cost, now, cost * FAILURES_OF_A_NAME)
    this.#networks.add(network, cost, now, this.#rate.seconds * 1000)
  }
}

const FIRST_DELAY = 250
const LONGEST_DELAY = 8000
const FAILURES_OF_A_NAME = 6

/** When what each has used will be worked off; the newest in one map, older ones in another. */
class Debts {
  readonly #most: number
  #young = new Map<string, number>()
  #old: ReadonlyMap<string, number> = new Map()

  constructor(most: number) {
    this.#most = most
  }

  workedOffAt(key: string): number {
    return this.#young.get(key) ?? this.#old.get(key) ?? 0
  }

  add(key: string, milliseconds: number, now: number, most: number): void {
    const debt = Math.min(Math.max(this.workedOffAt(key) - now, 0) + milliseconds, most)
    if (this.#young.size >= this.#most / 2) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, now + debt)
  }
}
