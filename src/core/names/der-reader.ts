/**
 * Reads DER (X.690 §10), strictly and once, front to back.
 *
 * Certificates come from strangers, so everything is bounded: lengths are definite, minimal and
 * inside what holds them, tags have one byte, and the reader never recurses: its callers enter the
 * structure they expect, which has a fixed depth.
 *
 * The first thing that is wrong is kept, for this reader and for all that were entered from the same
 * bytes. From then on every read answers with nothing, so a parser reads straight on and asks for
 * `problem` once, at its end.
 */

import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'

/** Larger than any certificate that a TLS library takes; a chain may have 100 KiB in all. */
const LONGEST_BYTES = 64 * 1024

/** Arcs beyond this many bytes name nothing, and take long to print. */
const LONGEST_OID_BYTES = 128

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

export class DerReader {
  readonly #bytes: Uint8Array
  readonly #failure: { problem: string | null }
  readonly #end: number
  #at: number

  private constructor(bytes: Uint8Array, at: number, end: number, failure: { problem: string | null }) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
    this.#failure = failure
  }

  static over(bytes: Uint8Array): DerReader {
    const reader = new DerReader(bytes, 0, bytes.length, { problem: null })
    if (bytes.length > LONGEST_BYTES) reader.#wrong(`longer than ${LONGEST_BYTES} bytes`)
    return reader
  }

  /** The first thing that was wrong, or null. */
  get problem(): string | null {
    return this.#failure.problem
  }

  get hasMore(): boolean {
    return this.problem === null && this.#at < this.#end
  }

  /** The tag of the next element; null at the end. */
  get nextTag(): number | null {
    return this.hasMore ? (this.#bytes[this.#at] ?? null) : null
  }

  /** A reader of the next element's content. `what` names the element in a problem. */
  enter(tag: number, what: string): DerReader {
    const element = this.#next(tag, what)
    return new DerReader(this.#bytes, element.content, element.end, this.#failure)
  }

  /** The next element's content. */
  take(tag: number, what: string): Uint8Array {
    const element = this.#next(tag, what)
    return this.#bytes.subarray(element.content, element.end)
  }

  /** The next element whole, with its tag and length. */
  takeWhole(tag: number, what: string): Uint8Array {
    const element = this.#next(tag, what)
    return this.#bytes.subarray(element.start, element.end)
  }

  /** The same, without moving on. */
  peekWhole(tag: number, what: string): Uint8Array {
    const at = this.#at
    const whole = this.takeWhole(tag, what)
    this.#at = at
    return whole
  }

  /** Passes over the next element, whatever it is. */
  skip(what: string): void {
    const tag = this.nextTag
    if (tag === null) this.#wrong(`${what} is missing`)
    else this.#next(tag, what)
  }

  /** Passes over one byte that is no element: what a BIT STRING says of its last byte. */
  skipByte(what: string): void {
    if (this.hasMore) this.#at += 1
    else this.#wrong(`${what} is missing`)
  }

  /** Says that nothing may follow here. */
  finish(what: string): void {
    if (this.hasMore) this.#wrong(`${what} is followed by something else`)
  }

  /** Lets a parser that found something wrong itself say so. */
  refuse(problem: string): void {
    this.#wrong(problem)
  }

  #next(tag: number, what: string): { readonly start: number; readonly content: number; readonly end: number } {
    const start = this.#at
    const nothing = { start, content: start, end: start }
    if (this.problem !== null) return nothing
    if (start >= this.#end) return this.#wrong(`${what} is missing`, nothing)
    // X.690 §8.1.2.4: a tag of more bytes. Nothing in a certificate has one.
    if (((this.#bytes[start] ?? 0) & 0x1f) === 0x1f) return this.#wrong(`${what} has a tag of several bytes`, nothing)
    if (this.#bytes[start] !== tag) return this.#wrong(`${what} has an unexpected type`, nothing)

    const length = this.#readLength(start + 1)
    if (length === null) return this.#wrong(`${what} has a length that is not DER`, nothing)
    const end = length.next + length.value
    if (end > this.#end) return this.#wrong(`${what} is cut short`, nothing)
    this.#at = end
    return { start, content: length.next, end }
  }

  /** X.690 §10.1: the definite form, in as few bytes as possible. */
  #readLength(at: number): { readonly value: number; readonly next: number } | null {
    if (at >= this.#end) return null
    const first = this.#bytes[at] ?? 0
    if (first < 0x80) return { value: first, next: at + 1 }
    const count = first & 0x7f
    if (count === 0 || count > 3 || at + 1 + count > this.#end) return null
    let value = 0
    for (let i = 1; i <= count; i++) value = value * 256 + (this.#bytes[at + i] ?? 0)
    const isMinimal = value >= 0x80 && value >= 2 ** (8 * (count - 1))
    return isMinimal ? { value, next: at + 1 + count } : null
  }

  #wrong(problem: string): void
  #wrong<Value>(problem: string, answer: Value): Value
  #wrong<Value>(problem: string, answer?: Value): Value | undefined {
    this.#failure.problem ??= problem
    return answer
  }
}

/** `2.5.4.3` for the content of an object identifier (X.690 §8.19). */
export function formatOid(content: Uint8Array): Result<string, string> {
  if (content.length === 0 || content.length > LONGEST_OID_BYTES) return fail('an object identifier has no sensible length')
  if (((content.at(-1) ?? 0) & 0x80) !== 0) return fail('an object identifier is cut short')
  const arcs: bigint[] = []
  let arc = 0n
  let isFirstByte = true
  for (const byte of content) {
    // X.690 §8.19.2: leading zeros would give one identifier two encodings.
    if (isFirstByte && byte === 0x80) return fail('an object identifier has leading zeros')
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    isFirstByte = (byte & 0x80) === 0
    if (!isFirstByte) continue
    arcs.push(arc)
    arc = 0n
  }
  // X.690 §8.19.4: the first two arcs share one number.
  const [first = 0n, ...others] = arcs
  const top = first < 40n ? 0n : first < 80n ? 1n : 2n
  return ok([top, first - top * 40n, ...others].join('.'))
}

/** One character a byte. */
export function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}
