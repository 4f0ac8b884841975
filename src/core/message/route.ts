/**
 * Recipient domain to next hop: a route for the domain, else the smarthost, else its MX hosts.
 *
 * The most exact route wins: `example.org`, then `.example.org` for what is below it, from the longest
 * suffix to the shortest, then `*`.
 */

import { parseAddress } from '../names/address.ts'
import { fail, ok, type Result } from '../result.ts'
import type { IgnorableKeyword } from '../smtp/extensions.ts'
import type { TlsWish } from './envelope.ts'
import type { AttemptProblem } from './outcome.ts'

/** What a next hop must prove. */
export type TlsLevel =
  | 'none'
  /** TLS where it is offered; in clear where it is not or the handshake fails. */
  | 'opportunistic'
  /** TLS with whatever certificate, or nothing is sent. */
  | 'encrypt'
  /** TLS, and a certificate of a trusted CA for the host's name, or nothing is sent. */
  | 'verify'

/** On which terms we talk to a next hop. */
export type HopTerms = {
  readonly tls: TlsLevel
  /** The server must promise TLS for the rest of the way, too (RFC 8689 §4.2.1): `tls` is `verify` then. */
  readonly requireTls: boolean
  /** TLS from the first byte, as on port 465 (RFC 8314 §3.3). */
  readonly implicitTls: boolean
  /** Show our own certificate if asked. Never to servers that only DNS named. */
  readonly showCertificate: boolean
  /** PEM of the CAs that `verify` trusts; null: the public ones. */
  readonly trustedPem: readonly string[] | null
  /** Keywords of its EHLO reply that we act on as if they were not there. */
  readonly ignoredKeywords: readonly IgnorableKeyword[]
}

/** A server that the configuration names. It is trusted to be where its name says, even on loopback. */
export type ConfiguredHop = HopTerms & {
  readonly kind: 'host'
  /** Tells it from others: two routes to one server may have different terms. */
  readonly key: string
  readonly host: string
  readonly port: number
}

/** Where messages go next. */
export type NextHop = ConfiguredHop | (HopTerms & { readonly kind: 'mx'; readonly domain: string; readonly port: number })

export type Routing = {
  readonly smarthost: ConfiguredHop | null
  /** By `example.org`, `.example.org` or `*`, as `canonicalDomain` has them. */
  readonly routes: ReadonlyMap<string, ConfiguredHop>
  /** Our first domain, where `<postmaster>` without one is at home (RFC 5321 §4.5.1); '' without any. */
  readonly ownDomain: string
  /** Whose level of TLS a sender may waive by `TLS-Required: No`. */
  readonly waivable: 'none' | 'mx' | 'all'
  /** For MX hosts. */
  readonly mx: Pick<HopTerms, 'tls' | 'trustedPem' | 'ignoredKeywords'> & { readonly port: number }
}

/** The next hop for a recipient's address, on terms that the sender's wish has a part in. */
export function nextHopOf(address: string, routing: Routing, wish: TlsWish): Result<NextHop, AttemptProblem> {
  const hop = usualHop(address, routing)
  return hop.ok ? ok(underWish(hop.value, routing, wish)) : hop
}

function underWish(hop: NextHop, { waivable }: Routing, wish: TlsWish): NextHop {
  // Deviates: RFC 8689 §4.2.1 wants the MX record itself to be proved, by DNSSEC or MTA-STS. We use
  // neither yet: the certificate must be for the name that the record, or the configuration, gives.
  if (wish === 'required') return { ...hop, tls: 'verify', requireTls: true }
  if (wish === 'encrypted' && hop.tls !== 'verify') return { ...hop, tls: 'encrypt' }
  const isStrict = hop.tls === 'encrypt' || hop.tls === 'verify'
  const isWaived = wish === 'waived' && isStrict && (waivable === 'all' || (waivable === 'mx' && hop.kind === 'mx'))
  return isWaived ? { ...hop, tls: 'opportunistic' } : hop
}

function usualHop(address: string, routing: Routing): Result<NextHop, AttemptProblem> {
  const noRoute = (detail: string): Result<never, AttemptProblem> => fail({ kind: 'noRoute', cause: 'badDomain', domain: address, detail })
  // The policy's reading: what it was asked about is where the message goes (S15).
  const parsed = parseAddress(address)
  if (!parsed.ok) return noRoute('it cannot be read as one address')
  const domain = parsed.value.domain ?? routing.ownDomain
  const configured = findRoute(domain, routing.routes) ?? routing.smarthost
  if (configured !== null) return ok(configured)
  if (domain === '') return noRoute('the address has no domain, and neither relay.domains nor a smarthost says whose it is')
  return ok({ kind: 'mx', domain, implicitTls: false, showCertificate: false, requireTls: false, ...routing.mx })
}

/** What tells next hops apart: recipients with the same key share a queue and connections. */
export function hopKey(hop: NextHop): string {
  const name = hop.kind === 'mx' ? hop.domain : hop.key
  return [hop.kind, name, hop.tls, ...(hop.requireTls ? ['REQUIRETLS'] : [])].join(' ')
}

/** For people: `smtp.example.org:587`, `example.net`. */
export function formatHop(hop: NextHop): string {
  return hop.kind === 'mx' ? hop.domain : `${hop.host}:${hop.port}`
}

/** The most exact of the routes for this domain. */
export function findRoute<Route>(domain: string, routes: ReadonlyMap<string, Route>): Route | null {
  if (routes.size === 0) return null
  const exact = routes.get(domain)
  if (exact !== undefined) return exact
  for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) {
    const below = routes.get(domain.slice(dot))
    if (below !== undefined) return below
  }
  return routes.get('*') ?? null
}
