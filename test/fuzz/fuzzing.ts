/** Runs one target: input after input, each repeated by its seed and its number. */

import { randomFrom, type Random } from '../support/random.ts'
import { Mutator, shrunk } from './mutation.ts'
import type { FuzzTarget } from './target.ts'

export type Finding = {
  readonly target: string
  readonly seed: number
  /** Which input of this target and seed, from 1. */
  readonly number: number
  /** As small as it still fails. */
  readonly input: Buffer
  readonly error: unknown
}

export class Fuzzing {
  readonly target: FuzzTarget
  readonly #seed: number
  readonly #mutator: Mutator
  readonly #random: Random
  #inputs = 0
  #milliseconds = 0

  constructor(target: FuzzTarget, seed: number) {
    this.target = target
    this.#seed = seed
    this.#mutator = new Mutator(target)
    this.#random = randomFrom(mixed(seed, target.name))
  }

  /** How many inputs have been tried, each once. */
  get inputs(): number {
    return this.#inputs
  }

  get milliseconds(): number {
    return this.#milliseconds
  }

  /** Goes on for so long, or until something does not hold. */
  runFor(milliseconds: number): Finding | null {
    const startedAt = performance.now()
    let finding: Finding | null = null
    while (finding === null && performance.now() - startedAt < milliseconds) finding = this.run(20)
    this.#milliseconds += performance.now() - startedAt
    return finding
  }

  /** So many inputs more. */
  run(count: number): Finding | null {
    for (let more = count; more > 0; more--) {
      const input = this.#mutator.next(this.#random)
      // The input's own randomness, so that it fails alone as it failed among others.
      const own = this.#random.between(0, 2 ** 32 - 1)
      this.#inputs++
      const error = this.#failure(input, own)
      if (error === null) continue
      const smallest = shrunk(input, smaller => this.#failure(smaller, own) !== null)
      return { target: this.target.name, seed: this.#seed, number: this.#inputs, input: smallest, error: this.#failure(smallest, own)?.error }
    }
    return null
  }

  #failure(input: Buffer, seed: number): { readonly error: unknown } | null {
    try {
      this.target.check(input, randomFrom(seed))
      return null
    } catch (error) {
      return { error }
    }
  }
}

/** Each target has a sequence of its own, whatever others run beside it. */
function mixed(seed: number, name: string): number {
  let hash = seed | 0
  for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193)
  return hash
}
