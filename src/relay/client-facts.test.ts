import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientName } from '../core/policy/decision.ts'
import { ClientFacts } from './client-facts.ts'
import type { FactSources } from './client-facts.ts'
import type { DnsAnswer, Resolver } from './ports.ts'

const NO_NAME: DnsAnswer<never> = { kind: 'noName' }
const TROUBLE: DnsAnswer<never> = { kind: 'failed', detail: 'SERVFAIL' }
const found = (...values: readonly string[]): DnsAnswer<string> => ({ kind: 'found', values })

// prettier-ignore
const NAMES: readonly (readonly [what: string, ptr: DnsAnswer<string>, forwards: Readonly<Record<string, DnsAnswer<string>>>, ClientName])[] = [
  ['leads back',                       found('Mail.Example.COM.'), { 'Mail.Example.COM.': found('192.0.2.1', '192.0.2.7') }, { resolve: 'OK', name: 'mail.example.com' }],
  ['leads elsewhere',                  found('mail.example.org'),  { 'mail.example.org': found('192.0.2.8') },             { resolve: 'FORGED' }],
  ['does not exist',                   found('mail.example.com'),  {},                                                     { resolve: 'FAIL' }],
  ['cannot be looked up now',          found('mail.example.com'),  { 'mail.example.com': TROUBLE },                        { resolve: 'TEMP' }],
  ['leads back, though another lies',  found('a.example', 'b.example'), { 'a.example': found('192.0.2.8'), 'b.example': found('192.0.2.7') }, { resolve: 'OK', name: 'b.example' }],
  ['is the ninth of its address',      found(...'abcdefghi'),      { i: found('192.0.2.7') },                              { resolve: 'FAIL' }],
  ['is none',                          NO_NAME,                    {},                                                     { resolve: 'FAIL' }],
  ['may be there another time',        TROUBLE,                    {},                                                     { resolve: 'TEMP' }],
]

for (const [what, ptr, forwards, expected] of NAMES) {
  test(`S20: a client's name that ${what} is ${expected.resolve}`, async () => {
    const facts = factsFrom(() => sources({ ptr, forwards }))
    await facts.find({ kind: 'clientName' })
    assert.deepEqual(facts.host, { address: '192.0.2.7', name: expected })
  })
}

test('after a reload nothing that DNS has said before counts, and what the peer has said of its client does', async () => {
  const before = sources({ ptr: found('mail.example.com'), forwards: { 'mail.example.com': found('192.0.2.7') } })
  let inForce = before
  const facts = factsFrom(() => inForce)
  await facts.find({ kind: 'clientName' })
  await facts.find({ kind: 'domainExists', domain: 'mail.example.com' })
  facts.beginQuestion()
  assert.deepEqual([facts.host.name?.resolve, facts.known.domainExists.size], ['OK', 1], 'a further question asks nothing twice')
  inForce = { ...before }
  facts.beginQuestion()
  assert.deepEqual([facts.host.name, facts.known.domainExists.size], [null, 0])

  const introduced = new ClientFacts(() => inForce, { address: '192.0.2.7', name: { resolve: 'FAIL' } })
  inForce = { ...before }
  introduced.beginQuestion()
  assert.deepEqual(introduced.host.name, { resolve: 'FAIL' })
})

function factsFrom(inForce: () => FactSources): ClientFacts {
  return new ClientFacts(inForce, { address: '192.0.2.7', name: null })
}

function sources({ ptr, forwards }: { readonly ptr: DnsAnswer<string>; readonly forwards: Readonly<Record<string, DnsAnswer<string>>> }): FactSources {
  const resolver: Resolver = {
    ptr: () => Promise.resolve(ptr),
    addresses: name => Promise.resolve(forwards[name] ?? NO_NAME),
    mx: () => Promise.resolve({ kind: 'noData' }),
  }
  return { resolver, ourNames: [], callOut: () => assert.fail('nobody asks about recipients') }
}
