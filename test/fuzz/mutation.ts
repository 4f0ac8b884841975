/** New inputs from old ones: octets are changed, put in, left out, repeated, and joined with others'. */

import type { Random } from '../support/random.ts'
import type { FuzzTarget } from './target.ts'

/** Longer inputs find nothing that these do not, and take their time. */
const LONGEST_INPUT = 4096

/** What parsers trip over. */
const WORDS = [
  '\r\n', '\r', '\n', '\0', '.', '\r\n.\r\n', '\n.\n', '\r\n.\r', ' ', '\t', '<', '>', '@', '"', '\\', ':', ';', ',', '=', '+', '/', '%', '#', '(', ')',
  '[', ']', '-', '0', '1', '-1', '2147483648', '4294967296', '9007199254740993', '18446744073709551617', '\x7f', '\x80', '\xff', '\xc3\xa4',
  '\xe2\x80\xa8', '\xef\xbb\xbf', '\xed\xa0\x80', '\xf0\x9f\x98\x80', 'a'.repeat(70), '9'.repeat(30), '\x1b[2J',
].map(octets => Buffer.from(octets, 'latin1'))

export class Mutator {
  readonly #seeds: readonly Buffer[]
  readonly #words: readonly Buffer[]

  constructor(target: FuzzTarget) {
    this.#seeds = target.seeds.length === 0 ? [Buffer.alloc(0)] : target.seeds
    const own = (target.words ?? []).map(word => Buffer.from(word, 'latin1'))
    // Its own words are few and matter more.
    this.#words = [...WORDS, ...own, ...own, ...own]
  }

  next(random: Random): Buffer {
    let input = one(this.#seeds, random)
    const changes = random.chance(0.7) ? random.between(1, 3) : random.between(4, 12)
    for (let change = 0; change < changes; change++) input = this.#change(input, random)
    return input.length > LONGEST_INPUT ? input.subarray(0, LONGEST_INPUT) : input
  }

  #change(input: Buffer, random: Random): Buffer {
    const at = random.between(0, input.length)
    const end = Math.min(input.length, at + random.between(1, random.chance(0.8) ? 8 : 200))
    switch (random.between(0, 6)) {
      case 0:
        return replaced(input, at, end, one(this.#words, random))
      case 1:
        return replaced(input, at, at, one(this.#words, random))
      case 2:
        return replaced(input, at, end, Buffer.alloc(0))
      case 3:
        return replaced(input, at, at, input.subarray(at, end))
      case 4:
        return replaced(input, at, at + 1, Buffer.of(random.between(0, 255)))
      case 5: {
        const other = one(this.#seeds, random)
        const from = random.between(0, other.length)
        return replaced(input, at, end, other.subarray(from, from + random.between(1, 100)))
      }
      default: {
        const flipped = Buffer.from(input)
        if (at < input.length) flipped[at] = (input[at] ?? 0) ^ (1 << random.between(0, 7))
        return flipped
      }
    }
  }
}

/** A smaller input that still fails: whatever can be left out is. */
export function shrunk(input: Buffer, fails: (input: Buffer) => boolean): Buffer {
  let smallest = input
  for (let length = Math.ceil(input.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
    for (let at = 0; at < smallest.length; ) {
      const smaller = replaced(smallest, at, at + length, Buffer.alloc(0))
      if (fails(smaller)) smallest = smaller
      else at += length
    }
  }
  return smallest
}

function replaced(input: Buffer, from: number, to: number, by: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, from), by, input.subarray(to)])
}

function one(list: readonly Buffer[], random: Random): Buffer {
  return list[random.between(0, list.length - 1)] ?? Buffer.alloc(0)
}
