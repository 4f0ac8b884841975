/**
 * The value of a TLS_Clt, TLS_Srv or TLS_Rcpt entry.
 *
 *     [PERM+|TEMP+] VERIFY[:bits] | ENCR:bits  [+ requirement [++ requirement]...]
 *
 * sendmail reads it token by token, and numbers as C does: `0128` is octal and asks for ten bits.
 */

import { numberIn, tokensOf } from './access-value.ts'

export type TlsRequirement = {
  readonly kind: 'verify' | 'encrypt'
  readonly failure: 'permanent' | 'temporary' | null
  /** Null if there is no number, or none that can be read. */
  readonly bits: number | null
  readonly further: readonly FurtherRequirement[]
}

export type FurtherRequirement = {
  /** Null for one that sendmail does not know. */
  readonly word: 'CN' | 'CS' | 'CI' | 'CITAG' | null
  /** What stands behind the colon; null if there is none. */
  readonly wanted: string | null
  readonly text: string
}

/** Null for a value that is not of this syntax at all, and so asks for nothing. */
export function parseRequirement(value: string): TlsRequirement | null {
  const tokens = tokensOf(value)
  const failure = FAILURES.get(upper(tokens[0]))
  const isPrefixed = failure !== undefined && tokens[1] === '+' && KINDS.has(upper(tokens[2]))
  const [word, ...rest] = isPrefixed ? tokens.slice(2) : tokens
  const kind = KINDS.get(upper(word))
  if (kind === undefined) return null
  return { failure: isPrefixed ? failure : null, ...(parseRest(kind, rest) ?? ASKS_NOTHING) }
}

type Asked = Pick<TlsRequirement, 'kind' | 'bits' | 'further'>

/** Its codes still count for a broken handshake. */
const ASKS_NOTHING: Asked = { kind: 'encrypt', bits: null, further: [] }

/** What follows VERIFY or ENCR; null if that cannot be read. */
function parseRest(kind: TlsRequirement['kind'], rest: readonly string[]): Asked | null {
  const [first, number = ''] = rest
  const bits = numberIn(number)
  if (first === ':' && rest.length === 2) return { kind, bits, further: [] }
  if (first === ':' && rest[2] === '+' && rest.length > 3) return { kind, bits, further: splitList(rest.slice(3)) }
  if (kind === 'encrypt') return null
  if (first === undefined) return { kind, bits: null, further: [] }
  return first === '+' && rest.length > 1 ? { kind, bits: null, further: splitList(rest.slice(1)) } : null
}

/**
 * Between two requirements stand two plus signs, with something before them and something behind. Where
 * they stand at the end, sendmail sees an empty list and looks at nothing that is in it.
 */
function splitList(tokens: readonly string[]): readonly FurtherRequirement[] {
  if (tokens.length > 2 && tokens.at(-1) === '+' && tokens.at(-2) === '+') return [unknown(tokens.join(''))]
  for (let at = 1; at < tokens.length - 2; at += 1) {
    if (tokens[at] === '+' && tokens[at + 1] === '+') return [parseFurther(tokens.slice(0, at)), ...splitList(tokens.slice(at + 2))]
  }
  return [parseFurther(tokens)]
}

function parseFurther(tokens: readonly string[]): FurtherRequirement {
  const text = tokens.join('')
  const word = FURTHER.get(upper(tokens[0]))
  const isKnown = word !== undefined && (tokens.length === 1 || (tokens[1] === ':' && (word !== 'CITAG' || tokens.length === 3)))
  return isKnown ? { word, wanted: tokens.length === 1 ? null : tokens.slice(2).join(''), text } : unknown(text)
}

function unknown(text: string): FurtherRequirement {
  return { word: null, wanted: null, text }
}

function upper(token: string | undefined): string {
  return (token ?? '').toUpperCase()
}

const FAILURES: ReadonlyMap<string, 'permanent' | 'temporary'> = new Map([
  ['PERM', 'permanent'],
  ['TEMP', 'temporary'],
])
const KINDS: ReadonlyMap<string, TlsRequirement['kind']> = new Map([
  ['VERIFY', 'verify'],
  ['ENCR', 'encrypt'],
])
const FURTHER: ReadonlyMap<string, FurtherRequirement['word'] & string> = new Map([
  ['CN', 'CN'],
  ['CS', 'CS'],
  ['CI', 'CI'],
  ['CITAG', 'CITAG'],
])
