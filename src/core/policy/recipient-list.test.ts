import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAccessMap } from './access-map.ts'
import { decide } from './decide.ts'
import type { Asker } from './decision.ts'
import { compilePolicy, posternFeatures } from './policy.ts'
import { parseRecipientList } from './recipient-list.ts'

const LIST = '# who there is\nJoe@example.org\n\n@whole.example\r\nann+x@example.org\n'

test('a list says of the domains that it names who exists', () => {
  assert.equal(ask('joe@example.org'), 'accept')
  assert.equal(ask('JOE@Example.ORG'), 'accept')
  assert.equal(ask('joe+detail@example.org'), 'accept')
  assert.equal(ask('ann+x@example.org'), 'accept')
  assert.equal(ask('ann@example.org'), '550 5.1.1 User unknown')
  assert.equal(ask('nobody@example.org'), '550 5.1.1 User unknown')
  assert.equal(ask('anybody@whole.example'), 'accept')
  assert.equal(ask('anybody@unlisted.example'), 'accept')
})

test('there always is a postmaster (RFC 5321 §4.5.1)', () => {
  assert.equal(ask('Postmaster@example.org'), 'accept')
})

test('a recipient that is taken apart is looked for where its mail would go', () => {
  assert.equal(ask('joe%example.org@unlisted.example'), 'accept')
  assert.equal(ask('nobody%example.org@unlisted.example'), '550 5.1.1 User unknown')
})

test('a line that is no address is a problem with its number', () => {
  const list = parseRecipientList('joe@example.org\njoe\n@\n# x\n')
  assert.deepEqual(list.ok ? [] : list.problem, [{ line: 2, text: 'joe' }, { line: 3, text: '@' }])
})

test('it is for everybody on every listener: who may relay hears it at once, and not by a bounce', () => {
  const certificate = { subject: '/CN=joe', issuer: '/CN=CA', cnSubject: 'joe', cnIssuer: 'CA', fingerprint: '', keyFingerprint: '', serial: '', notBefore: 0, notAfter: 0, addresses: [], dnsNames: [], uris: [] }
  const identity = { kind: 'verified', tls: { version: 'TLSv1.3', cipher: 'x', cipherBits: 256 }, certificate, holder: null } as const
  for (const listener of ['mx', 'submission', 'submissions', 'lmtp'] as const) {
    assert.equal(ask('nobody@example.org', { listener, identity }), '550 5.1.1 User unknown', listener)
    assert.equal(ask('joe@example.org', { listener, identity }), 'accept', listener)
  }
  assert.equal(ask('nobody@example.org', { host: { address: '192.0.2.10', name: null } }), '550 5.1.1 User unknown', 'Connect: RELAY')
})

function ask(forwardPath: string, changes: Partial<Asker> = {}): string {
  const list = parseRecipientList(LIST)
  assert.ok(list.ok)
  const policy = compilePolicy({
    access: parseAccessMap('Connect:192.0.2.10 RELAY\nCERTISSUER:/CN=CA RELAY\n', 'access').map,
    hostname: 'mx.example.org',
    localDomains: [],
    relayDomains: ['example.org', 'whole.example', 'unlisted.example'],
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'enforce',
    features: posternFeatures,
    recipients: list.value,
  })
  const asker = { listener: 'mx', host: { address: '192.0.2.7', name: null }, hello: 'x', identity: { kind: 'plaintext' }, authentication: null, ...changes } as const
  const answer = decide(policy, { kind: 'recipient', asker, reversePath: 'a@example.com', forwardPath }, { domainExists: new Map(), isMxFor: new Map() }, 'D1')
  assert.equal(answer.kind, 'decided')
  if (answer.kind !== 'decided') return 'missing'
  const { reply, verdict } = answer.decision
  return reply === null ? verdict : `${reply.code} ${reply.enhanced} ${reply.text}`
}
