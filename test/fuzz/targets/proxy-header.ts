/** PROXY headers: what a header is does not depend on what follows it, nor on how it was cut (S17). */

import assert from 'node:assert/strict'
import { formatAddress } from '../../../src/core/peers/ip-address.ts'
import { LONGEST_HEADER_OCTETS, readProxyHeader } from '../../../src/core/peers/proxy-header.ts'
import type { FuzzTarget } from '../target.ts'

const V2 = '\r\n\r\n\0\r\nQUIT\n'

export const target: FuzzTarget = {
  name: 'proxy-header',
  seeds: [
    'PROXY TCP4 192.0.2.7 198.51.100.1 56324 25\r\nEHLO a\r\n', 'PROXY TCP6 2001:db8::7 2001:db8::1 56324 25\r\n', 'PROXY UNKNOWN\r\n', `${V2}\x20\x00\x00\x00`,
    `${V2}\x21\x11\x00\x0c\xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x00\x19EHLO a\r\n`, `${V2}\x21\x11\x00\x13\xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x00\x19\x04\x00\x04abcd`,
    `${V2}\x21\x21\x00\x24${'\x20\x01\x0d\xb8'.repeat(8)}\xdc\x04\x00\x19`,
  ].map(header => Buffer.from(header, 'latin1')),
  words: [V2, '\x21\x11\x00\x0c', '\x03\x00\x04', 'PROXY ', 'TCP4 ', 'TCP6 ', '::ffff:192.0.2.7', '65535', '65536', '0'],
  check(input) {
    const all = readProxyHeader(input)
    let decided = 0
    while (decided < input.length && readProxyHeader(input.subarray(0, decided)).kind === 'incomplete') decided++
    const first = readProxyHeader(input.subarray(0, decided))
    assert.equal(first.kind, all.kind)
    if (all.kind === 'incomplete') assert.ok(input.length < LONGEST_HEADER_OCTETS)
    if (all.kind !== 'read') return
    assert.deepEqual(first, all)
    assert.equal(all.header.length, decided, 'it ends where it is known to be whole')
    const { client } = all.header
    if (client !== null) assert.deepEqual([formatAddress(client.address), client.port >= 0 && client.port <= 65_535], [client.address, true])
  },
}
