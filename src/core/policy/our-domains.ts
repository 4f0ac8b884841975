/**
 * Which domains and networks are ours: classes w, R and m.
 */

import type { Policy } from './policy.ts'

export function isLocalDomain(policy: Policy, domain: string): boolean {
  return policy.localDomains.has(domain)
}

/** `localhost`, with our own domain or UUCP behind it or with nothing: a name of this very host. */
export function isLocalhost(policy: Policy, domain: string): boolean {
  if (!domain.startsWith(LOCALHOST)) return false
  const rest = domain.slice(LOCALHOST.length)
  if (rest === '' || (rest === '.uucp' && policy.features.uucpPaths === 'follow')) return true
  const dot = policy.hostname.indexOf('.')
  return (dot !== -1 && rest === policy.hostname.slice(dot)) || (rest.startsWith('.') && policy.ownDomains.has(rest.slice(1)))
}

const LOCALHOST = 'localhost'

/** A relay domain or a host below one; with relayHostsOnly the very name. */
export function isInRelayDomain(policy: Policy, domain: string): boolean {
  return policy.features.relayHostsOnly ? policy.relayDomains.has(domain) : isWithin(policy.relayDomains, domain)
}

/** FEATURE(relay_entire_domain): one of our own domains or a host below it. */
export function isInOwnDomain(policy: Policy, domain: string): boolean {
  return policy.features.relayEntireDomain && isWithin(policy.ownDomains, domain)
}

/** The address is in a relay network, on a boundary of its notation: `10.2` has 10.2.0.1, not 10.20.0.1. */
export function isInRelayNetwork(policy: Policy, accessAddress: string): boolean {
  if (policy.relayNetworks.size === 0) return false
  let key = accessAddress.toLowerCase()
  const separator = key.startsWith('ipv6:') ? ':' : '.'
  for (;;) {
    if (policy.relayNetworks.has(key)) return true
    const cut = key.lastIndexOf(separator)
    if (cut <= 0) return false
    key = key.slice(0, cut)
  }
}

/** The name is a member, or below one by whole labels. */
function isWithin(members: ReadonlySet<string>, name: string): boolean {
  if (members.size === 0) return false
  for (let start = 0; ; ) {
    if (members.has(start === 0 ? name : name.slice(start))) return true
    const dot = name.indexOf('.', start)
    if (dot === -1) return false
    start = dot + 1
  }
}
