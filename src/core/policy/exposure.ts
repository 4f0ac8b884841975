/**
 * Whether strangers can relay (S20): the ways in that have been tried on mail servers for decades,
 * put to the policy itself.
 */

import type { Asker } from './decision.ts'
import type { Policy } from './policy.ts'
import { tryOutWithoutDns } from './trial.ts'

export type Exposure = {
  readonly client: string
  readonly reversePath: string
  readonly forwardPath: string
}

/** For each address that can relay without a certificate, the first attempt that would be relayed. */
export function openRelays(policy: Policy): readonly Exposure[] {
  const all = attempts(policy)
  return STRANGERS.flatMap(client => all.find(attempt => attempt.client === client && isRelayed(policy, attempt)) ?? [])
}

/** Addresses for documentation (RFC 5737, RFC 3849), which are nobody's. */
const STRANGERS = ['192.0.2.44', '198.51.100.44', '203.0.113.44', '2001:db8:44::44']
const ELSEWHERE = 'open-relay-check.invalid'

function attempts(policy: Policy): readonly Exposure[] {
  const [ours = policy.hostname] = policy.relayDomains
  const forwardPaths = [
    `victim@${ELSEWHERE}`,
    `victim%${ELSEWHERE}@${ours}`,
    `"victim@${ELSEWHERE}"@${ours}`,
    `${ELSEWHERE}!victim@${ours}`,
    `victim@${ELSEWHERE}@${ours}`,
    `@${ours}:victim@${ELSEWHERE}`,
    `victim@[203.0.113.99]`,
  ]
  const reversePaths = ['', `stranger@${ELSEWHERE}`, `postmaster@${ours}`]
  return STRANGERS.flatMap(client =>
    reversePaths.flatMap(reversePath => forwardPaths.map(forwardPath => ({ client, reversePath, forwardPath }))),
  )
}

function isRelayed(policy: Policy, { client, reversePath, forwardPath }: Exposure): boolean {
  const asker: Asker = {
    listener: 'mx',
    host: { address: client, name: null },
    hello: policy.hostname,
    identity: { kind: 'plaintext' },
    authentication: null,
  }
  const decision = tryOutWithoutDns(policy, { asker, reversePath, forwardPath }, 'check').at(-1)?.decision
  return decision?.verdict === 'accept' && leadsElsewhere(forwardPath, decision.relay)
}

/** Mail that ends in a domain of ours is not relayed, whatever its local part looks like. */
function leadsElsewhere(forwardPath: string, relay: boolean): boolean {
  return relay || forwardPath.endsWith(`@${ELSEWHERE}`) || forwardPath.endsWith(']')
}
