/** Where a password counts: in the networks that it was set for, or anywhere. */

import { isListed, parsePeer } from '../peers/peer-list.ts'
import type { PasswordRecord } from './password-file.ts'

export function countsFrom({ networks }: Pick<PasswordRecord, 'networks'>, address: string): boolean {
  if (networks.length === 0) return true
  return isListed(address, networks.flatMap(text => {
    const network = parsePeer(text)
    return network.ok ? [network.value] : []
  }))
}
