import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { canonicalDomain, domainOf, formatAddress, parseAddress } from './address.ts'

/** `local | domain`, or the problem. */
function read(path: string): string {
  const parsed = parseAddress(path)
  return parsed.ok ? `${parsed.value.localPart} | ${parsed.value.domain}` : parsed.problem
}

const paths: readonly (readonly [path: string, reading: string])[] = [
  ['joe@Example.ORG', 'joe | example.org'],
  ['Joe@example.org.', 'Joe | example.org'],
  ['postmaster', 'postmaster | null'],
  ['"joe"@example.org', 'joe | example.org'],
  ['"a b"@example.org', 'a b | example.org'],
  ['"a@b"@example.org', 'a@b | example.org'],
  ['"a\\"b"@example.org', 'a"b | example.org'],
  ['a\\@b@example.org', 'a@b | example.org'],
  ['joe@[192.0.2.7]', 'joe | [192.0.2.7]'],
  ['joe@[IPv6:2001:DB8::1]', 'joe | [ipv6:2001:db8::1]'],
  ['@a.example,@b.example:joe@example.org', 'joe | example.org'],
  ['@[IPv6:2001:db8::1]:joe@example.org', 'joe | example.org'],
  ['u%dest.example@example.org', 'u%dest.example | example.org'],
  ['joe@bücher.example', 'joe | xn--bcher-kva.example'],
  ['', 'empty'],
  ['@example.org', 'invalidRoute'],
  ['@a.example:', 'invalidRoute'],
  ['@a.example:@b.example:joe@c.example', 'invalidRoute'],
  ['""@example.org', 'empty'],
  ['@:joe@example.org', 'invalidRoute'],
  ['a,b@example.org', 'invalidRoute'],
  ['"a,b"@example.org', 'a,b | example.org'],
  ['joe@a,b', 'invalidRoute'],
  ['joe@example.org:25', 'invalidRoute'],
  ['joe@.example.org', 'hostName'],
  ['a@b@c', 'invalidRoute'],
  ['"a"@b@c', 'invalidRoute'],
  ['joe@', 'malformed'],
  ['joe@.', 'malformed'],
  ['joe@a..b', 'hostName'],
  ['joe@a b', 'hostName'],
  ['joe@[192.0.2.7', 'hostName'],
  ['joe@[192.0.2.7].example', 'hostName'],
  ['"joe@example.org', 'malformed'],
  ['joe\\', 'malformed'],
]

for (const [path, reading] of paths) test(`S15: <${path}> is ${reading}`, () => assert.equal(read(path), reading))

test('S15: what is written out is read back the same', () => {
  const localParts = fc.string({ minLength: 1 })
  fc.assert(
    fc.property(localParts, fc.constantFrom('example.org', '[192.0.2.7]', null), (localPart, domain) => {
      const parsed = parseAddress(formatAddress({ localPart, domain }))
      assert.deepEqual(parsed, { ok: true, value: { localPart, domain } })
    }),
  )
})

test('S15: a path that can be read has one reading, whoever asks', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '@', '"', '\\', '.', ':', '[', ']', '%', '!', ' ') }), path => {
      const parsed = parseAddress(path)
      assert.equal(domainOf(path), parsed.ok ? parsed.value.domain : null)
      if (parsed.ok) assert.deepEqual(parseAddress(formatAddress(parsed.value)), parsed)
    }),
  )
})

test('domains have one spelling', () => assert.equal(canonicalDomain('Example.ORG.'), 'example.org'))
