/**
 * The lexical tokens of structured header fields (RFC 5322 §3.2), with comments left out.
 *
 * One pass, whatever stands in the text: who wrote it may have meant to keep us busy (S18). What
 * cannot be read in one way only (an open comment, a control character) is no token list at all.
 */

import { fail, ok, type Result } from '../result.ts'

export type Token = {
  /**
   * `word`: a run of characters without blanks and specials; dots are among them. `quoted` and
   * `literal`: what stood between the quotation marks or brackets, without backslashes.
   */
  readonly kind: 'word' | 'quoted' | 'literal' | 'special'
  readonly text: string
}

/** What is wrong, to be read after "the field". */
export type FieldProblem = string

export function tokenize(text: string): Result<readonly Token[], FieldProblem> {
  if (CONTROL.test(text)) return fail('has a control character')
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const character = text.charAt(at)
    if (BLANK.has(character)) {
      at++
    } else if (character === '(') {
      at = endOfComment(text, at)
      if (at === -1) return fail('has a comment without an end')
    } else if (character === '"' || character === '[') {
      const enclosed = readEnclosed(text, at, character === '"' ? '"' : ']')
      if (enclosed === null) return fail(character === '"' ? 'has a quoted string without an end' : 'has a bracket without its other half')
      tokens.push({ kind: character === '"' ? 'quoted' : 'literal', text: enclosed.text })
      at = enclosed.end
    } else if (SPECIALS.has(character)) {
      tokens.push({ kind: 'special', text: character })
      at++
    } else {
      const end = endOfWord(text, at)
      tokens.push({ kind: 'word', text: text.slice(at, end) })
      at = end
    }
  }
  return ok(tokens)
}

/** Comments nest, and a backslash takes the meaning from what follows it (RFC 5322 §3.2.2). */
function endOfComment(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') at++
    else if (character === '(') depth++
    else if (character === ')' && --depth === 0) return at + 1
  }
  return -1
}

function readEnclosed(text: string, start: number, closing: string): { readonly text: string; readonly end: number } | null {
  const parts: string[] = []
  let from = start + 1
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === closing) return { text: parts.join('') + text.slice(from, at), end: at + 1 }
    if (character !== '\\') continue
    parts.push(text.slice(from, at), text.charAt(at + 1))
    from = at + 2
    at++
  }
  return null
}

function endOfWord(text: string, start: number): number {
  let end = start + 1
  while (end < text.length && !SPECIALS.has(text.charAt(end)) && !BLANK.has(text.charAt(end))) end++
  return end
}

const BLANK: ReadonlySet<string> = new Set(' \t')
/** RFC 5322 §3.2.3, without the dot. */
const SPECIALS: ReadonlySet<string> = new Set('()<>[]:;@\\,"')
const CONTROL = /[^\P{Cc}\t]/u
