import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAccessMap } from './access-map.ts'
import { decide } from './decide.ts'
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

function ask(forwardPath: string): string {
  const list = parseRecipientList(LIST)
  assert.ok(list.ok)
  const policy = compilePolicy({
    access: parseAccessMap('', 'access').map,
    hostname: 'mx.example.org',
    localDomains: [],
    relayDomains: ['example.org', 'whole.example', 'unlisted.example'],
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'enforce',
    features: posternFeatures,
    recipients: list.value,
  })
  const asker = { listener: 'mx', host: { address: '192.0.2.7', name: null }, hello: 'x', identity: { kind: 'plaintext' }, authentication: null } as const
  const answer = decide(policy, { kind: 'recipient', asker, reversePath: 'a@example.com', forwardPath }, { domainExists: new Map(), isMxFor: new Map() }, 'D1')
  assert.equal(answer.kind, 'decided')
  if (answer.kind !== 'decided') return 'missing'
  const { reply, verdict } = answer.decision
  return reply === null ? verdict : `${reply.code} ${reply.enhanced} ${reply.text}`
}
