import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetworkIndex, formatNetwork, parseNetwork } from './networks.ts'

// prettier-ignore
const networks: readonly (readonly [text: string, form: string])[] = [
  ['192.0.2.0/25',                 '192.0.2.0/25'],
  ['192.0.2.7/32',                 '192.0.2.7/32'],
  ['0.0.0.0/0',                    '0.0.0.0/0'],
  ['128.0.0.0/1',                  '128.0.0.0/1'],
  ['2001:db8::/32',                '2001:db8::/32'],
  ['2001:DB8:0:0::/32',            '2001:db8::/32'],
  ['IPv6:2001:db8::/32',           '2001:db8::/32'],
  ['2001:db8:0:0:8000::/65',       '2001:db8:0:0:8000::/65'],
  ['2001:db8::9/128',              '2001:db8:0:0:0:0:0:9/128'],
  ['::/0',                         '0::/0'],
]

for (const [text, form] of networks) {
  test(`network ${text}`, () => {
    const network = parseNetwork(text)
    assert.equal(network.ok ? formatNetwork(network.value) : network.problem.text, form)
  })
}

// prettier-ignore
const mistakes: readonly (readonly [text: string, suggestion: string | null])[] = [
  ['192.0.2.77/25',        '192.0.2.0/25'],
  ['2001:db8::1/32',       '2001:db8::/32'],
  ['10/8',                 '10.0.0.0/8'],
  ['10.1/16',              '10.1.0.0/16'],
  ['10.1./16',             '10.1.0.0/16'],
  ['10.0.0.0/33',          null],
  ['::/129',               null],
  ['256.0.0.0/8',          null],
  ['010.0.0.0/8',          null],
  ['::ffff:192.0.2.0/120', null],
  ['2001:db8::1::/64',     null],
  ['example.org/24',       null],
  ['10.0.0.0',             null],
]

for (const [text, suggestion] of mistakes) {
  test(`no network: ${text}`, () => {
    const network = parseNetwork(text)
    assert.deepEqual(network.ok ? 'a network' : network.problem.suggestion, suggestion)
  })
}

test('an address is in every network whose first bits it has, and in no other', () => {
  const index = new NetworkIndex()
  const addresses = ['192.0.2.255', '192.0.3.0', '2001:db8:0:0:8000::', '2001:db8:0:0:7fff::']
  for (let length = 0; length <= 32; length += 1) add(index, mask('192.0.2.255', length))
  for (const { length, key } of index.around('192.0.2.255')) assert.ok(key !== null, `/${length}`)
  assert.equal(index.around('192.0.2.255').length, 33)
  assert.deepEqual(index.around('192.0.3.0').filter(({ key }) => key !== null).map(({ length }) => length), Array.from({ length: 24 }, (_, at) => 23 - at))
  add(index, '2001:db8:0:0:8000::/65')
  assert.deepEqual(addresses.slice(2).map(address => index.around(address)[0]?.key ?? null), ['2001:db8:0:0:8000::/65', null])
})

test('of two spellings of one network the first stays', () => {
  const index = new NetworkIndex()
  assert.equal(add(index, '2001:db8::/32'), true)
  assert.equal(add(index, 'IPv6:2001:db8:0::/32'), false)
  assert.deepEqual(index.around('2001:db8::9').map(({ key }) => key), ['2001:db8::/32'])
})

function add(index: NetworkIndex, text: string): boolean {
  const network = parseNetwork(text)
  return network.ok ? index.add(network.value, text) : assert.fail(`${text}: ${network.problem.text}`)
}

/** By arithmetic of its own, not that of the code under test. */
function mask(address: string, length: number): string {
  const bits = address.split('.').map(octet => Number(octet).toString(2).padStart(8, '0')).join('')
  const kept = bits.slice(0, length).padEnd(32, '0')
  return `${[0, 8, 16, 24].map(at => Number.parseInt(kept.slice(at, at + 8), 2)).join('.')}/${length}`
}
