/** The clock and randomness: the only place that asks for them. */

import { randomFillSync } from 'node:crypto'
import type { System } from '../relay/ports.ts'

const TIME_DIGITS = 9
const RANDOM_DIGITS = 7
/** Drawn in bulk: one call into the random number generator serves hundreds of ids. */
const pool = new Uint8Array(4096)
let used = pool.length

export const system: System = {
  now: () => Date.now(),
  /** Milliseconds first, so that ids sort by time; then 35 bits of randomness against collisions. */
  newId: () => Date.now().toString(36).padStart(TIME_DIGITS, '0') + randomDigits(),
  random: () => Math.random(),
}

function randomDigits(): string {
  if (used + RANDOM_DIGITS > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  let digits = ''
  for (let i = 0; i < RANDOM_DIGITS; i++) digits += ALPHABET[(pool[used++] ?? 0) & 31]
  return digits
}

/** 32 characters that are not mistaken for one another when read aloud. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz023456789'
