/**
 * What the value of an access map entry asks for.
 *
 * sendmail compares values as a row of tokens and without regard to case. So blanks at the end do not
 * matter, and `RELAY extra words` is not RELAY: like every text that is no keyword, it refuses.
 */

import type { PolicyReply } from './decision.ts'
import { unknownValue } from './refusals.ts'

export type AccessAction =
  | { readonly kind: 'ok' | 'relay' | 'reject' | 'discard' | 'skip' | 'friend' | 'hater' }
  | { readonly kind: 'quarantine'; readonly reason: string }
  /** `ERROR:…`, or a text that begins with a reply code. */
  | { readonly kind: 'reply'; readonly reply: PolicyReply }
  /** No keyword at all; sendmail refuses with the text itself. */
  | { readonly kind: 'unknown'; readonly reply: PolicyReply }

export function parseAccessValue(value: string): AccessAction {
  const text = withoutTrailingBlanks(value)
  const keyword = KEYWORDS.get(text) ?? KEYWORDS.get(text.toUpperCase())
  if (keyword !== undefined) return keyword
  const colon = text.indexOf(':')
  const word = colon === -1 ? '' : text.slice(0, colon).toUpperCase()
  if (word === 'QUARANTINE' && colon + 1 < text.length) return { kind: 'quarantine', reason: printable(text.slice(colon + 1)) }
  if (word === 'ERROR' && colon + 1 < text.length) return errorReply(text.slice(colon + 1))
  return plainReply(text)
}

/** True for exactly this word, in any case. For the entries that know nothing but words. */
export function isWord(value: string, word: 'RELAY' | 'SUBJECT' | 'OK' | 'SKIP' | 'NO'): boolean {
  return value === word || withoutTrailingBlanks(value).toUpperCase() === word
}

const KEYWORDS: ReadonlyMap<string, AccessAction> = new Map([
  ['OK', { kind: 'ok' }],
  ['RELAY', { kind: 'relay' }],
  ['REJECT', { kind: 'reject' }],
  ['DISCARD', { kind: 'discard' }],
  ['SKIP', { kind: 'skip' }],
  ['FRIEND', { kind: 'friend' }],
  ['HATER', { kind: 'hater' }],
])

/** `D.S.N:CCC text`, `D.S.N:"CCC text"`, or a plain reply. */
function errorReply(text: string): AccessAction {
  const [whole, class_, subject, detail] = STATUS_PREFIX.exec(text) ?? []
  if (whole === undefined) return plainReply(text)
  const rest = unquoted(text.slice(whole.length))
  const [, code, words = ''] = REPLY.exec(rest) ?? []
  if (code === undefined) return { kind: 'unknown', reply: unknownValue }
  const status = `${class_}.${subject}.${detail}`
  const enhanced = STATUS.test(status) ? status : `${code[0]}.0.0`
  return { kind: 'reply', reply: { code: Number(code), enhanced, text: printable(words) } }
}

/** `CCC text`, where the text may begin with a status of its own. */
function plainReply(value: string): AccessAction {
  const text = unquoted(value)
  const [, code, words = ''] = REPLY.exec(text) ?? []
  if (code === undefined) return { kind: 'unknown', reply: unknownValue }
  const [whole, status] = LEADING_STATUS.exec(words) ?? []
  return whole === undefined || status === undefined
    ? { kind: 'reply', reply: { code: Number(code), enhanced: `${code[0]}.0.0`, text: printable(words) } }
    : { kind: 'reply', reply: { code: Number(code), enhanced: status, text: printable(words.slice(whole.length)) } }
}

const STATUS_PREFIX = /^([^.:\s]+)\.([^.:\s]+)\.([^.:\s]+):/
const STATUS = /^[245]\.\d{1,3}\.\d{1,3}$/
const REPLY = /^([45]\d\d)(?:[ \t]+(.*))?$/s
const LEADING_STATUS = /^([245]\.\d{1,3}\.\d{1,3})(?:[ \t]+|$)/

/** Quotation marks hold blanks together and are not sent. */
function unquoted(text: string): string {
  return text.includes('"') ? text.replaceAll('"', '') : text
}

/** RFC 5321 §4.2: the text of a reply is printable ASCII. A map may hold anything. */
function printable(text: string): string {
  return text.replace(/\t/g, ' ').replace(/[^\x20-\x7e]/g, '?')
}

function withoutTrailingBlanks(text: string): string {
  let end = text.length
  while (end > 0 && (text.charCodeAt(end - 1) === 0x20 || text.charCodeAt(end - 1) === 0x09)) end -= 1
  return end === text.length ? text : text.slice(0, end)
}
