import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUnusableAddress, literalAddress, orderHosts, type MxAnswer } from './hosts.ts'

const found = (...records: [number, string][]): MxAnswer => ({
  kind: 'found',
  values: records.map(([preference, host]) => ({ preference, host })),
})

function check(answer: MxAnswer, expected: readonly string[] | string, randoms: readonly number[] = []): void {
  const ordered = orderHosts('example.net', answer, { ownNames: new Set(['relay.example.org']), randoms })
  if (ordered.ok) return assert.deepEqual(ordered.value, expected)
  assert.equal(ordered.problem.kind === 'noRoute' && ordered.problem.cause, expected)
}

test('hosts are tried by preference, equal ones in random order (RFC 5321 §5.1)', () => {
  const answer = found([20, 'c'], [10, 'a.'], [10, 'B'])
  check(answer, ['a', 'b', 'c'], [0, 0.1, 0.9])
  check(answer, ['b', 'a', 'c'], [0, 0.9, 0.1])
})

test('a domain without MX records is its own mail exchanger (RFC 5321 §5.1)', () => {
  check({ kind: 'noData' }, ['example.net'])
})

test('no domain, no DNS, and a domain that takes no mail are three things (RFC 7505)', () => {
  check({ kind: 'noName' }, 'noSuchDomain')
  check({ kind: 'failed', detail: 'timeout' }, 'dnsFailed')
  check(found([0, '.']), 'nullMx')
  check(found([0, '']), 'nullMx')
  check(found([0, '.'], [10, 'a']), ['a'])
})

test('S21: only hosts that are better than ourselves are tried, and none is a loop (RFC 5321 §5.1)', () => {
  check(found([10, 'a'], [20, 'relay.EXAMPLE.org.'], [20, 'b'], [30, 'c']), ['a'])
  check(found([10, 'relay.example.org'], [20, 'b']), 'loop')
  const own = orderHosts('relay.example.org', { kind: 'noData' }, { ownNames: new Set(['relay.example.org']), randoms: [] })
  assert.equal(own.ok, false)
})

test('a host listed twice is tried once', () => {
  check(found([10, 'a'], [20, 'A.'], [30, 'b']), ['a', 'b'])
})

test('S21: addresses that lead back to this machine, to nobody or to everybody are unusable', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '0.0.0.0', '0.1.2.3', '224.0.0.1', '255.255.255.255', '240.0.0.1',
    '::', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::FFFF:0.0.0.0', '0:0:0:0:0:ffff:7f00:1', '::127.0.0.1', 'ff02::1'])
    assert.equal(isUnusableAddress(address), true, address)
  for (const address of ['192.0.2.7', '10.0.0.1', '223.255.255.255', '1.127.0.0', '2001:db8::1', 'fe80::1', 'fd00::1', '::ffff:192.0.2.7', '::ffff:c000:207'])
    assert.equal(isUnusableAddress(address), false, address)
})

test('address literals (RFC 5321 §4.1.3)', () => {
  assert.equal(literalAddress('[192.0.2.7]'), '192.0.2.7')
  assert.equal(literalAddress('[ipv6:2001:db8::7]'), '2001:db8::7')
  for (const domain of ['192.0.2.7', '[example.net]', '[]', 'example.net']) assert.equal(literalAddress(domain), null)
})
