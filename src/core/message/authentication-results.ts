/**
 * Authentication-Results fields that strangers write in our name (RFC 8601 §5).
 *
 * A mail program trusts such a field because of the name at its beginning. Ours may stand there only
 * if we put it there.
 */

import { canonicalDomain } from '../names/address.ts'
import { tokenize, type Token } from './structured-field.ts'

/**
 * Does the field claim to be from this host? One that cannot be read does, too: what follows it in
 * the chain may read it differently, and it tells nobody anything.
 */
export function claimsToBeOurs(text: string, hostname: string): boolean {
  const tokens = tokenize(text)
  if (!tokens.ok || NO_UTF8.test(text)) return true
  const own = canonicalDomain(hostname)
  const [first, ...more] = tokens.value
  if (first === undefined) return true
  if (isName(first, own)) return true
  // RFC 8601 §2.2 has the name in one piece. A lax reader may take one in pieces (`mx . example.org`)
  // for the same, with or without the version behind it.
  const end = more.findIndex(token => token.kind === 'special' && token.text === ';')
  const together = [first, ...(end === -1 ? more : more.slice(0, end))].map(token => token.text).join('')
  return canonicalDomain(together) === own || canonicalDomain(withoutVersion(together)) === own
}

/** One look at each digit: a regular expression would begin anew at each (S18). */
function withoutVersion(text: string): string {
  let end = text.length
  while (end > 0 && DIGITS.has(text.charAt(end - 1))) end--
  return text.slice(0, end)
}

/** In a token of RFC 2045 §5.1 the name would end before these. */
function isName(token: Token, own: string): boolean {
  return token.kind !== 'special' && canonicalDomain(token.text.replace(/[/=?].*$/su, '')) === own
}

const NO_UTF8 = /�/
const DIGITS: ReadonlySet<string> = new Set('0123456789')
