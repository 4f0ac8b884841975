/**
 * On which line of a TOML file each key stands.
 *
 * The TOML parser gives positions for syntax errors only. This walks over a text that the parser has
 * already accepted, so it may trust the syntax and looks only for keys, headers and the ends of values.
 */

/** Keys and array indices from the root, as a schema reports them. */
export type KeyPath = readonly PropertyKey[]

/** The line of each key in valid TOML; asked for a key that isn't there, of the nearest table around it. */
export function keyLines(toml: string): (path: KeyPath) => number | null {
  const lines = new Scanner(toml).scan()
  return path => {
    for (let length = path.length; length > 0; length--) {
      const line = lines.get(pathKey(path.slice(0, length)))
      if (line !== undefined) return line
    }
    return null
  }
}

class Scanner {
  readonly #text: string
  #at = 0
  #line = 1
  readonly #lines = new Map<string, number>()
  /** How many `[[header]]`s of each name have come. */
  readonly #counts = new Map<string, number>()

  constructor(text: string) {
    this.#text = text
  }

  scan(): ReadonlyMap<string, number> {
    let table: KeyPath = []
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      if (this.#next() === '[') table = this.#header()
      else this.#keyAndValue(table)
    }
    return this.#lines
  }

  /** `[a.b]` or `[[a.b]]`; the path of the table that it opens. */
  #header(): KeyPath {
    const line = this.#line
    const isArray = this.#text.startsWith('[[', this.#at)
    this.#skip(isArray ? 2 : 1)
    const keys = this.#dottedKey()
    this.#skip(isArray ? 2 : 1)

    let path: KeyPath = []
    for (const [index, key] of keys.entries()) {
      path = [...path, key]
      const name = pathKey(path)
      const isLast = index === keys.length - 1
      if (isArray && isLast) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
      if (isLast) this.#note(path, line)
      const count = this.#counts.get(name)
      if (count !== undefined) path = [...path, count - 1]
    }
    this.#note(path, line)
    return path
  }

  #keyAndValue(table: KeyPath): void {
    const line = this.#line
    const path = [...table, ...this.#dottedKey()]
    for (let length = table.length + 1; length <= path.length; length++) this.#note(path.slice(0, length), line)
    this.#skip(1) // the equals sign
    this.#value(path)
  }

  #value(path: KeyPath): void {
    this.#skipBlank()
    const first = this.#next()
    if (first === '"' || first === "'") this.#string()
    else if (first === '[') this.#list(']', index => this.#element([...path, index]))
    else if (first === '{') this.#list('}', () => this.#keyAndValue(path))
    else this.#skip(/[^,\]}\s#]*/y)
  }

  #element(path: KeyPath): void {
    this.#note(path, this.#line)
    this.#value(path)
  }

  /** Items between commas up to the closing bracket. */
  #list(close: string, item: (index: number) => void): void {
    this.#skip(1)
    this.#skipBlank()
    for (let index = 0; this.#next() !== close && this.#at < this.#text.length; index++) {
      item(index)
      this.#skipBlank()
      if (this.#next() === ',') this.#skip(1)
      this.#skipBlank()
    }
    this.#skip(1)
  }

  /** `a.b`, `a . "b c"`. */
  #dottedKey(): string[] {
    const keys: string[] = []
    do {
      if (this.#next() === '.') this.#skip(1)
      this.#skip(/[ \t]*/y)
      const quoted = this.#next() === '"' || this.#next() === "'"
      keys.push(quoted ? unquote(this.#string()) : this.#skip(/[A-Za-z0-9_-]+/y))
      this.#skip(/[ \t]*/y)
    } while (this.#next() === '.')
    return keys
  }

  #string(): string {
    const quote = this.#next()
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at)
    return this.#skip(quote === '"' ? (isLong ? LONG_BASIC : BASIC) : isLong ? LONG_LITERAL : LITERAL)
  }

  #skipBlank(): void {
    this.#skip(/(?:\s|#[^\n]*)*/y)
  }

  #next(): string {
    return this.#text[this.#at] ?? ''
  }

  #note(path: KeyPath, line: number): void {
    const key = pathKey(path)
    if (!this.#lines.has(key)) this.#lines.set(key, line)
  }

  /** Moves over so many characters, or over what the pattern matches, counting lines. */
  #skip(what: number | RegExp): string {
    let skipped: string
    if (typeof what === 'number') skipped = this.#text.slice(this.#at, this.#at + what)
    else {
      what.lastIndex = this.#at
      skipped = what.exec(this.#text)?.[0] ?? ''
    }
    this.#at += skipped.length
    this.#line += skipped.split('\n').length - 1
    return skipped
  }
}

/** A quoted key as text. Escapes other than JSON's own are too rare in a key to be worth a table. */
function unquote(quoted: string): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1)
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted.slice(1, -1)
  }
}

function pathKey(path: KeyPath): string {
  return path.map(String).join('\0')
}

const BASIC = /"(?:[^"\\]|\\.)*"/y
const LITERAL = /'[^']*'/y
const LONG_BASIC = /"""(?:[^\\]|\\[^])*?"""(?:"{1,2})?/y
const LONG_LITERAL = /'''[^]*?'''(?:'{1,2})?/y
