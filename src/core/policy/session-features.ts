/**
 * What the access map says about TLS with one peer, before there is any: Try_TLS and TLS_…_Features.
 */

import { isWord } from './access-value.ts'
import type { AccessEntry } from './decision.ts'
import { hasEntries, lookUpAddress, lookUpDomain } from './lookups.ts'
import type { Search } from './lookups.ts'
import { findPeerEntry } from './tls-requirements.ts'

/** The other side: its name or, in brackets, its address; and its address in access map form. */
export type PeerHost = { readonly name: string; readonly address: string }

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
