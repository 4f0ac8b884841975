import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAccessMap } from './access-map.ts'
import { decide } from './decide.ts'
import type { Asker, KnownFacts } from './decision.ts'
import { compilePolicy, sendmailFeatures } from './policy.ts'
import type { Policy, PolicyFeatures } from './policy.ts'

const NO_FACTS: KnownFacts = { domainExists: new Map(), isMxFor: new Map() }

const asker: Asker = {
  listener: 'mx',
  host: { address: '192.0.2.7', name: { resolve: 'FAIL' } },
  hello: 'c.example',
  identity: { kind: 'plaintext' },
  authentication: null,
}

function policyWith(delayChecks: PolicyFeatures['delayChecks'], access: readonly string[]): Policy {
  return compilePolicy({
    access: parseAccessMap(access.join('\n'), 'access').map,
    hostname: 'mx.home.example',
    localDomains: ['mx.home.example', 'localhost', 'home.example'],
    relayDomains: [],
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'off',
    features: { ...sendmailFeatures, acceptUnresolvableDomains: true, blocklistRecipients: true, delayChecks },
  })
}

/** `accept`, or the reply's codes, for mail from eve@spam.example to this recipient. */
function check(delayChecks: PolicyFeatures['delayChecks'], access: readonly string[], forwardPath: string, expected: string): void {
  const question = { kind: 'recipient', asker, reversePath: 'eve@spam.example', forwardPath } as const
  const answer = decide(policyWith(delayChecks, access), question, NO_FACTS, 'D1')
  assert.ok(answer.kind === 'decided')
  const { verdict, reply } = answer.decision
  assert.equal(reply === null ? verdict : `${reply.code} ${reply.enhanced}`, expected)
}

test('a reverse-path that cannot be read is refused there and then', () => {
  const policy = policyWith('on', ['From:spam.example REJECT'])
  const codeFor = (reversePath: string): string | undefined => {
    const answer = decide(policy, { kind: 'sender', asker, reversePath }, NO_FACTS, 'D1')
    return answer.kind === 'decided' ? answer.decision.reply?.enhanced : 'missing'
  }
  assert.equal(codeFor('a@b@c.example'), '5.1.3')
  assert.equal(codeFor('eve@spam.example'), undefined)
  assert.equal(codeFor(''), undefined)
})

test('it is refused before anybody looks at TLS', () => {
  const answer = decide(policyWith('off', ['TLS_Clt: VERIFY']), { kind: 'sender', asker, reversePath: 'a@b@c.example' }, NO_FACTS, 'D1')
  assert.equal(answer.kind === 'decided' ? answer.decision.reply?.enhanced : 'missing', '5.1.3')
})

test('a sender at localhost is one of this host, whoever says so', () => {
  const answer = (delayChecks: 'on' | 'off', kind: 'sender' | 'recipient', access: string): string | undefined => {
    const question = { kind, asker, reversePath: 'root@localhost', forwardPath: 'ann@home.example' }
    const answered = decide(policyWith(delayChecks, [access]), question, NO_FACTS, 'D1')
    return answered.kind === 'decided' ? (answered.decision.reply?.enhanced ?? answered.decision.verdict) : 'missing'
  }
  assert.equal(answer('on', 'recipient', 'From:b.example REJECT'), 'accept')
  assert.equal(answer('on', 'recipient', 'From:mx.home.example REJECT'), '5.7.1')
  assert.equal(answer('off', 'sender', 'From:b.example REJECT'), '5.5.4')
})

test('a friend gets mail of refused senders and clients, and nobody else does', () => {
  const access = ['Spam:ann@home.example FRIEND', 'From:spam.example REJECT']
  check('friend', access, 'ann@home.example', 'accept')
  check('friend', access, 'bob@home.example', '550 5.7.1')
  check('on', access, 'ann@home.example', '550 5.7.1')
})

test('To: names no friends; its words of old do no harm where checks are delayed', () => {
  check('friend', ['To:ann@home.example FRIEND'], 'ann@home.example', '553 5.3.0')
  check('friend', ['To:ann@home.example SPAMFRIEND'], 'ann@home.example', 'accept')
  check('friend', ['To:ann@home.example SPAMFRIEND', 'From:spam.example REJECT'], 'ann@home.example', '550 5.7.1')
  check('off', ['To:ann@home.example SPAMFRIEND'], 'ann@home.example', '553 5.3.0')
})

test('what TLS must have proved, it must for friends and for those who hate no spam', () => {
  check('friend', ['Spam:ann@home.example FRIEND', 'TLS_Clt: VERIFY'], 'ann@home.example', '454 4.7.0')
  check('hater', ['Spam:ann@home.example HATER', 'TLS_Clt: VERIFY'], 'bob@home.example', '454 4.7.0')
})

test('a local user without a domain is one of this host', () => {
  check('friend', ['Spam:ann@mx.home.example FRIEND', 'From:spam.example REJECT'], 'ann', 'accept')
  check('friend', ['Spam:ann@ FRIEND', 'From:spam.example REJECT'], 'ann', 'accept')
})

test('mail of a sender that is dropped is dropped, whatever becomes of its client', () => {
  check('on', ['From:spam.example DISCARD', 'Connect:192.0.2 REJECT'], 'ann@home.example', 'discard')
  check('on', ['From:spam.example QUARANTINE:look', 'Connect:192.0.2 REJECT'], 'ann@home.example', 'quarantine')
  check('on', ['From:spam.example OK', 'Connect:192.0.2 REJECT'], 'ann@home.example', 'accept')
  check('on', ['Connect:192.0.2 REJECT'], 'ann@home.example', '550 5.7.1')
})
