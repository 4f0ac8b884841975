/**
 * One canonical form of a mail address, for the policy and for the next hop alike.
 *
 * Two programs that split an address differently are how a relay is talked into sending where it
 * should not (S15). So there is one reading of a path, and whoever needs its local part or its domain
 * asks here. What cannot be read in one way only is a problem, never a guess.
 */

import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { NON_ASCII, toALabels } from './idna.ts'

export type Address = {
  /** Without quotes and backslashes: the mailbox that is meant, not how it was spelt. */
  readonly localPart: string
  /**
   * As DNS has it: in lower case and A-labels, without a final dot; an address literal keeps its brackets. Null if there is none:
   * `<postmaster>` (RFC 5321 §4.5.1).
   */
  readonly domain: string | null
}

export type AddressProblem =
  /** No address at all: the empty path, or nothing before the `@`. */
  | 'empty'
  /** More than one `@`, a bare comma, a colon in the domain, a source route without a host or without its address. */
  | 'invalidRoute'
  /** A domain that no host can have: an empty label, a blank, something beside the brackets. */
  | 'hostName'
  /** An open quotation mark, a backslash at the end, an empty domain. */
  | 'malformed'

/**
 * Reads a path as it stood between the angle brackets. A source route is read over, as RFC 5321
 * §4.1.1.3 tells a server to; it never takes part in a decision.
 */
export function parseAddress(path: string): Result<Address, AddressProblem> {
  if (path.length === 0) return fail('empty')
  const mailbox = path.charCodeAt(0) === AT ? afterRoute(path) : path
  if (mailbox === null) return fail('invalidRoute')
  // The plain case, which is nearly every address: nothing quoted, no literal, no comma.
  if (!SPECIAL.test(mailbox)) {
    const at = mailbox.indexOf('@')
    if (at === -1) return ok({ localPart: mailbox, domain: null })
    if (mailbox.indexOf('@', at + 1) !== -1) return fail('invalidRoute')
    return fromParts(mailbox.slice(0, at), mailbox.slice(at + 1))
  }
  return parseQuoted(mailbox)
}

/** The address as text. Quotes the local part where RFC 5321 §4.1.2 needs it. */
export function formatAddress(address: Address): string {
  const { localPart, domain } = address
  const local = DOT_STRING.test(localPart) ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`
  return domain === null ? local : `${local}@${domain}`
}

/** The domain that decides the next hop of a path, or null if it has none or cannot be read. */
export function domainOf(path: string): string | null {
  const address = parseAddress(path)
  return address.ok ? address.value.domain : null
}

/**
 * Domains in one spelling, the one that DNS is asked for: lower case, A-labels, without the final dot of a name that is
 * written out. What has no name in DNS stays as it is, and finds nothing there either.
 */
export function canonicalDomain(domain: string): string {
  const lower = (NON_ASCII.test(domain) ? toALabels(domain) : null) ?? domain.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

const AT = 0x40
const SPECIAL = /["\\[\],]/
/** Dot-string of RFC 5321 §4.1.2, with the letters of RFC 6531 §3.3. */
const DOT_STRING = /^[a-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\uffff]+(?:\.[a-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\uffff]+)*$/i

/** What follows `@a,@b:`; null if nothing does. Colons in an address literal do not end the route. */
function afterRoute(path: string): string | null {
  let inLiteral = false
  for (let at = 0; at < path.length; at += 1) {
    const character = path[at]
    if (character === '[') inLiteral = true
    else if (character === ']') inLiteral = false
    else if (character === ':' && !inLiteral) {
      const rest = path.slice(at + 1)
      return at === 1 || rest.length === 0 || rest.charCodeAt(0) === AT ? null : rest
    }
  }
  return null
}

/** One pass over a mailbox with quotation marks, backslashes or a literal. */
function parseQuoted(mailbox: string): Result<Address, AddressProblem> {
  let localPart = ''
  let inQuotes = false
  for (let at = 0; at < mailbox.length; at += 1) {
    const character = mailbox.charAt(at)
    if (character === '\\') {
      at += 1
      if (at === mailbox.length) return fail('malformed')
      localPart += mailbox.charAt(at)
    } else if (character === '"') {
      inQuotes = !inQuotes
    } else if (character === ',' && !inQuotes) {
      return fail('invalidRoute')
    } else if (character === '@' && !inQuotes) {
      return fromParts(localPart, mailbox.slice(at + 1))
    } else {
      localPart += character
    }
  }
  return inQuotes ? fail('malformed') : fromLocalPart(localPart)
}

function fromLocalPart(localPart: string): Result<Address, AddressProblem> {
  return localPart.length === 0 ? fail('empty') : ok({ localPart, domain: null })
}

function fromParts(localPart: string, domain: string): Result<Address, AddressProblem> {
  if (localPart.length === 0) return fail('empty')
  if (domain.includes('@')) return fail('invalidRoute')
  const canonical = canonicalDomain(domain)
  if (canonical.length === 0) return fail('malformed')
  if (!canonical.startsWith('[') && ROUTE_MARK.test(canonical)) return fail('invalidRoute')
  return DOMAIN.test(canonical) ? ok({ localPart, domain: canonical }) : fail('hostName')
}

const ROUTE_MARK = /[:,]/
/** A literal in one pair of brackets, or labels with single dots between them. */
const DOMAIN = /^(?:\[[^[\]\s]+\]|[^\s[\]"\\.]+(?:\.[^\s[\]"\\.]+)*)$/
