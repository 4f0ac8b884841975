import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAccessMap } from './access-map.ts'
import { certificateNamed, verifiedAs } from '../../../test/support/identities.ts'
import type { Asker, ListenerName } from './decision.ts'
import { openRelays } from './exposure.ts'
import { compilePolicy, posternFeatures, type Policy } from './policy.ts'
import { tryOutWithoutDns } from './trial.ts'

function policy(access: string): Policy {
  return compilePolicy({
    access: parseAccessMap(access, 'access').map,
    hostname: 'mx.example.org',
    localDomains: [],
    relayDomains: ['example.org'],
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'enforce',
    features: posternFeatures,
  })
}

const STRANGER: Asker = {
  listener: 'mx',
  host: { address: '192.0.2.7', name: null },
  hello: 'client.example',
  identity: { kind: 'anonymous', tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', cipherBits: 256 } },
  authentication: null,
}

/** The questions that were asked, and how the last was answered. */
function check(access: string, forwardPath: string, expected: string): void {
  const steps = tryOutWithoutDns(policy(access), { asker: STRANGER, reversePath: 'a@example.com', forwardPath }, 'x')
  const words = [...steps.map(({ question }) => question.kind), steps.at(-1)?.decision.verdict]
  assert.equal(words.join(' '), expected)
}

test('a trial asks what a session asks, in its order', () => check('', 'joe@example.org', 'connection handshake sender recipient accept'))

test('a trial ends with the first refusal', () => {
  check('Connect:192.0.2.7 REJECT\n', 'joe@example.org', 'connection refuse')
  check('From:a@example.com REJECT\n', 'joe@example.org', 'connection handshake sender refuse')
  check('', 'ann@example.net', 'connection handshake sender recipient refuse')
})

test('a trial leaves out what the client is not asked for, or is not offered to show', () => {
  const relays = 'CERTISSUER:/O=Example/CN=Example+20CA RELAY\n'
  const ending = (access: string, listener: ListenerName): string | undefined => {
    const asker = { ...STRANGER, listener, identity: verifiedAs(null, certificateNamed('gw', { addresses: ['gw@example.com'] })) }
    return tryOutWithoutDns(policy(access), { asker, reversePath: 'gw@example.com', forwardPath: 'ann@example.net' }, 'x').at(-1)?.decision.verdict
  }
  for (const [features, mx, submission, submissions] of [
    ['', 'accept', 'accept', 'accept'],
    ['Srv_Features: V\n', 'refuse', 'refuse', 'refuse'],
    ['Srv_Features: S\n', 'refuse', 'refuse', 'accept'],
  ] as const) {
    assert.deepEqual((['mx', 'submission', 'submissions'] as const).map(listener => ending(`${relays}${features}`, listener)), [mx, submission, submissions], features)
  }
})

test('S20: an open relay is found, whatever made it one', () => {
  assert.deepEqual(openRelays(policy('CERTISSUER:/O=x RELAY\nConnect:10.0.0 RELAY\nFrom:example.org RELAY\n')), [])
  assert.deepEqual(openRelays(policy('Connect:192.0.2 RELAY\n')).map(({ client }) => client), ['192.0.2.44'])
  assert.equal(openRelays(policy('To:invalid RELAY\n')).length, 4)
})
