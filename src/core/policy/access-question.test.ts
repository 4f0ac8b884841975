import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAccessMap } from './access-map.ts'
import { askAccess } from './access-question.ts'
import { compilePolicy, posternFeatures } from './policy.ts'

const MAP = `ClientRate:192.0.2\t5
ClientRate:\t50
ClientConn:IPv6:2001:db8\t3
GreetPause:slow.example\t5000
GreetPause:192.0.2\t1000
Spam:ann@example.org\tFRIEND
Spam:example.org\tHATER
Srv_Features:\tV
`

/** The line that answers; null for none, undefined for what cannot be asked. */
function line(question: string): number | null | undefined {
  const features = posternFeatures
  const policy = compilePolicy({ access: parseAccessMap(MAP, 'access').map, hostname: 'mx.example.org', localDomains: [], relayDomains: [], ownDomains: [], trustedMechanisms: [], senderBinding: 'off', features })
  const answer = askAccess(policy, question)
  return answer === null ? undefined : (answer.entry?.line ?? null)
}

test('limits of clients are asked for by address, then for all', () => {
  assert.deepEqual(['ClientRate:192.0.2.7', 'clientrate:198.51.100.1', 'ClientRate:host.example', 'ClientConn:2001:db8::7', 'ClientConn:192.0.2.7'].map(line), [1, 2, 2, 3, null])
})

test('a pause is asked for by name or address, and there is none for all', () => {
  assert.deepEqual(['GreetPause:mx.slow.example', 'GreetPause:192.0.2.7', 'GreetPause:198.51.100.1'].map(line), [4, 5, null])
})

test('friends are asked for by recipient', () => {
  assert.deepEqual(['Spam:ann@example.org', 'Spam:ann+x@example.org', 'Spam:bob@sub.example.org', 'Spam:bob@example.net'].map(line), [6, 6, 7, null])
})

test('a word that is no tag is not asked for', () => {
  assert.deepEqual(['Srv_Features:192.0.2.7', 'Connct:192.0.2.7', '192.0.2.7'].map(line), [8, undefined, undefined])
})
