import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessAddress, clientName } from './client-address.ts'

const forms: readonly (readonly [address: string, accessForm: string])[] = [
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8::9', 'IPv6:2001:db8:0:0:0:0:0:9'],
  ['2001:0DB8::0009', 'IPv6:2001:db8:0:0:0:0:0:9'],
  ['::1', 'IPv6:0:0:0:0:0:0:0:1'],
  ['::', 'IPv6:0:0:0:0:0:0:0:0'],
  ['2001:db8:1:2:3:4:5:6', 'IPv6:2001:db8:1:2:3:4:5:6'],
  ['fe80::1%eth0', 'IPv6:fe80:0:0:0:0:0:0:1'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:c000:207', '192.0.2.7'],
  ['64:ff9b::192.0.2.7', 'IPv6:64:ff9b:0:0:0:0:c000:207'],
]

for (const [address, accessForm] of forms) test(`${address} is ${accessForm}`, () => assert.equal(accessAddress(address), accessForm))

test('a client without a confirmed name is its address in brackets', () => {
  assert.equal(clientName({ address: '2001:db8::9', name: { resolve: 'FORGED' } }), '[IPv6:2001:db8:0:0:0:0:0:9]')
  assert.equal(clientName({ address: '192.0.2.7', name: { resolve: 'OK', name: 'host.example' } }), 'host.example')
})
