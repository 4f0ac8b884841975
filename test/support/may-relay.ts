/** Whether a client with this identity may relay by this access map, with Postern's own settings. */

import { decide } from '../../src/core/policy/decide.ts'
import type { ClientIdentity } from '../../src/core/names/identity.ts'
import { policyWith } from './policies.ts'

export function mayRelay(identity: ClientIdentity, access: string): boolean {
  const policy = policyWith(access)
  const asker = { listener: 'mx', host: { address: '192.0.2.7', name: { resolve: 'FAIL' } }, hello: 'c.test', identity, authentication: null } as const
  const question = { kind: 'recipient', asker, reversePath: 'a@b.test', forwardPath: 'ann@elsewhere.test' } as const
  const answer = decide(policy, question, { domainExists: new Map(), isMxFor: new Map() }, 'D1')
  return answer.kind === 'decided' && answer.decision.verdict === 'accept' && answer.decision.relay
}
