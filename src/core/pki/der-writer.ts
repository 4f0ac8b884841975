/**
 * Writes DER (X.690 §10): for certificates, sealed keys and PKCS#12 files.
 *
 * Every function returns one whole element; structures are built from the inside out.
 */

import { TAG } from '../names/der-reader.ts'

export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, content) => sum + content.length, 0)
  const head = [tag, ...lengthBytes(length)]
  const whole = new Uint8Array(head.length + length)
  whole.set(head)
  let at = head.length
  for (const content of contents) {
    whole.set(content, at)
    at += content.length
  }
  return whole
}

export function sequence(...contents: readonly Uint8Array[]): Uint8Array {
  return element(TAG.sequence, ...contents)
}

/** X.690 §11.6: the elements of a SET OF stand in the order of their bytes. */
export function setOf(...contents: readonly Uint8Array[]): Uint8Array {
  return element(TAG.set, ...[...contents].sort(compareBytes))
}

/** Explicit tagging: `[number] EXPLICIT`. */
export function explicit(number: number, content: Uint8Array): Uint8Array {
  return element(0xa0 | number, content)
}

/** Implicit tagging of something primitive: `[number] IMPLICIT`. */
export function implicit(number: number, content: Uint8Array): Uint8Array {
  return element(0x80 | number, content)
}

export function boolean(value: boolean): Uint8Array {
  return element(TAG.boolean, Uint8Array.of(value ? 0xff : 0))
}

/** A non-negative whole number. */
export function integer(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return unsignedInteger(Uint8Array.from(bytes))
}

/** A non-negative number of any size, most significant byte first. */
export function unsignedInteger(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex(byte => byte !== 0)
  const digits = start === -1 ? Uint8Array.of(0) : bytes.subarray(start)
  // A first bit that is set would make the number negative.
  const isMarked = ((digits[0] ?? 0) & 0x80) !== 0
  return isMarked ? element(TAG.integer, Uint8Array.of(0), digits) : element(TAG.integer, digits)
}

export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number)
  return element(TAG.oid, Uint8Array.from([first * 40 + second, ...others].flatMap(base128)))
}

export function nothing(): Uint8Array {
  return element(TAG.null)
}

export function octetString(content: Uint8Array): Uint8Array {
  return element(TAG.octetString, content)
}

export function bitString(content: Uint8Array, unusedBits = 0): Uint8Array {
  return element(TAG.bitString, Uint8Array.of(unusedBits), content)
}

export function utf8String(text: string): Uint8Array {
  return element(TAG.utf8String, new TextEncoder().encode(text))
}

/** UTF-16, most significant byte first: BMPString, as PKCS#12 has its names and passwords. */
export function bmpString(text: string): Uint8Array {
  return element(TAG.bmpString, utf16(text))
}

export function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2)
  for (let i = 0; i < text.length; i++) {
    bytes[2 * i] = text.charCodeAt(i) >> 8
    bytes[2 * i + 1] = text.charCodeAt(i) & 0xff
  }
  return bytes
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on. Whole seconds. */
export function time(milliseconds: number): Uint8Array {
  const text = new Date(milliseconds).toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '')
  const isUtcTime = text < '2050'
  return element(isUtcTime ? TAG.utcTime : TAG.generalizedTime, new TextEncoder().encode(isUtcTime ? text.slice(2) : text))
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

/** Seven bits a byte; all but the last have the top bit set. */
function base128(arc: number): readonly number[] {
  const bytes = [arc % 128]
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | (rest % 128))
  return bytes
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
