import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressProblem, dnsNameProblem, holderNameProblem, ipAddressBytes, organisationProblem, senderProblem } from './holder.ts'

type Check = (text: string) => string | null

function check(what: string, problemOf: Check, good: readonly string[], bad: readonly string[]): void {
  for (const text of good) test(`${what}: ${text.slice(0, 40)}`, () => assert.equal(problemOf(text), null))
  for (const text of bad) test(`no ${what}: ${JSON.stringify(text.slice(0, 40))}`, () => assert.notEqual(problemOf(text), null))
}

const long = (length: number): string => 'x'.repeat(length)

check('holder', holderNameProblem, ['joe', 'web7', 'mail.example.org', 'J_o-e.2', long(64)], [
  '', '.', '..', '-rf', '_x', 'a b', 'a/b', '../x', 'a\n', 'a\0', 'jöe', long(65), 'a+b', 'joe@x',
])

check('address', addressProblem, ['joe@example.org', 'joe+tag@example.org', "o'hara@x", `${long(64)}@example.org`, 'a.b@xn--bcher-kva.example'], [
  '', 'joe', '@example.org', 'joe@', 'a@b@c', 'joe @example.org', 'joe@exa mple.org', 'joe@example.org\r\nRCPT', 'joe@-x.org', 'joe@x..org',
  'joe@.org', 'joe@example.org.', '.joe@x.org', 'jo..e@x.org', '"joe"@x.org', 'joe@[192.0.2.1]', 'joe@192.0.2.1', 'jöe@example.org', 'joe@bücher.example',
  `${long(65)}@example.org`, `joe@${`${long(63)}.`.repeat(4)}x`, 'joe\0@example.org', '<joe@example.org>',
])

check('sender', senderProblem, ['joe@example.org', '@example.org', 'jöe@bücher.example', '山田@例え.jp', '@localhost'], [
  '', '@', 'joe', 'joe@', 'a b@x.org', 'a@b c', 'a\u2028b@x.org', 'a@b@c', 'joe@exa\u0000mple', '*@example.org@', `${'ö'.repeat(33)}@x.org`,
])

check('host name', dnsNameProblem, ['mail.example.org', 'localhost', 'a-b.c', 'xn--bcher-kva.example', '3com.example'], [
  '', '*.example.org', 'a_b.example', '-a.example', 'a-.example', 'a..b', 'a.b.', 'bücher.example', '192.0.2.1', `${long(64)}.org`, 'a\0.example.org', 'a/b',
])

check('organisation', organisationProblem, ['example.org', 'localhost'], ['', 'Example Inc', `${long(40)}.${long(40)}`, 'a/b'])

test('an address beyond ASCII is told where it can go', () => assert.match(addressProblem('jöe@example.org') ?? '', /as a sender/))

test('a problem repeats what was typed without its control characters', () => {
  for (const problemOf of [holderNameProblem, addressProblem, senderProblem, dnsNameProblem, organisationProblem]) {
    assert.match(problemOf('a\u001b[31m\r\nb') ?? '', /^[\x20-\x7e]+$/)
  }
})

// prettier-ignore
const addresses: readonly (readonly [text: string, hex: string | null])[] = [
  ['127.0.0.1',             '7f000001'],
  ['255.255.255.255',       'ffffffff'],
  ['256.0.0.1',             null],
  ['1.2.3',                 null],
  ['::1',                   '00000000000000000000000000000001'],
  ['::',                    '00000000000000000000000000000000'],
  ['2001:db8::9',           '20010db8000000000000000000000009'],
  ['2001:DB8:0:0:0:0:0:9',  '20010db8000000000000000000000009'],
  ['1:2:3:4:5:6:7:8',       '00010002000300040005000600070008'],
  ['::ffff:192.0.2.1',      '00000000000000000000ffffc0000201'],
  ['1::2::3',               null],
  ['12345::',               null],
  ['::1]/x[',               null],
  ['fe80::1%eth0',          null],
  ['mail.example.org',      null],
]

for (const [text, hex] of addresses) {
  test(`IP address ${text}`, () => {
    const bytes = ipAddressBytes(text)
    assert.equal(bytes === null ? null : Buffer.from(bytes).toString('hex'), hex)
  })
}
