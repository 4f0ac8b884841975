import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, property } from 'fast-check'
import { formatAddress } from '../names/address.ts'
import { parseAddressList } from './address-list.ts'

function read(text: string): readonly string[] | string {
  const list = parseAddressList(text)
  return list.ok ? list.value.map(formatAddress) : list.problem
}

// prettier-ignore
const READABLE: readonly (readonly [text: string, addresses: readonly string[]])[] = [
  [' joe@example.org', ['joe@example.org']],
  ['Joe User <joe@Example.ORG.>', ['joe@example.org']],
  ['"User, Joe" <joe@example.org>', ['joe@example.org']],
  ['John Q. Public <john@example.org>', ['john@example.org']],
  ['"boss@example.org" <joe@example.org>', ['joe@example.org']],
  ['joe@example.org (boss@example.org)', ['joe@example.org']],
  ['(boss@example.org) joe(x)@(y)example.org', ['joe@example.org']],
  ['=?utf-8?q?boss=40example=2Eorg?= <joe@example.org>', ['joe@example.org']],
  ['Jürgen <jürgen@exämple.org>', ['jürgen@xn--exmple-cua.org']],
  ['<joe@example.org>', ['joe@example.org']],
  ['< joe . user @ example . org >', ['joe.user@example.org']],
  ['joe . user@example.(x)org', ['joe.user@example.org']],
  ['"joe user"@example.org', ['"joe user"@example.org']],
  ['"joe"@example.org', ['joe@example.org']],
  ['"j\\oe"."u@s"@example.org', ['"joe.u@s"@example.org']],
  ['joe@[192.0.2.1], joe@[IPv6:2001:db8::1]', ['joe@[192.0.2.1]', 'joe@[ipv6:2001:db8::1]']],
  ['<@a.example,@b.example:joe@example.org>', ['joe@example.org']],
  ['<,@a.example,,@b.example:joe@example.org>', ['joe@example.org']],
  ['ann@example.org, , Joe <joe@example.org>,', ['ann@example.org', 'joe@example.org']],
  ['Us: ann@example.org, Joe <joe@example.org>;, carol@example.net', ['ann@example.org', 'joe@example.org', 'carol@example.net']],
  ['undisclosed recipients:;', []],
  ['"a b":,,;', []],
  ['root', ['root']],
  ['Root <root>', ['root']],
  ['', []],
  [',', []],
]

// prettier-ignore
const UNREADABLE: readonly string[] = [
  'joe@example.org <boss@example.org>', '<joe@example.org> <boss@example.org>', '<joe@example.org> boss@example.org',
  'joe@example.org boss@example.org', 'Joe User', 'joe@', '@example.org', '<@example.org>', '<>', 'Joe <>', 'joe@example@example.org',
  'joe@example..org', 'joe@"example.org"', '"joe"user@example.org', 'joe "x"@example.org', 'joe@[192.0.2.1', 'joe@example.org>',
  '<joe@example.org', 'Us: joe@example.org', 'Us: Them: joe@example.org;;', ': joe@example.org;', 'joe@example.org;', 'Us: a@b.example; c@d.example',
  'Us: a@b.example;;', '<@a.example joe@example.org>', '(joe@example.org', '"Joe <joe@example.org>', 'joe\\@example.org', 'joe@exa\\mple.org',
  'joe@example.org\0', '<joe@example.org>;', '<<joe@example.org>>', 'joe)@example.org', `${'x'.repeat(600)}@example.org`,
]

test('a list of addresses, in every form that RFC 5322 knows', () => {
  for (const [text, addresses] of READABLE) assert.deepEqual(read(text), addresses, text)
})

test('S15: what could be read in two ways is not read at all', () => {
  for (const text of UNREADABLE) assert.equal(typeof read(text), 'string', text)
})

const part = constantFrom('joe', 'example.org', '@', '<', '>', ',', ';', ':', '.', ' ', '"', '"x"', '(', ')', '[', ']', '\\', '[192.0.2.1]', 'é', '\t')

test('S15: every address found is one whose canonical form reads as itself', () => {
  check(
    property(array(part, { maxLength: 30 }), parts => {
      const list = parseAddressList(parts.join(''))
      if (!list.ok) return
      for (const address of list.value) assert.deepEqual(parseAddressList(formatAddress(address)), { ok: true, value: [address] })
    }),
    { numRuns: 5000 },
  )
})

test('addresses that are written one way or the other are found again', () => {
  const address = constantFrom('joe@example.org', '"joe user"@example.org', 'ann@[192.0.2.1]', 'jürgen@xn--exmple-cua.org', 'root')
  const form = constantFrom<(address: string) => string>(
    text => text,
    text => `<${text}>`,
    text => `"x, <y@z>" <${text}>`,
    text => `Joe Q. User <${text}> (a (nested) comment)`,
    text => `(x) ${text}`,
    text => `=?utf-8?b?PGJvc3NAZXhhbXBsZS5vcmc+?= <@a.example,@b.example:${text}>`,
  )
  check(
    property(array(address, { maxLength: 8 }), array(form, { minLength: 8, maxLength: 8 }), (addresses, forms) => {
      const members = addresses.map((text, at) => forms[at]?.(text) ?? text)
      assert.deepEqual(read(members.join(', ')), addresses)
      assert.deepEqual(read(`A group: ${members.join(',')};`), addresses)
    }),
    { numRuns: 1000 },
  )
})

test('S18: reading costs one pass, whatever is repeated', () => {
  for (const text of ['joe ', 'joe@example.org,', '<', '<@a,', 'a:;', 'a:;,', '"" ', '.', 'a.', '@', '(x)', ',']) parseAddressList(text.repeat(100_000))
})
