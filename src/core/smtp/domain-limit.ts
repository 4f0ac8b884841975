/** RFC 9422 §4.3: a server may say how many recipient domains it takes over one connection (RCPTDOMAINMAX). */

import type { EnvelopeRecipient } from '../message/envelope.ts'
import { outcomeOf, type Outcome } from '../message/outcome.ts'
import { domainOf } from '../names/address.ts'
import type { ClientSession } from './client-session.ts'

/** `refusal`: why it is not to be named to this server. */
export type JudgedRecipient = { readonly refusal: Outcome | null; readonly accessLines: readonly string[] }

/** Recipients in more domains than the server takes over one connection are left for another. */
export function withinDomains(
  { extensions: { mostDomains }, peer, domains: named }: ClientSession,
  recipients: readonly EnvelopeRecipient[],
  judged: readonly JudgedRecipient[],
): { readonly judged: readonly JudgedRecipient[]; readonly domains: ReadonlySet<string> } {
  if (mostDomains === null) return { judged, domains: named }
  const domains = new Set(named)
  const within = judged.map((recipient, index) => {
    if (recipient.refusal !== null) return recipient
    const domain = domainOf(recipients[index]?.forwardPath ?? '')?.toLowerCase() ?? ''
    if (!domains.has(domain) && domains.size >= mostDomains) return { ...recipient, refusal: outcomeOf({ kind: 'connectionSpent', peer }) }
    domains.add(domain)
    return recipient
  })
  return { judged: within, domains }
}

/** A connection with no room for another domain takes no other message: it would have to be the right one. */
export function unlessFull(session: ClientSession | null): ClientSession | null {
  const most = session?.extensions.mostDomains ?? null
  return session === null || most === null || session.domains.size < most ? session : { ...session, transactionsLeft: 0 }
}
