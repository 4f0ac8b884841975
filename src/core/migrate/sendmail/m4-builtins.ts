/**
 * m4's own words, as far as site files use them.
 */

import type { Builtin, M4, M4Call } from './m4.ts'
import { evaluate } from './m4-arithmetic.ts'

/** `onChange` hears of each name that a site gives a meaning, or takes it from. */
export function m4Builtins(onChange: (m4: M4, call: M4Call) => void): ReadonlyMap<string, Builtin> {
  const define = (push: boolean) => (m4: M4, call: M4Call): string => {
    const [name = '', text = ''] = call.args
    if (push) m4.pushDefinition(name, text)
    else m4.define(name, text)
    onChange(m4, call)
    return ''
  }
  return new Map<string, Builtin>([
    ['define', withArguments(define(false))],
    ['pushdef', withArguments(define(true))],
    ['undefine', withArguments(forEachName(onChange, (m4, name) => m4.undefine(name)))],
    ['popdef', withArguments(forEachName(onChange, (m4, name) => m4.popDefinition(name)))],
    ...PLAIN,
  ])
}

const PLAIN: readonly (readonly [string, Builtin])[] = [
  ['dnl', bare(m4 => void m4.dropLine())],
  ['divert', bare((m4, { args: [where = '0'] }) => void m4.divert(Number.parseInt(where, 10) || 0))],
  ['divnum', { needsArguments: false, run: m4 => String(m4.diversion) }],
  ['undivert', bare(() => {})],
  ['changequote', bare((m4, { args: [open = '', close = ''] }) => void m4.changeQuotes(open, close))],
  ['changecom', bare((m4, { args }) => void m4.setComments(args.length > 0 && args[0] === '#'))],
  ['defn', withArguments((m4, { args }) => args.map(name => quoted(m4.definition(name))).join(''))],
  ['ifdef', withArguments((m4, { args: [name = '', yes = '', no = ''] }) => (m4.isDefined(name) ? yes : no))],
  ['ifelse', withArguments((_, { args }) => ifelse(args))],
  ['shift', withArguments((_, { args }) => args.slice(1).map(quoted).join(','))],
  ['len', withArguments((_, { args: [text = ''] }) => String(text.length))],
  ['index', withArguments((_, { args: [text = '', part = ''] }) => String(text.indexOf(part)))],
  ['substr', withArguments((_, { args }) => substr(args))],
  ['translit', withArguments((_, { args }) => translit(args))],
  ['incr', withArguments((_, { args: [number = ''] }) => String((Number.parseInt(number, 10) || 0) + 1))],
  ['decr', withArguments((_, { args: [number = ''] }) => String((Number.parseInt(number, 10) || 0) - 1))],
  ['eval', withArguments((_, { args: [sum = ''] }) => evaluate(sum) ?? '')],
  ['errprint', withArguments(() => '')],
]

function withArguments(run: Builtin['run']): Builtin {
  return { needsArguments: true, run }
}

function bare(act: (m4: M4, call: M4Call) => void): Builtin {
  return {
    needsArguments: false,
    run: (m4, call) => {
      act(m4, call)
      return ''
    },
  }
}

function forEachName(onChange: (m4: M4, call: M4Call) => void, act: (m4: M4, name: string) => void): Builtin['run'] {
  return (m4, call) => {
    for (const name of call.args) {
      act(m4, name)
      onChange(m4, { ...call, args: [name] })
    }
    return ''
  }
}

function quoted(text: string | null): string {
  return text === null ? '' : `\`${text}'`
}

/** `ifelse(a, b, equal, c, d, equal, …, otherwise)` */
function ifelse(args: readonly string[]): string {
  for (let at = 0; at < args.length; at += 3) {
    const [a, b, equal = ''] = args.slice(at)
    if (b === undefined) return ''
    if (a === b) return equal
    if (args.length - at === 4) return args[at + 3] ?? ''
  }
  return ''
}

function substr([text = '', start = '0', length]: readonly string[]): string {
  const from = Number.parseInt(start, 10) || 0
  return length === undefined ? text.slice(from) : text.slice(from, from + (Number.parseInt(length, 10) || 0))
}

function translit([text = '', from = '', to = '']: readonly string[]): string {
  const [before, after] = [spelledOut(from), spelledOut(to)]
  return [...text].map(character => (before.includes(character) ? after.charAt(before.indexOf(character)) : character)).join('')
}

/** `a-z` in full. */
function spelledOut(letters: string): string {
  return letters.replace(/([\x20-\x7e])-([\x20-\x7e])/g, (_, first: string, last: string) => {
    const [start, end] = [first.charCodeAt(0), last.charCodeAt(0)]
    return Array.from({ length: Math.max(0, end - start + 1) }, (_, offset) => String.fromCharCode(start + offset)).join('')
  })
}
