/**
 * What the access map says about a client's connections beyond mail: ClientRate and ClientConn.
 */

import { accessAddress } from './client-address.ts'
import { numberIn, parseAccessValue, tokensOf } from './access-value.ts'
import type { AccessEntry, Reason } from './decision.ts'
import { canAnswer, hasEntries, lookUpAddress, lookUpExact } from './lookups.ts'
import type { Search } from './lookups.ts'
import { isInRelayNetwork } from './our-domains.ts'
import type { Policy } from './policy.ts'

/** A number of the access map, and the line that says it. */
export type EntryLimit = { readonly count: number; readonly entry: AccessEntry }

/** What is known of a client by its address alone. */
export type AddressTerms = {
  /** ClientConn: connections at one time; 0 for no limit. */
  readonly connections: EntryLimit | null
  /** ClientRate: new connections in a minute; 0 for no limit. */
  readonly connectionRate: EntryLimit | null
  /** A `Connect:` line or a relay network lets it relay: it is no stranger. */
  readonly mayRelay: boolean
}

export function addressTerms(policy: Policy, address: string): AddressTerms {
  const because: Reason[] = []
  const search = { policy, because }
  const written = accessAddress(address)
  const entry = canAnswer(search, 'Connect') ? lookUpAddress(search, 'Connect', written) : null
  return {
    connections: limitFor(search, 'ClientConn', written),
    connectionRate: limitFor(search, 'ClientRate', written),
    mayRelay: isInRelayNetwork(policy, written) || (entry !== null && parseAccessValue(entry.value).kind === 'relay'),
  }
}

/** By address, then the bare tag. */
function limitFor(search: Search, tag: 'ClientConn' | 'ClientRate', written: string): EntryLimit | null {
  const entry = limitEntry(search, tag, written)
  const count = entry === null ? null : parseCount(entry.value)
  return entry === null || count === null ? null : { count, entry }
}

/** `written`: null for a client of whom only the bare tag can speak. */
export function limitEntry(search: Search, tag: 'ClientConn' | 'ClientRate', written: string | null): AccessEntry | null {
  if (!hasEntries(search, tag)) return null
  return (written === null ? null : lookUpAddress(search, tag, written)) ?? lookUpExact(search, tag, '')
}

/**
 * A number as C reads it; `0` by itself is no limit. Deviates: of what is no number sendmail makes a limit
 * that every connection exceeds. Here the settings of the site hold in its place.
 */
function parseCount(value: string): number | null {
  const [word = ''] = tokensOf(value)
  const count = numberIn(word)
  return count === 0 && word !== '0' ? null : count
}
