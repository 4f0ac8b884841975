/**
 * Something that reads what strangers send, and what must hold whatever they send.
 *
 * A target is one file in targets/ that exports `target`. It is found by being there.
 */

import type { Random } from '../support/random.ts'

export type FuzzTarget = {
  /** As its file is called. */
  readonly name: string
  /** What honest input looks like; mutations begin here. */
  readonly seeds: readonly Buffer[]
  /** What is put in between, next to what every target gets (mutation.ts). */
  readonly words?: readonly string[]
  /** Throws if something does not hold. The same input and the same numbers must do the same again. */
  readonly check: (input: Buffer, random: Random) => void
}

/** Pieces of random lengths, as a network cuts them; most often short ones. */
export function cutAnywhere(octets: Buffer, random: Random): readonly Buffer[] {
  const pieces: Buffer[] = []
  const longest = random.chance(0.5) ? 4 : 200
  for (let at = 0; at < octets.length; ) {
    const length = random.between(1, longest)
    pieces.push(octets.subarray(at, at + length))
    at += length
  }
  return pieces
}
