/** S22: how lists in DNS are asked about an address (RFC 5782), and what comes of each answer. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decide } from '../../src/core/policy/decide.ts'
import { NO_CHECKS } from '../../src/core/policy/site-checks.ts'
import { ClientFacts } from '../../src/relay/client-facts.ts'
import type { DnsAnswer, Resolver } from '../../src/relay/ports.ts'
import { policyWith } from '../support/policies.ts'

const ZONES = ['one.example', 'two.example', 'three.example']

test('S22: an IPv4 address is asked for with its octets reversed, an IPv6 address with its nibbles, and only for A records', async () => {
  const names: string[] = []
  const unused = (): never => assert.fail('only addresses are asked for')
  const resolver: Resolver = { mx: unused, ptr: unused, addresses: (name, family) => Promise.resolve((names.push(`${family} ${name}`), { kind: 'noName' } as const)) }
  await listings(resolver, '192.0.2.99', ['list.example'])
  await listings(resolver, '2001:db8:1:2:3:4:567:89ab', ['list.example'])
  // The examples of RFC 5782 §2.1 and §2.4.
  assert.deepEqual(names, ['ipv4 99.2.0.192.list.example', 'ipv4 b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.list.example'])
})

test('S22: all lists are asked at once, and one that fails says nothing about the others', async () => {
  const answers: Readonly<Record<string, DnsAnswer<string>>> = {
    '99.2.0.192.one.example': { kind: 'failed', detail: 'SERVFAIL' },
    '99.2.0.192.two.example': { kind: 'found', values: ['127.0.0.2', '127.0.0.3'] },
    '99.2.0.192.three.example': { kind: 'noData' },
  }
  let [waiting, most] = [0, 0]
  const unused = (): never => assert.fail('only addresses are asked for')
  const addresses = async (name: string): Promise<DnsAnswer<string>> => {
    most = Math.max(most, ++waiting)
    await Promise.resolve()
    waiting--
    return answers[name] ?? assert.fail(`nobody was to ask for ${name}`)
  }
  const found = await listings({ mx: unused, ptr: unused, addresses }, '192.0.2.99', ZONES)
  assert.deepEqual([...(found ?? [])], [['one.example', 'unknown'], ['two.example', ['127.0.0.2', '127.0.0.3']], ['three.example', []]])
  assert.equal(most, ZONES.length)
})

// prettier-ignore
const ANSWERS: readonly (readonly [what: string, answers: readonly string[] | 'unknown', wanted: readonly string[], isRefused: boolean])[] = [
  ['a listing',                                        ['127.0.0.2'],               [],            true],
  ['one among others',                                 ['127.0.0.2', '127.0.0.10'], ['127.0.0.10'], true],
  ['one that the site does not mind',                  ['127.0.0.2'],               ['127.0.0.10'], false],
  ['that too much was asked',                          ['127.255.255.254'],         [],            false],
  ['the address of whoever has bought the old domain', ['203.0.113.7'],             [],            false],
  ['nothing',                                          [],                          [],            false],
  ['no answer at all',                                 'unknown',                   [],            false],
]

for (const [what, answers, wanted, isRefused] of ANSWERS) {
  test(`S22: a list that says ${what} ${isRefused ? 'refuses' : 'does not refuse'}`, () => {
    const policy = { ...policyWith(''), checks: { ...NO_CHECKS, blocklists: [{ zone: 'one.example', answers: wanted }] } }
    const asker = { listener: 'mx', host: { address: '192.0.2.99', name: null }, hello: 'x', identity: { kind: 'plaintext' }, authentication: null } as const
    const facts = { domainExists: new Map(), isMxFor: new Map(), listings: new Map([['one.example', answers]]) }
    const answer = decide(policy, { kind: 'sender', asker, reversePath: 'ann@example.com' }, facts, 'D1')
    assert.equal(answer.kind === 'decided' ? answer.decision.verdict : answer.kind, isRefused ? 'refuse' : 'accept')
  })
}

async function listings(resolver: Resolver, address: string, zones: readonly string[]) {
  const sources = { resolver, ourNames: [], callOut: () => assert.fail('nobody asks about recipients') }
  const facts = new ClientFacts(() => sources, { address, name: null })
  assert.equal(facts.known.listings, undefined, 'nothing is asked before somebody wants to know')
  await facts.find({ kind: 'listings', zones })
  return facts.known.listings
}
