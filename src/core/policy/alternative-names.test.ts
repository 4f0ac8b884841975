import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { alternativeNames, kindOfAlternativeName } from './alternative-names.ts'

function keys(names: { addresses?: readonly string[]; dnsNames?: readonly string[]; uris?: readonly string[] }): readonly string[] {
  const found = alternativeNames({ addresses: [], dnsNames: [], uris: [], ...names })
  return [...found.particular, ...found.uris, ...found.domains]
}

test('addresses, hosts and URIs each have their keys', () => {
  assert.deepEqual(keys({ addresses: ['Joe.User+x@Example.ORG'] }), ['Joe.User+x@example.org', '@example.org'])
  assert.deepEqual(keys({ dnsNames: ['Web7.example.org.', 'web7.example.org'] }), ['web7.example.org'])
  assert.deepEqual(keys({ uris: ['spiffe://Example.org/Mailer'] }), ['spiffe://Example.org/Mailer'])
})

// prettier-ignore
const lies: readonly (readonly [what: string, names: Parameters<typeof keys>[0]])[] = [
  ['an address in a DNS name',        { dnsNames: ['joe@example.org'] }],
  ['a domain key in a DNS name',      { dnsNames: ['@example.org'] }],
  ['a URI in a DNS name',             { dnsNames: ['spiffe://example.org/mailer'] }],
  ['a wildcard',                      { dnsNames: ['*.example.org', '*'] }],
  ['an empty label',                  { dnsNames: ['web7..example.org', '.example.org', ''] }],
  ['a host in an address',            { addresses: ['web7.example.org'] }],
  ['a domain key in an address',      { addresses: ['@example.org'] }],
  ['a URI in an address',             { addresses: ['mailto:joe@example.org'] }],
  ['two addresses in one',            { addresses: ['joe@example.org@evil.test', 'evil@evil.test,joe@example.org'] }],
  ['a quoted local part',             { addresses: ['"joe@example.org"@evil.test', '"joe"@example.org'] }],
  ['an address literal',              { addresses: ['joe@[192.0.2.7]'] }],
  ['an address in angle brackets',    { addresses: ['<joe@example.org>'] }],
  ['a comment',                       { addresses: ['joe(x)@example.org', 'joe@example.org(x)'] }],
  ['a host in a URI',                 { uris: ['web7.example.org'] }],
  ['an address in a URI',             { uris: ['joe@example.org'] }],
]

for (const [what, names] of lies) {
  test(`S7: ${what} finds no entry`, () => assert.deepEqual(keys(names), []))
}

test('S7: no name of one kind ever finds an entry that was written for another kind', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'B', '.', '@', ':', '/', '*', '-', '"', '%', '+', '_', '1') , maxLength: 12 })
  fc.assert(
    fc.property(text, name => {
      for (const key of keys({ addresses: [name] })) assert.match(kindOfAlternativeName(key) ?? '', /^(address|domain)$/)
      for (const key of keys({ dnsNames: [name] })) assert.equal(kindOfAlternativeName(key), 'host')
      for (const key of keys({ uris: [name] })) assert.equal(kindOfAlternativeName(key), 'uri')
    }),
    { numRuns: 5000 },
  )
})

test('S12: a long name is read in one pass', () => {
  assert.deepEqual(keys({ dnsNames: [`${'a'.repeat(100_000)}!`, `${'a-'.repeat(50_000)}!`], addresses: [`${'a.'.repeat(50_000)}@`] }), [])
})
