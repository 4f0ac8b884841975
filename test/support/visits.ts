/** Limits for tests: none, unless a test says so. */

import type { ClientLimits, Rates } from '../../src/core/limits/limits.ts'
import { UsageTable } from '../../src/core/limits/usage-table.ts'
import type { AddressTerms } from '../../src/core/policy/client-terms.ts'
import { Limiter, Visit } from '../../src/relay/limiter.ts'

export const noRates: Rates = { connections: null, messages: null, recipients: null, bytes: null, errors: null }

export const noLimits: ClientLimits = {
  connections: 1e6,
  connectionsPerAddress: 1e6,
  connectionsPerNetwork: 1e6,
  connectionsPerIdentity: 1e6,
  exempt: [],
  address: noRates,
  network: noRates,
  identity: noRates,
  all: noRates,
}

export const noTerms: AddressTerms = { connections: null, connectionRate: null, mayRelay: false }

export function limiterWith(limits: Partial<ClientLimits>, table: UsageTable = new UsageTable(1000, false)): Limiter {
  return new Limiter({ ...noLimits, ...limits }, table)
}

/** A connection that no limit is in the way of. */
export function anyVisit(): Visit {
  const visit = limiterWith({}).admit('192.0.2.7', noTerms, 0)
  if (!(visit instanceof Visit)) throw new Error(`turned away: ${visit.limit}`)
  return visit
}
