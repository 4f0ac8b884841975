import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, property } from 'fast-check'
import { canonicalDomain, parseAddress } from '../names/address.ts'
import { isAddressLiteral, isDomain, parsePath } from './path.ts'

function addressOf(path: string): string | null {
  const parsed = parsePath(path)
  return parsed.ok ? parsed.value.address : null
}

const canonical: readonly (readonly [typed: string, address: string])[] = [
  ['<>', ''],
  ['<joe@example.org>', 'joe@example.org'],
  ['<Joe@Example.ORG>', 'Joe@Example.ORG'],
  ['<"joe"@example.org>', 'joe@example.org'],
  ['<"j\\o\\e"@example.org>', 'joe@example.org'],
  ['<"joe smith"@example.org>', '"joe smith"@example.org'],
  ['<"a\\"b\\\\c"@example.org>', '"a\\"b\\\\c"@example.org'],
  ['<"a@b"@example.org>', '"a@b"@example.org'],
  ['<"a>b"@example.org>', '"a>b"@example.org'],
  ['<".a"@example.org>', '".a"@example.org'],
  ['<@a.example:joe@example.org>', 'joe@example.org'],
  ['<@a.example,@b.example:joe@example.org>', 'joe@example.org'],
  ['<user%example.net@example.org>', 'user%example.net@example.org'],
  ['<example.net!user@example.org>', 'example.net!user@example.org'],
  ['<joe@localhost>', 'joe@localhost'],
  ['<joe@[192.0.2.1]>', 'joe@[192.0.2.1]'],
  ['<joe@[IPv6:::1]>', 'joe@[IPv6:::1]'],
  ['<postmaster>', 'postmaster'],
  ['<jürgen@bücher.example>', 'jürgen@bücher.example'],
]

for (const [typed, address] of canonical) test(`${typed} is ${address}`, () => assert.equal(addressOf(typed), address))

// prettier-ignore
const refused = [
  '', 'joe@example.org', '<joe@example.org', 'joe@example.org>', '<joe@example.org>x', '< joe@example.org>',
  '<@example.org>', '<""@example.org>', '<"joe@example.org>', '<joe"@example.org>', '<jo"e"@example.org>', '<"joe"."x"@example.org>',
  '<a@b@example.org>', '<joe@>', '<joe@example.org.>', '<joe@.org>', '<joe@exa mple.org>', '<joe@example.org >', '<joe@-a.org>', '<joe@a-.org>',
  '<joe@a_b.org>', '<joe@[192.0.2.1>', '<joe@192.0.2.1]>', '<joe@[]>', '<.joe@example.org>', '<joe.@example.org>', '<j..oe@example.org>',
  '<joe(x)@example.org>', '<joe,x@example.org>', '<joe:x@example.org>', '<joe;x@example.org>', '<joe\\x@example.org>', '<joe<x@example.org>',
  '<"a\tb"@example.org>', '<@a.example>', '<@a.example,:joe@example.org>', '<@a.example;@b.example:joe@example.org>', '<a.example:joe@example.org>',
  '<joe@exam\u3002ple.org>', '<joe@exam\uff0eple.org>', '<joe@a\uff3fb.org>', '<joe@\uff0da.org>', '<jo\u200be@example.org>', '<jo\u00a0e@example.org>', '<joe@exam\u202eple.org>',
]

for (const typed of refused) test(`${JSON.stringify(typed)} is no path`, () => assert.equal(addressOf(typed), null))

test('a path has at most 256 octets, a domain 255 and a label 63', () => {
  assert.notEqual(addressOf(`<${'a'.repeat(242)}@example.org>`), null)
  assert.equal(addressOf(`<${'a'.repeat(243)}@example.org>`), null)
  assert.equal(addressOf(`<${'ä'.repeat(122)}@example.org>`), null)
  assert.equal(isDomain('a'.repeat(63)), true)
  assert.equal(isDomain('a'.repeat(64)), false)
  assert.equal(isDomain(`${'ü'.repeat(32)}.example`), false)
  assert.equal(isDomain(`${'a.'.repeat(127)}a`), true)
  assert.equal(isDomain(`${'a.'.repeat(127)}aa`), false)
  assert.equal(isDomain(`${'ü.'.repeat(90)}a`), false)
})

test('whether a path needs SMTPUTF8 is known', () => {
  const isAscii = (path: string) => {
    const parsed = parsePath(path)
    return parsed.ok && parsed.value.isAscii
  }
  assert.equal(isAscii('<joe@example.org>'), true)
  assert.equal(isAscii('<jürgen@example.org>'), false)
  assert.equal(isAscii('<joe@bücher.example>'), false)
})

// prettier-ignore
const literals = new Map([
  ['[192.0.2.1]', true], ['[0.0.0.0]', true], ['[255.255.255.255]', true], ['[256.0.2.1]', false], ['[192.0.2]', false],
  ['[192.0.2.1.5]', false], ['[192.0.2.01]', false], ['[192.0.2.]', false], ['192.0.2.1', false],
  ['[IPv6:2001:db8:0:0:0:0:0:1]', true], ['[ipv6:2001:DB8::1]', true], ['[IPv6:::]', true], ['[IPv6:::ffff:192.0.2.1]', true],
  ['[IPv6:1:2:3:4:5:6:192.0.2.1]', true], ['[IPv6:1:2:3:4:5:6:7]', false], ['[IPv6:1:2:3:4:5:6:7:8:9]', false],
  ['[IPv6:1:2:3:4:5:6:7::]', false], ['[IPv6:1::2::3]', false], ['[IPv6:12345::]', false], ['[IPv6:g::]', false], ['[IPv6:::192.0.2.256]', false],
  ['[IPv6:]', false], ['[2001:db8::1]', false], ['[x400:anything]', false],
])

for (const [text, is] of literals) test(`${text} is ${is ? 'an' : 'no'} address literal`, () => assert.equal(isAddressLiteral(text), is))

test('S15: what is accepted reads the same when the policy takes it apart, and parses to itself', () => {
  const piece = constantFrom('joe', 'a', '.', '@', '"', '\\', '%', '!', ' ', ',', ':', '<', '>', '[', ']', '@example.org', 'example.net', '[192.0.2.1]', 'ü', '@a.example:')
  check(
    property(array(piece, { maxLength: 10 }), pieces => {
      const parsed = parsePath(`<${pieces.join('')}>`)
      if (!parsed.ok || parsed.value.address === '') return
      const { address } = parsed.value
      assert.equal(addressOf(`<${address}>`), address)
      const taken = parseAddress(address)
      assert.ok(taken.ok, `the policy can read ${address}`)
      const at = address.lastIndexOf('@')
      assert.equal(taken.value.domain ?? '', at === -1 || taken.value.domain === null ? '' : canonicalDomain(address.slice(at + 1)))
    }),
    { numRuns: 5000 },
  )
})
