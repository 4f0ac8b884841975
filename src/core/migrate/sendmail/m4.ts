/**
 * As much of m4 as site files use.
 *
 * Names that are defined are replaced, with their arguments, and what they become is read again;
 * quotes hold text together and lose one level each time they are read; `dnl` drops the rest of a
 * line; `divert` says where text goes. All that can run away is bounded: a file that includes itself
 * or a macro that expands to itself ends with a problem and its line.
 */

import { fail, ok } from '../../result.ts'
import type { Result } from '../../result.ts'
import type { Place } from '../report.ts'
import { M4Input } from './m4-input.ts'

export type M4Problem = Place & { readonly message: string }

/** A word with its arguments. Without parentheses there are none at all. */
export type M4Call = {
  readonly name: string
  readonly args: readonly string[]
  readonly place: Place
}

export type Builtin = {
  /** m4 takes these words for plain text where no parenthesis follows. */
  readonly needsArguments: boolean
  /** What the call becomes; it is read again. */
  run(m4: M4, call: M4Call): string
}

/** Text that was left over, line by line, with the diversion it went to. */
type OutputLine = Place & { readonly diversion: number; readonly text: string }

/** How much one site may ask for; real ones stay far below. */
const MOST_CALLS = 50_000
const MOST_CHARACTERS = 8_000_000
const DEEPEST_CALL = 100
const DEEPEST_INCLUDE = 16

type Macro = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'builtin'; readonly builtin: Builtin }

type Token =
  | { readonly kind: 'end' }
  /** `verbatim` is quoted text or a comment: it stands as it is. */
  | { readonly kind: 'character' | 'verbatim' | 'name'; readonly text: string; readonly place: Place }

type Sink = (text: string, place: Place) => void

export class M4 {
  readonly #macros = new Map<string, Macro[]>()
  readonly #lines: OutputLine[] = []
  #input = new M4Input()
  #quotes = { open: '`', close: '\'' }
  #comments = true
  #diversion = 0
  #line: { text: string; place: Place | null } = { text: '', place: null }
  /** Of the token that was read last. */
  #place: Place = { file: '', line: 0 }
  #calls = 0
  #depth = 0
  #problem: M4Problem | null = null

  constructor(builtins: ReadonlyMap<string, Builtin>) {
    for (const [name, builtin] of builtins) this.#macros.set(name, [{ kind: 'builtin', builtin }])
  }

  /** Text that no macro took, in the order in which it was written. */
  get lines(): readonly OutputLine[] {
    return this.#lines
  }

  run(file: string, text: string): Result<void, M4Problem> {
    this.#input.pushFile(file, text, [])
    this.#expand((part, place) => this.#write(part, place))
    if (this.#line.place !== null) this.#write('\n', this.#line.place)
    return this.#problem === null ? ok(undefined) : fail(this.#problem)
  }

  /** What a text becomes when it is read now: the value of a variable, for example. */
  valueOf(text: string): string {
    const input = this.#input
    const place = this.#place
    this.#input = new M4Input()
    this.#input.pushText(text, { file: '', line: 0 })
    let value = ''
    this.#expand(part => {
      value += part
    })
    this.#input = input
    this.#place = place
    return value
  }

  /** What ended the reading, or null. */
  get problem(): M4Problem | null {
    return this.#problem
  }

  isDefined(name: string): boolean {
    return this.#macros.has(name)
  }

  /** The text that a name stands for, unread; null for builtins and unknown names. */
  definition(name: string): string | null {
    const macro = this.#macros.get(name)?.at(-1)
    return macro?.kind === 'text' ? macro.text : null
  }

  define(name: string, text: string): void {
    this.#macros.set(name, [...(this.#macros.get(name)?.slice(0, -1) ?? []), { kind: 'text', text }])
  }

  /** As define, but undefine brings the earlier meaning back. */
  pushDefinition(name: string, text: string): void {
    this.#macros.set(name, [...(this.#macros.get(name) ?? []), { kind: 'text', text }])
  }

  popDefinition(name: string): void {
    const rest = this.#macros.get(name)?.slice(0, -1) ?? []
    if (rest.length === 0) this.#macros.delete(name)
    else this.#macros.set(name, rest)
  }

  undefine(name: string): void {
    this.#macros.delete(name)
  }

  /** `after` is read when the file has ended. */
  include(file: string, text: string, after = ''): void {
    const { chain } = this.#input
    if (chain.includes(file)) return this.fail(`${file} includes itself`)
    if (chain.length >= DEEPEST_INCLUDE) return this.fail(`files include one another more than ${DEEPEST_INCLUDE} deep`)
    this.#input.pushText(after, this.#place)
    this.#input.pushFile(file, text, chain)
  }

  divert(diversion: number): void {
    this.#diversion = diversion
  }

  get diversion(): number {
    return this.#diversion
  }

  changeQuotes(open: string, close: string): void {
    this.#quotes = { open: open === '' ? '`' : open, close: close === '' ? '\'' : close }
  }

  /** `#` begins a comment, or is a character like any other. */
  setComments(on: boolean): void {
    this.#comments = on
  }

  /** dnl: the rest of the line, its end included. */
  dropLine(): void {
    for (let character = this.#input.next(); character !== '' && character !== '\n'; ) character = this.#input.next()
  }

  /** Ends the reading. The first problem is the one that counts. */
  fail(message: string): void {
    this.#problem ??= { ...this.#place, message }
    this.#input.clear()
  }

  #expand(sink: Sink): void {
    for (;;) {
      const token = this.#token()
      if (token.kind === 'end') return
      if (token.kind !== 'name' || !this.#call(token.text, token.place)) sink(token.text, token.place)
    }
  }

  #token(): Token {
    const place = this.#input.place()
    if (place === null) return { kind: 'end' }
    this.#place = place
    if (this.#input.consumed > MOST_CHARACTERS) {
      this.fail('the text grows without end here')
      return { kind: 'end' }
    }
    if (this.#input.startsWith(this.#quotes.open)) return { kind: 'verbatim', text: this.#quoted(place), place }
    if (this.#comments && this.#input.peek() === '#') return { kind: 'verbatim', text: this.#comment(), place }
    const name = this.#input.name()
    return name === '' ? { kind: 'character', text: this.#input.next(), place } : { kind: 'name', text: name, place }
  }

  /** Without its outer quotes. */
  #quoted(place: Place): string {
    const { open, close } = this.#quotes
    this.#input.skip(open.length)
    let text = ''
    for (let depth = 1; ; ) {
      if (this.#input.peek() === '') {
        this.#problem ??= { ...place, message: `a quotation that begins here (${open}) is never closed (${close})` }
        return text
      }
      const mark = this.#input.startsWith(close) ? close : this.#input.startsWith(open) ? open : null
      if (mark === null) {
        text += this.#input.next()
        continue
      }
      this.#input.skip(mark.length)
      depth += mark === close ? -1 : 1
      if (depth === 0) return text
      text += mark
    }
  }

  #comment(): string {
    let text = ''
    while (this.#input.peek() !== '' && this.#input.peek() !== '\n') text += this.#input.next()
    return text
  }

  /** False if the name means nothing here. */
  #call(name: string, place: Place): boolean {
    const macro = this.#macros.get(name)?.at(-1)
    if (macro === undefined) return false
    const hasArguments = this.#input.peek() === '('
    if (macro.kind === 'builtin' && macro.builtin.needsArguments && !hasArguments) return false
    this.#calls += 1
    if (this.#calls > MOST_CALLS) {
      this.fail(`${name} expands without end here`)
      return true
    }
    const args = hasArguments ? this.#arguments(name, place) : []
    if (args === null) return true
    const replacement = macro.kind === 'text' ? substitute(name, macro.text, args) : macro.builtin.run(this, { name, args, place })
    if (this.#problem === null) this.#input.pushText(replacement, place)
    return true
  }

  /** Each is expanded while it is read. Blanks in front of an argument do not belong to it. */
  #arguments(name: string, place: Place): readonly string[] | null {
    if (this.#depth >= DEEPEST_CALL) {
      this.fail(`calls within calls more than ${DEEPEST_CALL} deep`)
      return null
    }
    this.#depth += 1
    const args = this.#readArguments()
    this.#depth -= 1
    if (args === null) this.#problem ??= { ...place, message: `the arguments of ${name}( are never closed with )` }
    return this.#problem === null ? args : null
  }

  #readArguments(): readonly string[] | null {
    const args: string[] = []
    let current = ''
    let parentheses = 0
    this.#input.next()
    this.#skipBlanks()
    for (;;) {
      const token = this.#token()
      if (token.kind === 'end') return null
      if (token.kind === 'name' && this.#call(token.text, token.place)) continue
      const isMark = token.kind === 'character'
      if (isMark && token.text === ')' && parentheses === 0) return [...args, current]
      if (isMark && token.text === ',' && parentheses === 0) {
        args.push(current)
        current = ''
        this.#skipBlanks()
        continue
      }
      if (isMark && token.text === '(') parentheses += 1
      if (isMark && token.text === ')') parentheses -= 1
      current += token.text
    }
  }

  #skipBlanks(): void {
    while (/^\s$/.test(this.#input.peek())) this.#input.next()
  }

  /** Text of its own, outside every call. */
  #write(text: string, from: Place): void {
    if (this.#diversion < 0) return
    for (const part of text.split(/(?<=\n)/)) {
      if (part.trim() !== '') this.#line.place ??= from
      this.#line.text += part.replace(/\n$/, '')
      if (!part.endsWith('\n')) continue
      const { text: whole, place } = this.#line
      if (place !== null) this.#lines.push({ ...place, diversion: this.#diversion, text: whole })
      this.#line = { text: '', place: null }
    }
  }
}

/** `$1` to `$9`, `$0`, `$#`, `$*` and `$@`. */
function substitute(name: string, text: string, args: readonly string[]): string {
  return text.replace(/\$([0-9#*@])/g, (_, which: string) => {
    if (which === '#') return String(args.length)
    if (which === '*') return args.join(',')
    if (which === '@') return args.map(arg => `\`${arg}'`).join(',')
    return which === '0' ? name : (args[Number(which) - 1] ?? '')
  })
}
