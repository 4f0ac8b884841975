/**
 * What DNS said when the old server decided. Nobody asks it again, since it says something else by now:
 * a refusal for what it said then is put to the new policy with that answer, and everything else with
 * the answers that speak for the client.
 */

import type { DomainFound } from '../policy/decision.ts'
import { NO_CHECKS } from '../policy/site-checks.ts'
import type { SiteChecks } from '../policy/site-checks.ts'

/** What DNS had against a client or a sender. */
export type RefusalCause = 'senderDomainMissing' | 'senderDomainUnresolved' | 'reverseName' | 'blocklist'

export type ReplayFacts = {
  /** Of the new policy's checks those that this was about. */
  readonly checks: SiteChecks
  readonly senderDomain: DomainFound
  readonly listings: ReadonlyMap<string, readonly string[]>
}

/** `reply`: of a list with words of its own, its name may be in them. */
export function factsOf(checks: SiteChecks, cause: RefusalCause | null, reply: string): ReplayFacts {
  switch (cause) {
    case 'senderDomainMissing':
    case 'senderDomainUnresolved':
      return { ...NOTHING, checks: { ...NO_CHECKS, senderDomain: checks.senderDomain }, senderDomain: cause === 'senderDomainMissing' ? 'no' : 'unknown' }
    case 'reverseName':
      return { ...NOTHING, checks: { ...NO_CHECKS, reverseName: checks.reverseName } }
    case 'blocklist':
    case null: {
      const named = checks.blocklists.find(({ zone }) => reply.toLowerCase().includes(operatorOf(zone)))
      const list = cause === null ? named : (named ?? checks.blocklists[0])
      if (list === undefined) return NOTHING
      return { ...NOTHING, checks: { ...NO_CHECKS, blocklists: [list] }, listings: new Map([[list.zone, [list.answers[0] ?? '127.0.0.2']]]) }
    }
  }
}

const NOTHING: ReplayFacts = { checks: NO_CHECKS, senderDomain: 'yes', listings: new Map() }

/** `list.example` of `zone.list.example`: texts name the page of a list, not its zone. */
function operatorOf(zone: string): string {
  return zone.toLowerCase().split('.').slice(-2).join('.')
}
