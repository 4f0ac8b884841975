/**
 * TLS_Rcpt: what TLS to the next hop must have proved before a recipient is named to it.
 */

import { parseAddress } from '../names/address.ts'
import type { AccessEntry } from './decision.ts'
import { lookUpDomain, lookUpExact, lookUpMailbox, lookUpUser } from './lookups.ts'
import type { Search } from './lookups.ts'

/** The entry for a recipient as it was first given; then the bare tag. */
export function findRecipientEntry(search: Search, forwardPath: string): AccessEntry | null {
  const parsed = parseAddress(forwardPath)
  if (!parsed.ok) return lookUpExact(search, 'TLS_Rcpt', '')
  const { localPart, domain } = parsed.value
  const entry =
    domain === null
      ? lookUpUser(search, 'TLS_Rcpt', localPart)
      : (lookUpMailbox(search, 'TLS_Rcpt', parsed.value) ??
        lookUpUser(search, 'TLS_Rcpt', localPart) ??
        lookUpDomain(search, 'TLS_Rcpt', domain))
  return entry ?? lookUpExact(search, 'TLS_Rcpt', '')
}
