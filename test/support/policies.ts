/** Postern's own policy with this access map. */

import { parseAccessMap } from '../../src/core/policy/access-map.ts'
import { compilePolicy, posternFeatures, type Policy, type PolicyFeatures } from '../../src/core/policy/policy.ts'

export function policyWith(access: string, features: Partial<PolicyFeatures> = {}): Policy {
  return compilePolicy({
    access: parseAccessMap(access, 'access').map,
    hostname: 'mx.example.test',
    localDomains: [],
    relayDomains: ['example.test'],
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'off',
    features: { ...posternFeatures, ...features },
  })
}
