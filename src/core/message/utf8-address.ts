/**
 * An original recipient of the type `utf-8` (RFC 6533 §3), which has three forms: UTF-8 as it is, the same with some
 * characters as `\x{2B}`, and one that is ASCII only. It is kept in the last, which every server and report can take.
 */

import { decodeXtext } from './xtext.ts'

/** In ASCII (utf-8-addr-xtext), whichever form it came in; null if it is in none of them. */
export function toAsciiForm(value: string): string | null {
  return decodeUtf8Address(value)?.replaceAll(NO_QCHAR, embed) ?? null
}

/**
 * The address it stands for. Null if there is none, or it would hold a control character. What came in plain xtext is
 * read too: `+` means nothing else here, and a client that does not know of RFC 6533 writes `+C3+BC`.
 */
export function decodeUtf8Address(value: string): string | null {
  const plain = decodeXtext(value.replaceAll(NON_ASCII, embed))
  if (plain === null || plain.replaceAll(EMBEDDED, '').includes('\\')) return null
  const text = plain.replaceAll(EMBEDDED, (_, digits: string) => character(Number.parseInt(digits, 16)))
  return text.isWellFormed() && !CONTROL.test(text) ? text : null
}

function embed(text: string): string {
  return `\\x{${(text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, '0')}}`
}

/** A lone surrogate for what is no character: no text that is well-formed has one. */
function character(codePoint: number): string {
  return codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : '\ud800'
}

const EMBEDDED = /\\x\{([0-9A-F]{2,6})\}/g
const NON_ASCII = /[^\0-\x7f]/gu
/** RFC 6533 §3: QCHAR is printable ASCII without `+`, `=` and the backslash. */
const NO_QCHAR = /[^!-*,-<>-[\]-~]/gu
const CONTROL = /[\p{Cc}\u2028\u2029]/u
