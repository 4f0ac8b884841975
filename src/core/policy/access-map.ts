/**
 * The access map: sendmail's text file to entries with their lines.
 *
 * The rules are makemap's, so that a file means here what it means to sendmail: a key, white space,
 * a value that runs to the end of the line; `#` first on a line is a comment; no continuation lines;
 * the first of two entries with the same key stays. Keys are found without regard to case.
 *
 * A map may hold a million entries. So an entry is a row in a few flat columns, keys are slices of
 * the text itself, equal values are one string, and an `AccessEntry` exists only when it is asked for.
 */

import { canonicalDomain } from '../names/address.ts'
import { NON_ASCII } from '../names/idna.ts'
import type { AccessEntry } from './decision.ts'

/** Something wrong with a file, with what sendmail makes of it and what was probably meant. */
export type AccessProblem = {
  /** With an `error` in it a file is not loaded; see `relay.compatibility`. */
  readonly severity: 'error' | 'warning'
  readonly file: string
  readonly line: number
  /** Stable identifier for tests and scripts. */
  readonly rule: string
  /** In makemap's words where makemap would report it, else in ours. */
  readonly text: string
  /** What was probably meant: a key or a value that could stand in the line. */
  readonly suggestion: string | null
  /** What to do, where that is no matter of writing something else. */
  readonly advice: string | null
  /** makemap itself reports it: the line is left out and its exit status is 65. */
  readonly faultyLine: boolean
}

/** `access:3: what is wrong; did you mean RELAY?` */
export function formatAccessProblem({ file, line, text, suggestion, advice }: AccessProblem): string {
  const more = suggestion === null ? advice : `did you mean ${suggestion}?`
  return `${file}:${line}: ${text}${more === null ? '' : `; ${more}`}`
}

/** A line that decided something, for logs. */
export function formatAccessLine({ file, line, key, value }: AccessEntry): string {
  return `${file}:${line} ${key} ${value}`
}

export type ParsedAccessMap = { readonly map: AccessMap; readonly problems: readonly AccessProblem[] }

/** What sendmail's look-ups see of a key, its tag included; entries are kept whole. */
export const LONGEST_KEY_BYTES = 256

/** makemap reads lines through a buffer of this many bytes, the final zero included. */
const LONGEST_LINE_BYTES = 1023
const LINE_TOO_LONG = `line too long (${LONGEST_LINE_BYTES + 1} bytes max)`

export function parseAccessMap(text: string, file: string): ParsedAccessMap {
  const builder = new AccessMapBuilder(text, file)
  let line = 0
  let zero = text.indexOf('\0')
  for (let start = 0; start < text.length; ) {
    line += 1
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    if (zero === -1 || zero >= end) readLine(builder, line, start, end)
    else {
      readLineWithZero(builder, line, start, zero, newline === -1)
      zero = text.indexOf('\0', end)
    }
    start = end + 1
  }
  return builder.finish()
}

/** An access map as it was read. Find an entry by its key in lower case. */
export class AccessMap {
  readonly file: string
  readonly #text: string
  readonly #rows: ReadonlyMap<string, number>
  /** Keys whose domain is spelt otherwise than DNS has it, by what look-ups ask for. */
  readonly #respelt: ReadonlyMap<string, number>
  readonly #columns: Columns

  constructor(file: string, text: string, rows: ReadonlyMap<string, number>, respelt: ReadonlyMap<string, number>, columns: Columns) {
    this.file = file
    this.#text = text
    this.#rows = rows
    this.#respelt = respelt
    this.#columns = columns
  }

  get size(): number {
    return this.#rows.size
  }

  /** Nothing would be different if it were read anew. */
  isReadFrom(text: string, file: string): boolean {
    return file === this.file && text === this.#text
  }

  /** `key` must be in lower case already; see `foldCase`. */
  find(key: string): AccessEntry | null {
    const row = this.#rows.get(key) ?? this.#respelt.get(key)
    return row === undefined ? null : this.#entry(row)
  }

  has(key: string): boolean {
    return this.#rows.has(key) || this.#respelt.has(key)
  }

  /** Keys in lower case, in order of the file. */
  keys(): IterableIterator<string> {
    return this.#rows.keys()
  }

  *entries(): Generator<AccessEntry> {
    for (const row of this.#rows.values()) yield this.#entry(row)
  }

  #entry(row: number): AccessEntry {
    const { keyStarts, keyEnds, values, lines } = this.#columns
    return {
      key: this.#text.slice(keyStarts[row], keyEnds[row]),
      value: values[row] ?? '',
      file: this.file,
      line: lines[row] ?? 0,
    }
  }
}

/**
 * ASCII letters only, as makemap folds them: `toLowerCase` would also change the letters of other
 * scripts, and the length of some.
 */
export function foldCase(text: string): string {
  return NON_ASCII.test(text) ? text.replace(UPPER_CASE, letter => letter.toLowerCase()) : text.toLowerCase()
}

const UPPER_CASE = /[A-Z]+/g

/** `to:jö@müller.example` to `to:jö@xn--mller-kva.example`. Names of identities are no domains, and stay. */
export function inDnsSpelling(key: string): string {
  if (OF_IDENTITY.test(key)) return key
  const start = Math.max(key.lastIndexOf('@'), key.indexOf(':')) + 1
  return `${key.slice(0, start)}${canonicalDomain(key.slice(start))}`
}

const OF_IDENTITY = /^(?:cert[a-z]*~?|user):/

type Columns = {
  readonly keyStarts: readonly number[]
  readonly keyEnds: readonly number[]
  readonly values: readonly string[]
  readonly lines: readonly number[]
}

class AccessMapBuilder {
  readonly text: string
  readonly file: string
  /** The whole text folded once; keys are slices of it and copy nothing. */
  readonly #folded: string
  readonly #rows = new Map<string, number>()
  readonly #respelt = new Map<string, number>()
  readonly #columns = { keyStarts: [] as number[], keyEnds: [] as number[], values: [] as string[], lines: [] as number[] }
  readonly #sharedValues = new Map<string, string>()
  readonly #problems: AccessProblem[] = []

  constructor(text: string, file: string) {
    this.text = text
    this.file = file
    this.#folded = foldCase(text)
  }

  add(line: number, keyStart: number, keyEnd: number, value: string): void {
    const key = this.#folded.slice(keyStart, keyEnd)
    const first = this.#rows.get(key)
    if (first !== undefined) {
      const before = this.#columns.lines[first] ?? 0
      this.refuse(line, 'duplicateKey', `key ${key}: duplicate key`, `line ${before} has the same key and stays; remove one of them`)
      return
    }
    const row = this.#columns.lines.length
    this.#rows.set(key, row)
    if (NON_ASCII.test(key)) this.#respell(key, row)
    this.#columns.keyStarts.push(keyStart)
    this.#columns.keyEnds.push(keyEnd)
    this.#columns.values.push(this.#shared(value))
    this.#columns.lines.push(line)
  }

  /** Addresses come with their domain as DNS has it. Of several spellings the first line stays. */
  #respell(key: string, row: number): void {
    const asked = inDnsSpelling(key)
    if (asked !== key && !this.#respelt.has(asked)) this.#respelt.set(asked, row)
  }

  foldedSlice(start: number, end: number): string {
    return this.#folded.slice(start, end)
  }

  refuse(line: number, rule: string, text: string, advice: string): void {
    this.#problems.push({ severity: 'error', file: this.file, line, rule, text, suggestion: null, advice, faultyLine: true })
  }

  finish(): ParsedAccessMap {
    return { map: new AccessMap(this.file, this.text, this.#rows, this.#respelt, this.#columns), problems: this.#problems }
  }

  /** Nearly all values of a large map are the same few words. Distinct ones beyond a bound are not looked for. */
  #shared(value: string): string {
    const known = this.#sharedValues.get(value)
    if (known !== undefined) return known
    if (this.#sharedValues.size < MOST_SHARED_VALUES) this.#sharedValues.set(value, value)
    return value
  }
}

const MOST_SHARED_VALUES = 4096

function readLine(builder: AccessMapBuilder, line: number, start: number, end: number): void {
  const { text } = builder
  const begin = end - start > LONGEST_LINE_BYTES / 4 ? afterOverlongParts(builder, line, start, end) : start
  if (begin === end || text.charCodeAt(begin) === HASH) return
  if (isWhiteSpace(text.charCodeAt(begin))) {
    builder.refuse(line, 'leadingSpace', 'syntax error (leading space)', 'an entry starts in the first column; there are no continuation lines')
    return
  }
  let keyEnd = begin + 1
  while (keyEnd < end && !isWhiteSpace(text.charCodeAt(keyEnd))) keyEnd += 1
  let valueStart = keyEnd
  while (valueStart < end && isWhiteSpace(text.charCodeAt(valueStart))) valueStart += 1
  if (valueStart === end) {
    const key = builder.foldedSlice(begin, keyEnd)
    const advice = OTHER_BLANK.test(key) ? 'the blank in it is one of those that web pages have, and none to makemap: write a tab' : 'write the key, a tab and a value'
    builder.refuse(line, 'noValue', `no RHS for LHS ${key}`, advice)
    return
  }
  builder.add(line, begin, keyEnd, text.slice(valueStart, end))
}

/** Looks like white space, and is none in C. */
const OTHER_BLANK = /[\p{Zs}\u200b\ufeff]/u

/** makemap looks for the newline as far as the zero, and takes a line without one for one that is too long, but for the last. */
function readLineWithZero(builder: AccessMapBuilder, line: number, start: number, zero: number, isLast: boolean): void {
  if (isLast) readLine(builder, line, start, zero)
  else builder.refuse(line, 'zeroByte', LINE_TOO_LONG, 'there is a zero byte in the line: remove it')
}

/** makemap drops each full buffer of a line that is too long, and reads what remains as a line of its own. */
function afterOverlongParts(builder: AccessMapBuilder, line: number, start: number, end: number): number {
  let begin = start
  for (;;) {
    const cut = endOfBytes(builder.text, begin, end, LONGEST_LINE_BYTES)
    // A line that fills the buffer to the byte is too long as well: its newline did not fit, nor did makemap see the end of the file.
    if (cut === null) return begin
    builder.refuse(line, 'lineTooLong', LINE_TOO_LONG, 'its first part counts for nothing: shorten the line')
    begin = cut
    if (begin === end) return end
  }
}

/** Where `bytes` bytes of UTF-8 from `start` end, or null if the text up to `end` is shorter. */
function endOfBytes(text: string, start: number, end: number, bytes: number): number | null {
  let room = bytes
  for (let at = start; at < end; at += 1) {
    if (room === 0) return at
    room -= utf8Length(text.charCodeAt(at))
    if (room < 0) return at
  }
  return room === 0 ? end : null
}

/** Bytes of UTF-8 that a UTF-16 unit stands for; a surrogate pair has four, two for each half. */
export function utf8Length(unit: number): number {
  if (unit < 0x80) return 1
  if (unit < 0x800) return 2
  return unit >= 0xd800 && unit < 0xe000 ? 2 : 3
}

const HASH = 0x23

/** `isspace` of C's own locale, less the newline: tab, vertical tab, form feed, CR, space. */
function isWhiteSpace(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d)
}
