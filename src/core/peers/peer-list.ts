/** Addresses and networks that postern.toml lists, and whether an address is among them. */

import { fail, ok, type Result } from '../result.ts'
import { addressGroups } from '../policy/client-address.ts'
import { networkContains, parseNetwork, type Network } from '../policy/networks.ts'

/** `10.0.0.5`, `192.0.2.0/24`, `2001:db8::/32`. */
export function parsePeer(text: string): Result<Network, string> {
  if (!text.includes('/')) {
    const groups = addressGroups(text)
    return groups === null ? fail(`${text} is no IP address`) : ok({ groups, length: groups.length * 16 })
  }
  const network = parseNetwork(text)
  if (network.ok) return network
  const { text: problem, suggestion } = network.problem
  return fail(suggestion === null ? problem : `${problem}; write "${suggestion}"`)
}

export function isListed(address: string, peers: readonly Network[]): boolean {
  const groups = addressGroups(address)
  return groups !== null && peers.some(peer => networkContains(peer, groups))
}
