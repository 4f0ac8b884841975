/** Reverse-paths and forward-paths: one reading, no control characters, and the same again from what was read. */

import assert from 'node:assert/strict'
import { domainOf, parseAddress } from '../../../src/core/names/address.ts'
import { isAddressLiteral, isDomain, parsePath } from '../../../src/core/smtp/path.ts'
import { commandLines } from '../seeds.ts'
import type { FuzzTarget } from '../target.ts'

const PATHS = commandLines().flatMap(line => /<.*>/s.exec(line.toString('latin1')) ?? [])

export const target: FuzzTarget = {
  name: 'path',
  seeds: PATHS.map(path => Buffer.from(path, 'latin1')),
  words: ['@a.example,@b.example:', '"joe"', '\\"', '[IPv6:2001:db8::1]', '[192.0.2.1]', '..', '@@', 'xn--', '\u3002', '%', '!'],
  check(input) {
    const path = parsePath(input.toString('utf8'))
    if (!path.ok) {
      assert.match(path.problem.detail, /^[ -~]+$/)
      return
    }
    const { address, isAscii } = path.value
    assert.doesNotMatch(address, /[\p{Cc}\p{Zl}\p{Zp}]/u)
    if (isAscii) assert.match(address, /^[ -~]*$/)
    if (address === '') return
    const again = parsePath(`<${address}>`)
    assert.deepEqual(again.ok && again.value.address, address)
    const domain = domainOf(address)
    if (domain !== null) assert.ok(isDomain(domain) || isAddressLiteral(domain), domain)
    // The policy reads what the parser wrote, and reads the same (S15).
    const known = parseAddress(address)
    assert.ok(known.ok, `the policy reads ${address}`)
    assert.equal(known.value.domain, domain)
  },
}
