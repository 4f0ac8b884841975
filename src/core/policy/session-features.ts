/**
 * What the access map says about a session beyond mail: Srv_Features, Try_TLS, TLS_…_Features.
 */

import { isWord, tokensOf } from './access-value.ts'
import type { AccessEntry } from './decision.ts'
import { hasEntries, lookUpAddress, lookUpDomain } from './lookups.ts'
import type { Search } from './lookups.ts'
import type { Policy } from './policy.ts'
import { findPeerEntry } from './tls-requirements.ts'

/** The other side: its name or, in brackets, its address; and its address in access map form. */
export type PeerHost = { readonly name: string; readonly address: string }

/** Features of our own side as a server for this client. Letters that sendmail ignores are left out. */
export function serverFeatures(policy: Policy, peer: PeerHost): { readonly letters: readonly string[]; readonly offersStartTls: boolean } {
  const search = { policy, because: [] }
  const value = (hasEntries(search, 'Srv_Features') ? findPeerEntry(search, 'Srv_Features', peer)?.value : null) ?? ''
  const letters = tokensOf(value)
  return { letters, offersStartTls: !letters.some(word => word.startsWith('S')) }
}

/** Try_TLS: the line for a server. */
export function findTryTlsEntry(search: Search, peer: PeerHost): AccessEntry | null {
  return hasEntries(search, 'Try_TLS') ? findPeerEntry(search, 'Try_TLS', peer) : null
}

/** STARTTLS is not to be used. Whatever is not NO lets it be. */
export function forbidsTls(line: AccessEntry | null): boolean {
  return line !== null && isWord(line.value, 'NO')
}

/** Settings for TLS with this peer, by its name or its address: there is no line for all. */
export function findTlsSessionEntry(search: Search, tag: 'TLS_Srv_Features' | 'TLS_Clt_Features', peer: PeerHost): AccessEntry | null {
  if (!hasEntries(search, tag)) return null
  return lookUpDomain(search, tag, peer.name) ?? lookUpAddress(search, tag, peer.address)
}
