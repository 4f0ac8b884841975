/** Randomness that a seed repeats: the same seed, the same run, as far as the machine allows. */

export type Random = {
  /** Uniform in [0, 1). */
  readonly next: () => number
  /** A whole number from `low` up to and with `high`. */
  readonly between: (low: number, high: number) => number
  readonly chance: (probability: number) => boolean
}

/** A linear congruential generator with its low, weak bits thrown away: plenty for choosing moments and sizes. */
export function randomFrom(seed: number): Random {
  let state = BigInt(seed >>> 0)
  const next = (): number => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
    return Number(state >> 32n) / 2 ** 32
  }
  next() // The first number of a small seed is always near the same.
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: probability => next() < probability,
  }
}
