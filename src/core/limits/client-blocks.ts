/**
 * Which addresses count as one client, and which as one network.
 *
 * Whoever has one IPv6 address has all of its /64 (RFC 6177 §2 and RFC 4291 §2.5.1), so a limit for
 * a single one would be none. A /48 is what a site is usually given, as a /24 is for IPv4.
 */

import { formatNetwork, networkAround } from '../policy/networks.ts'

/** An IPv4 address, or the /64 of an IPv6 address. What is no address counts as itself. */
export function addressBlock(address: string): string {
  const network = address.includes(':') ? networkAround(address, 32, 64) : null
  return network === null ? address : formatNetwork(network)
}

/** The /24 or /48 around an address. */
export function networkBlock(address: string): string {
  const network = networkAround(address, 24, 48)
  return network === null ? address : formatNetwork(network)
}
