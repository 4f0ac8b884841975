/**
 * Which mail exchangers to try, and in which order (RFC 5321 §5.1, RFC 7505).
 *
 * Pure: DNS answers and random numbers are passed in. What must never be tried is decided here, too:
 * hosts that lead back to us (a loop), and addresses that lead back to this machine (S21).
 */

import { fail, ok, type Result } from '../result.ts'
import type { AttemptProblem, NoRoute } from './outcome.ts'

export type MxRecord = { readonly preference: number; readonly host: string }

/** What DNS said of a domain's MX records; as the resolver's port. */
export type MxAnswer =
  | { readonly kind: 'found'; readonly values: readonly MxRecord[] }
  | { readonly kind: 'noName' }
  | { readonly kind: 'noData' }
  | { readonly kind: 'failed'; readonly detail: string }

/**
 * The hosts to try for a domain, best first.
 *
 * `ownNames` are the names we go by, in lower case. `randoms` are numbers in [0, 1), one for each
 * record: hosts of equal preference are tried in random order (RFC 5321 §5.1).
 */
export function orderHosts(
  domain: string,
  answer: MxAnswer,
  context: { readonly ownNames: ReadonlySet<string>; readonly randoms: readonly number[] },
): Result<readonly string[], AttemptProblem> {
  const noRoute = (cause: NoRoute, detail: string): Result<never, AttemptProblem> => fail({ kind: 'noRoute', cause, domain, detail })
  if (answer.kind === 'failed') return noRoute('dnsFailed', `its MX records cannot be looked up now: ${answer.detail}`)
  if (answer.kind === 'noName') return noRoute('noSuchDomain', 'there is no such domain')
  // RFC 5321 §5.1: without MX records the domain itself is its mail exchanger.
  const records = answer.kind === 'noData' ? [{ preference: 0, host: domain }] : answer.values
  const named = records.map(record => ({ ...record, host: normalizeHost(record.host) }))
  const usable = named.filter(record => record.host !== '')
  if (usable.length === 0) return noRoute('nullMx', 'the domain says that it takes no mail')
  const own = usable.filter(record => context.ownNames.has(record.host))
  const limit = Math.min(...own.map(record => record.preference))
  const ahead = usable.filter(record => record.preference < limit)
  if (ahead.length === 0) return noRoute('loop', 'its best mail exchanger is this server, which does not know it as a domain of ours')
  const shuffled = ahead.map((record, i) => ({ record, random: context.randoms[i] ?? 0 }))
  shuffled.sort((a, b) => a.record.preference - b.record.preference || a.random - b.random)
  return ok([...new Set(shuffled.map(({ record }) => record.host))])
}

/** In lower case, without the root's dot; '' for the root itself, which is the null MX (RFC 7505 §3). */
function normalizeHost(host: string): string {
  return (host.endsWith('.') ? host.slice(0, -1) : host).toLowerCase()
}

/**
 * The address in `[192.0.2.7]` or `[IPv6:2001:db8::7]` (RFC 5321 §4.1.3), null if there is none.
 * The brackets tell it from a name, what is between them is for the network to judge.
 */
export function literalAddress(domain: string): string | null {
  const match = /^\[(?:ipv6:)?([0-9a-f.:]+)\]$/i.exec(domain)
  return match?.[1] ?? null
}

/**
 * Addresses that no mail exchanger of a stranger may have: this machine, nobody, everybody. A domain
 * whose MX is 127.0.0.1 would have us talk to ourselves, with a relay's trust in its own machine.
 */
export function isUnusableAddress(address: string): boolean {
  const mapped = /^(?:0*:)*:?ffff:(.+)$/i.exec(address)?.[1]
  const bare = (mapped !== undefined ? unmap(mapped) : address).toLowerCase()
  if (!bare.includes(':')) return UNUSABLE_IPV4.test(bare)
  // ::, ::1 and the old IPv4-compatible ::7f00:1 are all "nothing but zeros in front"; ff00::/8 is multicast.
  return bare.startsWith('::') || /^(?:0+:){7}/.test(bare) || bare.startsWith('ff')
}

/** The tail of an IPv4-mapped address, `127.0.0.1` or `7f00:1`, as IPv4. */
function unmap(tail: string): string {
  if (tail.includes('.')) return tail
  const [high = 0, low = 0] = tail.split(':').map(group => Number.parseInt(group, 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** This network, loopback, multicast and what is above it, broadcast included. */
const UNUSABLE_IPV4 = /^(?:0|127|22[4-9]|23[0-9]|24[0-9]|25[0-5])\./
