/**
 * What the value of an access map entry asks for.
 *
 * sendmail compares values as a row of tokens and without regard to case. So white space at the end (the CR
 * of a file from Windows, too) and comments in parentheses do not matter, and `RELAY extra words` is not RELAY: like every text that is
 * no keyword, it refuses.
 */

import type { PolicyReply } from './decision.ts'
import { unknownValue } from './refusals.ts'

export type AccessAction =
  | { readonly kind: 'ok' | 'relay' | 'reject' | 'discard' | 'skip' | 'friend' | 'hater' }
  /** What sendmail 8.10 had in `To:` entries for FRIEND and HATER. */
  | { readonly kind: 'oldFriend' }
  /** With no reason it holds mail of senders and recipients all the same; a client it refuses. */
  | { readonly kind: 'quarantine'; readonly reason: string }
  /** `ERROR:…`, or a text that begins with a reply code. */
  | { readonly kind: 'reply'; readonly reply: PolicyReply }
  /** No keyword at all; sendmail refuses with the text itself. */
  | { readonly kind: 'unknown'; readonly reply: PolicyReply }

export function parseAccessValue(value: string): AccessAction {
  const text = scannedValue(value)
  const keyword = KEYWORDS.get(text) ?? KEYWORDS.get(text.toUpperCase())
  if (keyword !== undefined) return keyword
  const colon = text.indexOf(':')
  const word = colon === -1 ? '' : text.slice(0, colon).trimEnd().toUpperCase()
  const rest = text.slice(colon + 1).trimStart()
  if (word === 'QUARANTINE') return { kind: 'quarantine', reason: printable(rest) }
  return word === 'ERROR' ? errorReply(rest) : reply(text, null)
}

/** True for exactly this word, in any case. For the entries that know nothing but words. */
export function isWord(value: string, word: 'RELAY' | 'SUBJECT' | 'OK' | 'SKIP' | 'NO'): boolean {
  return value === word || scannedValue(value).toUpperCase() === word
}

const KEYWORDS: ReadonlyMap<string, AccessAction> = new Map([
  ['OK', { kind: 'ok' }],
  ['RELAY', { kind: 'relay' }],
  ['REJECT', { kind: 'reject' }],
  ['DISCARD', { kind: 'discard' }],
  ['SKIP', { kind: 'skip' }],
  ['FRIEND', { kind: 'friend' }],
  ['HATER', { kind: 'hater' }],
  ['SPAMFRIEND', { kind: 'oldFriend' }],
  ['SPAMHATER', { kind: 'oldFriend' }],
])

/** `D.S.N:CCC text`, `D.S.N:"CCC text"`, or a plain reply. */
function errorReply(text: string): AccessAction {
  const [whole, status = ''] = STATUS_PREFIX.exec(text) ?? []
  return whole === undefined ? reply(text, null) : reply(text.slice(whole.length), STATUS.test(status) ? status : null)
}

/** `CCC text`, where the text may begin with a status of its own. A code without a text is none. */
function reply(value: string, statusBefore: string | null): AccessAction {
  const [, code, words = ''] = REPLY.exec(unquoted(value)) ?? []
  if (code === undefined) return { kind: 'unknown', reply: unknownValue }
  const [whole = '', statusWithin] = LEADING_STATUS.exec(words) ?? []
  const enhanced = statusWithin ?? statusBefore ?? `${code[0]}.0.0`
  return { kind: 'reply', reply: { code: Number(code), enhanced, text: printable(words.slice(whole.length)) } }
}

const STATUS_PREFIX = /^([^.:\s"]+\.[^.:\s"]+\.[^.:\s"]+)\s*:\s*/
const STATUS = /^[245]\.\d{1,3}\.\d{1,3}$/
const REPLY = /^([45]\d\d)\s+(\S.*)$/s
const LEADING_STATUS = /^([245]\.\d{1,3}\.\d{1,3})\s+(?=\S)/

/** Quotation marks hold blanks together and are not sent. */
function unquoted(text: string): string {
  return text.includes('"') ? text.replaceAll('"', '') : text
}

/** RFC 5321 §4.2: the text of a reply is printable ASCII. A map may hold anything. */
function printable(text: string): string {
  return text.replace(/\t/g, ' ').replace(/[^\x20-\x7e]/g, '?')
}

/**
 * What is left of a value for its reader. Sendmail scans values as it scans addresses: `(…)` is a
 * comment, a backslash is not itself there, and white space at the end is nothing.
 */
export function scannedValue(text: string): string {
  if (!ODD.test(text)) return withoutTrailingBlanks(text)
  let kept = ''
  let depth = 0
  let inQuotes = false
  // How far what was kept is more than white space; a blank behind a backslash is.
  let end = 0
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '\\') {
      at += 1
      if (depth === 0) kept += text.charAt(at)
      end = kept.length
    } else if (character === '(' && !inQuotes) {
      depth += 1
    } else if (character === ')' && !inQuotes && depth > 0) {
      depth -= 1
      kept += ' '
    } else if (depth === 0) {
      if (character === '"') inQuotes = !inQuotes
      kept += character
      if (!BLANKS.has(character.charCodeAt(0))) end = kept.length
    }
  }
  return kept.slice(0, end).trimStart()
}

const ODD = /[(\\]/

/** A value in the pieces that sendmail compares: words, quoted text, and each character that is no part of a word. */
export function tokensOf(value: string): readonly string[] {
  return scannedValue(value).match(TOKEN) ?? []
}

/** The number that a word begins with, read with any base as C's `strtol` does: `0128` is ten. Null if there is none. */
export function numberIn(word: string): number | null {
  const [digits] = /^0x[0-9a-f]+|^0[0-7]*|^[1-9]\d*/i.exec(word) ?? []
  if (digits === undefined) return null
  return /^0[0-7]/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)
}

const TOKEN = /"[^"]*"?|[.:%@!^/[\]+()<>,;]|[^\s".:%@!^/[\]+()<>,;]+/g

/** Of ASCII only: what else is blank in Unicode is a letter to sendmail. */
function withoutTrailingBlanks(text: string): string {
  let end = text.length
  while (end > 0 && BLANKS.has(text.charCodeAt(end - 1))) end -= 1
  return end === text.length ? text : text.slice(0, end)
}

/** `isspace` of C's own locale. */
const BLANKS: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20])
