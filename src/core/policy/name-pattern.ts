/**
 * Patterns for Distinguished Names: `CERTSUBJECT~:/O=Example/CN=*.example.org`.
 *
 * A pattern is a name in access-map form. A `*` stands for any characters inside one value but control
 * characters, one `*` in each value; `**` in place of an attribute stands for any number of attributes, once in a pattern.
 *
 * Both are made into attributes first, and the values decoded, so nothing of a value can pass for a
 * separator, and a `*` can neither leave its value nor begin inside an escape (S7). With one `*` to a
 * value and one `**` to a pattern there is nothing to try twice: the time taken grows with the length
 * of the name and with nothing else (S12).
 */

import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { foldCase } from './access-map.ts'

export type NamePattern = {
  /** What a name begins with; all of it, unless `end` follows. */
  readonly start: readonly AttributePattern[]
  /** What it ends with behind `**`; null without. */
  readonly end: readonly AttributePattern[] | null
}

/** An attribute of a name, decoded, in lower case. `shape` is its separator and type: `/cn`, `+ou`. */
export type NamePart = { readonly shape: string; readonly value: string }

type AttributePattern = {
  readonly shape: string
  /** What the value begins with, or all of it. */
  readonly head: string
  /** What it ends with, behind a `*`; null without one. */
  readonly tail: string | null
}

export function parseNamePattern(text: string): Result<NamePattern, string> {
  const parts = split(text)
  if (!parts.ok) return parts
  const gaps = parts.value.filter(isGap).length
  if (gaps > 1) return fail('"**" may stand in it once')
  const patterns: AttributePattern[] = []
  for (const part of parts.value.filter(part => !isGap(part))) {
    const [head = '', tail, more] = part.value.split(WILDCARD)
    if (more !== undefined) return fail('a value may have one "*"')
    patterns.push({ shape: part.shape, head, tail: tail ?? null })
  }
  const gap = parts.value.findIndex(isGap)
  return ok(gap === -1 ? { start: patterns, end: null } : { start: patterns.slice(0, gap), end: patterns.slice(gap) })
}

/** True if one name only can match: nothing in it is left open. */
export function isWholeName({ start, end }: NamePattern): boolean {
  return end === null && start.every(({ tail }) => tail === null)
}

/** A certificate's name in parts. Null for one that is not in access-map form, which no pattern matches. */
export function nameParts(name: string): readonly NamePart[] | null {
  const parts = split(name.replaceAll('*', '+2A'))
  return parts.ok ? parts.value : null
}

export function matchesName({ start, end }: NamePattern, parts: readonly NamePart[]): boolean {
  if (end === null ? parts.length !== start.length : parts.length < start.length + end.length) return false
  const from = parts.length - (end?.length ?? 0)
  return start.every((pattern, at) => matchesPart(pattern, parts[at])) && (end ?? []).every((pattern, at) => matchesPart(pattern, parts[from + at]))
}

function matchesPart({ shape, head, tail }: AttributePattern, part: NamePart | undefined): boolean {
  if (part === undefined || part.shape !== shape) return false
  const { value } = part
  if (tail === null) return value === head
  const isLongEnough = value.length >= head.length + tail.length
  return isLongEnough && value.startsWith(head) && value.endsWith(tail) && !CONTROL.test(value)
}

/** A NUL or a line end in a value is there to deceive somebody: a `*` stands for no such value. */
const CONTROL = /[^ -~\u0080-\u00ff]/

/** A character that no decoded value has: values are bytes. */
const WILDCARD = '\u2217'
const GAP = '/**'

function isGap(part: NamePart): boolean {
  return part.shape === GAP
}

/** One pass over a name or a pattern. */
function split(text: string): Result<readonly NamePart[], string> {
  if (!text.startsWith('/')) return fail('it begins with a slash')
  const parts: NamePart[] = []
  for (let at = 0; at < text.length; ) {
    const separator = text[at] === '/' ? '/' : '+'
    const start = at + (separator === '/' ? 1 : PLUS.length)
    const part = separator === '/' ? /^\*\*(?=\/|$)/.exec(text.slice(start, start + 3)) : null
    if (part !== null) {
      parts.push({ shape: GAP, value: '' })
      at = start + 2
      continue
    }
    const equals = text.indexOf('=', start)
    const type = equals === -1 ? '' : text.slice(start, equals)
    if (!TYPE.test(type)) return fail(`between its slashes stands TYPE=VALUE or "**", and not "${text.slice(start, start + 20)}"`)
    const value = readValue(text, equals + 1)
    if (!value.ok) return value
    parts.push({ shape: foldCase(`${separator}${type}`), value: foldCase(value.value.text) })
    at = value.value.end
  }
  return ok(parts)
}

/** The value up to the next separator, with its escapes decoded. */
function readValue(text: string, start: number): Result<{ readonly text: string; readonly end: number }, string> {
  let value = ''
  for (let at = start; ; ) {
    TOKEN.lastIndex = at
    const [token, byte, quoted, encoded, plain] = TOKEN.exec(text) ?? []
    if (token === undefined) return at === text.length || isSeparator(text, at) ? ok({ text: value, end: at }) : fail(`"${text.slice(at, at + 6)}" is no way to write a character`)
    if (quoted !== undefined) value += quoted === '/' ? '/' : '+'
    else if (plain !== undefined) value += plain === '*' ? WILDCARD : plain
    else value += String.fromCharCode(Number.parseInt(byte ?? encoded ?? '', 16))
    at += token.length
  }
}

function isSeparator(text: string, at: number): boolean {
  return text[at] === '/' || text.slice(at, at + PLUS.length).toUpperCase() === PLUS
}

const PLUS = '+2B'
const TYPE = /^[a-z0-9.-]+$/i

/** A byte that does not print, a separator that is part of the value, an encoded character, any other. */
const TOKEN = /\+5Cx([0-9A-F]{2})|\+5C(\/|\+2B)|\+(?!2B|5C)([0-9A-F]{2})|([!#-'*,-.0-;=?-[\]-~])/iy
