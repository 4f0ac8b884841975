/**
 * Recipient domain to next hop: a route for the domain, else the smarthost, else its MX hosts.
 *
 * The most exact route wins: `example.org`, then `.example.org` for what is below it, from the longest
 * suffix to the shortest, then `*`.
 */

import { fail, ok, type Result } from '../result.ts'
import type { AttemptProblem } from './outcome.ts'

/**
 * What a next hop must prove. Later levels (DANE, a pinned fingerprint) are further members, so the
 * places that must think about them are compile errors then.
 */
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
  /** TLS from the first byte, as on port 465 (RFC 8314 §3.3). */
  readonly implicitTls: boolean
  /** Show our own certificate if asked. Never to servers that only DNS named. */
  readonly showCertificate: boolean
  /** PEM of the CAs that `verify` trusts; null: the public ones. */
  readonly trustedPem: readonly string[] | null
}

/** A server that the configuration names. It is trusted to be where its name says, even on loopback. */
export type ConfiguredHop = HopTerms & {
  readonly kind: 'host'
  readonly host: string
  readonly port: number
}

/** Where messages go next. */
export type NextHop = ConfiguredHop | (HopTerms & { readonly kind: 'mx'; readonly domain: string; readonly port: number })

export type Routing = {
  readonly smarthost: ConfiguredHop | null
  /** By `example.org`, `.example.org` or `*`, in lower case. */
  readonly routes: ReadonlyMap<string, ConfiguredHop>
  /** Our first domain, where `<postmaster>` without one is at home (RFC 5321 §4.5.1); '' without any. */
  readonly ownDomain: string
  /** For MX hosts. */
  readonly mx: { readonly tls: TlsLevel; readonly trustedPem: readonly string[] | null; readonly port: number }
}

/** The next hop for a recipient's address. */
export function nextHopOf(address: string, routing: Routing): Result<NextHop, AttemptProblem> {
  const domain = domainOf(address) || routing.ownDomain
  const configured = findRoute(domain, routing.routes) ?? routing.smarthost
  if (configured !== null) return ok(configured)
  if (domain === '') {
    const detail = 'the address has no domain, and neither relay.domains nor a smarthost says whose it is'
    return fail({ kind: 'noRoute', cause: 'badDomain', domain: address, detail })
  }
  return ok({ kind: 'mx', domain, implicitTls: false, showCertificate: false, ...routing.mx })
}

/**
 * What tells next hops apart: recipients with the same key share a queue and connections. A configured
 * hop is its own key, since two routes to one server may have different terms.
 */
export function hopKey(hop: NextHop): string | ConfiguredHop {
  return hop.kind === 'mx' ? hop.domain : hop
}

/** For people: `smtp.example.org:587`, `example.net`. */
export function formatHop(hop: NextHop): string {
  return hop.kind === 'mx' ? hop.domain : `${hop.host}:${hop.port}`
}

/** In lower case; '' for an address without one (RFC 5321 §4.1.1.3: `<postmaster>`). */
function domainOf(address: string): string {
  const at = address.lastIndexOf('@')
  return at === -1 ? '' : address.slice(at + 1).toLowerCase()
}

function findRoute(domain: string, routes: Routing['routes']): ConfiguredHop | null {
  if (routes.size === 0) return null
  const exact = routes.get(domain)
  if (exact !== undefined) return exact
  for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) {
    const below = routes.get(domain.slice(dot))
    if (below !== undefined) return below
  }
  return routes.get('*') ?? null
}
