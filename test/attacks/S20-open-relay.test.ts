/**
 * S20: nobody relays without being let to, whatever they call themselves or write into an address.
 *
 * The site takes mail for example.org and lets the network 10.1, hosts of friend.example and its own
 * certificates relay. Every row is a stranger's attempt at another domain.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientIdentity } from '../../src/core/names/identity.ts'
import { parseAccessMap } from '../../src/core/policy/access-map.ts'
import { decide } from '../../src/core/policy/decide.ts'
import type { Asker, ClientName, Decision, ListenerName } from '../../src/core/policy/decision.ts'
import { compilePolicy, posternFeatures, sendmailFeatures } from '../../src/core/policy/policy.ts'
import type { PolicyFeatures } from '../../src/core/policy/policy.ts'

type Attempt = {
  readonly listener?: ListenerName
  readonly address?: string
  readonly name?: ClientName
  readonly hello?: string
  readonly identity?: ClientIdentity
  readonly from?: string
  readonly to?: string
}

const ACCESS = `
CERTISSUER:/O=Example/CN=Example+20CA RELAY
Connect:10.1 RELAY
Connect:friend.example RELAY
From:boss@example.org RELAY
To:open.example OK
`

function attempt(changes: Attempt, features: PolicyFeatures = posternFeatures): Decision {
  const policy = compilePolicy({
    access: parseAccessMap(ACCESS, 'access').map,
    hostname: 'mx.example.org',
    localDomains: ['mx.example.org', 'localhost'],
    relayDomains: ['example.org', '10.2'],
    ownDomains: [],
    trustedMechanisms: ['PLAIN'],
    senderBinding: 'enforce',
    features,
  })
  const asker: Asker = {
    listener: changes.listener ?? 'mx',
    host: { address: changes.address ?? '203.0.113.9', name: changes.name ?? { resolve: 'OK', name: 'stranger.example' } },
    hello: changes.hello ?? 'stranger.example',
    identity: changes.identity ?? { kind: 'plaintext' },
    authentication: null,
  }
  const question = { kind: 'recipient', asker, reversePath: changes.from ?? 'a@stranger.example', forwardPath: changes.to ?? 'u@dest.example' } as const
  const answer = decide(policy, question, { domainExists: new Map(), isMxFor: new Map() }, 'D1')
  assert.equal(answer.kind, 'decided', 'nothing is missing')
  return (answer as Extract<typeof answer, { kind: 'decided' }>).decision
}

const attempts: Readonly<Record<string, Attempt>> = {
  'a plain attempt': {},
  'percent hack by a relay domain': { to: 'u%dest.example@example.org' },
  'percent hack by a host below it': { to: 'u%dest.example@sub.example.org' },
  'percent hack by our own name': { to: 'u%dest.example@mx.example.org' },
  'percent hack twice': { to: 'u%dest.example%example.org@example.org' },
  'percent hack without a domain': { to: 'u%dest.example' },
  'UUCP path by a relay domain': { to: 'dest.example!u@example.org' },
  'UUCP path without a domain': { to: 'dest.example!u' },
  'an address in quotes': { to: '"u@dest.example"@example.org' },
  'percent hack in quotes': { to: '"u%dest.example"@example.org' },
  'an escaped at sign': { to: 'u\\@dest.example@example.org' },
  'two at signs': { to: 'u@dest.example@example.org' },
  'two at signs, the other way': { to: 'u@example.org@dest.example' },
  'a source route by us': { to: '@example.org:u@dest.example' },
  'a source route by two': { to: '@mx.example.org,@example.org:u@dest.example' },
  'only a source route': { to: '@example.org:' },
  'our name as a beginning': { to: 'u@example.org.dest.example' },
  'our name as an end, without the dot': { to: 'u@notexample.org' },
  'our name with a final dot and more': { to: 'u@example.org..dest.example' },
  'a literal of ours': { to: 'u@[10.1.2.3]' },
  'a literal of the loopback': { to: 'u@[127.0.0.1]' },
  'a literal in IPv6': { to: 'u@[IPv6:::1]' },
  'a mapped literal': { to: 'u@[IPv6:::ffff:10.1.2.3]' },
  'a network for a domain': { to: 'u@10.2' },
  'a domain that the map only calls OK': { to: 'u@open.example' },
  'a user without a domain': { to: 'alice' },
  'a NUL in the domain': { to: 'u@example.org\0.dest.example' },
  'the null sender': { from: '' },
  'a sender of ours': { from: 'boss@example.org' },
  'a local sender': { from: 'root@localhost' },
  'a local-looking HELO': { hello: 'localhost' },
  'our own name as HELO': { hello: 'mx.example.org' },
  'an address of ours as HELO': { hello: '[10.1.2.3]' },
  'a host name of ours, in DNS': { name: { resolve: 'OK', name: 'host.example.org' } },
  'our own name, in DNS': { name: { resolve: 'OK', name: 'mx.example.org' } },
  'localhost, in DNS': { name: { resolve: 'OK', name: 'localhost' } },
  'a name that only ends like a friend': { name: { resolve: 'OK', name: 'notfriend.example' } },
  'a forged name': { name: { resolve: 'FORGED' } },
  'no name': { name: { resolve: 'FAIL' } },
  'a name that cannot be looked up': { name: { resolve: 'TEMP' } },
  'the loopback address': { address: '127.0.0.1' },
  'the loopback address in IPv6': { address: '::1' },
  'a mapped loopback address': { address: '::ffff:127.0.0.1' },
  'a network that begins alike': { address: '10.10.2.3' },
  'another that begins alike': { address: '10.20.0.1' },
  'an IPv6 address that looks alike': { address: '10:1::1' },
  'a mapped address of strangers': { address: '::ffff:203.0.113.9' },
}

for (const [what, changes] of Object.entries(attempts)) {
  test(`S20: ${what} is refused`, () => {
    const decision = attempt(changes)
    assert.equal(decision.verdict, 'refuse')
    assert.equal(decision.relay, false)
    assert.ok(decision.reply !== null && decision.reply.code >= 400)
  })
}

/** The same site without the strictness: what the strictness is for. */
const letThrough: readonly string[] = [
  'a host name of ours, in DNS',
  'our own name, in DNS',
  'localhost, in DNS',
  'the loopback address',
  'the loopback address in IPv6',
  'a mapped loopback address',
  'a user without a domain',
]

for (const [what, changes] of Object.entries(attempts)) {
  const expected = letThrough.includes(what) ? 'accept' : 'refuse'
  test(`S20: with sendmail's own defaults, ${what}: ${expected}`, () => {
    const decision = attempt(changes, { ...sendmailFeatures, blocklistRecipients: true, skip: true })
    assert.equal(decision.verdict, expected)
  })
}

const mayRelay: Readonly<Record<string, Attempt>> = {
  'a network in the map': { address: '10.1.2.3' },
  'the same, mapped': { address: '::ffff:10.1.2.3' },
  'a network among the relay domains': { address: '10.2.0.9' },
  'a friend, confirmed by DNS': { name: { resolve: 'OK', name: 'host.friend.example' } },
}

for (const [what, changes] of Object.entries(mayRelay)) {
  test(`S20: ${what} may relay, so the table can tell`, () => assert.equal(attempt(changes).relay, true))
}

test('S20: mail for our own domain is taken from a stranger, and is no relaying', () => {
  const decision = attempt({ to: 'ann@example.org' })
  assert.equal(decision.verdict, 'accept')
  assert.equal(decision.relay, false)
})

for (const listener of ['submission', 'submissions'] as const) {
  test(`S20: on ${listener} a stranger is refused even for our own domain, and so is a host that may relay on mx`, () => {
    assert.equal(attempt({ listener, to: 'ann@example.org' }).reply?.code, 530)
    assert.equal(attempt({ listener, address: '10.1.2.3' }).reply?.code, 530)
  })
}
