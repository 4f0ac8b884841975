/**
 * Limits that hold for more than one connection: whom they count as one, and what exceeded them.
 *
 * A rate question stands beside `decide` and not inside it: what it depends on changes with every
 * command, and the policy is a function of its settings and the question alone.
 */

import type { AccessEntry } from '../policy/decision.ts'
import type { Network } from '../policy/networks.ts'
import type { ClientIdentity } from '../names/identity.ts'
import type { Rate } from './rate.ts'
import type { Usage } from './usage-table.ts'

/** One rate for each usage; null for none. */
export type Rates = { readonly [Each in Usage]: Rate | null }

/** `[limits]` of postern.toml, as far as it is about clients and not about one connection. */
export type ClientLimits = {
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly connectionsPerNetwork: number
  readonly connectionsPerIdentity: number
  readonly exempt: readonly Network[]
  readonly address: Rates
  readonly network: Rates
  readonly identity: Rates
  readonly all: Rates
}

/** Who is counted as one. */
export type Circle = 'address' | 'network' | 'identity' | 'all'

/** A limit that is exceeded. */
export type Excess = {
  readonly of: Circle
  readonly what: 'openConnections' | Usage
  /** For the administrator: the setting and its value, or the line of the access map. */
  readonly limit: string
  /** The line of the access map that has set it: then the client is told what sendmail tells. */
  readonly entry: AccessEntry | null
}

/** A name for whoever has proved an identity that counts, however many certificates it has; null for a stranger. */
export function identityKey(identity: ClientIdentity): string | null {
  if (identity.kind !== 'verified') return null
  return identity.holder === null ? `certificate ${identity.certificate.fingerprint}` : `holder ${identity.holder.name.toLowerCase()}`
}
