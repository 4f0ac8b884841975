/** Whether a client with this identity may relay by this access map, with Postern's own settings. */

import { parseAccessMap } from '../../src/core/policy/access-map.ts'
import { decide } from '../../src/core/policy/decide.ts'
import { compilePolicy, posternFeatures } from '../../src/core/policy/policy.ts'
import type { ClientIdentity } from '../../src/core/names/identity.ts'

export function mayRelay(identity: ClientIdentity, access: string): boolean {
  const policy = compilePolicy({
    access: parseAccessMap(access, 'access').map,
    hostname: 'mx.example.test',
    localDomains: [],
    relayDomains: ['example.test'],
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'off',
    features: posternFeatures,
  })
  const asker = { listener: 'mx', host: { address: '192.0.2.7', name: { resolve: 'FAIL' } }, hello: 'c.test', identity, authentication: null } as const
  const question = { kind: 'recipient', asker, reversePath: 'a@b.test', forwardPath: 'ann@elsewhere.test' } as const
  const answer = decide(policy, question, { domainExists: new Map(), isMxFor: new Map() }, 'D1')
  return answer.kind === 'decided' && answer.decision.verdict === 'accept' && answer.decision.relay
}
