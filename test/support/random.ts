/** Randomness that a seed repeats: the same seed, the same run, as far as the machine allows. */

export type Random = {
  /** Uniform in [0, 1). */
  readonly next: () => number
  /** A whole number from `low` up to and with `high`. */
  readonly between: (low: number, high: number) => number
  readonly chance: (probability: number) => boolean
}

/** SplitMix32: plenty for choosing moments, sizes and octets, and fast enough for millions of them. */
export function randomFrom(seed: number): Random {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: probability => next() < probability,
  }
}
