import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getCiphers } from 'node:tls'
import { cipherBits } from './cipher-bits.ts'

function check(suite: string, bits: number): void {
  assert.equal(cipherBits(suite), bits, suite)
}

test('a suite has the bits of its cipher, whatever its hash is called', () => {
  check('TLS_AES_256_GCM_SHA384', 256)
  check('TLS_CHACHA20_POLY1305_SHA256', 256)
  check('TLS_AES_128_GCM_SHA256', 128)
  check('TLS_AES_128_CCM_8_SHA256', 64)
  check('ECDHE-RSA-AES128-GCM-SHA256', 128)
  check('ECDHE-ECDSA-AES128-SHA256', 128)
  check('ECDHE-ECDSA-AES256-CCM8', 64)
  check('ECDHE-RSA-AES256-SHA384', 256)
  check('ECDHE-ARIA128-GCM-SHA256', 128)
  check('ECDHE-RSA-CAMELLIA256-SHA384', 256)
  check('DES-CBC3-SHA', 112)
})

test('what encrypts nothing, or is not known, meets no requirement', () => {
  check('ECDHE-RSA-NULL-SHA', 0)
  check('NULL-SHA256', 0)
  check('TLS_SHA256_SHA256', 0)
  check('TLS_OF_TOMORROW_SHA256', 0)
})

test('every suite that this runtime can speak is known', () => {
  for (const suite of getCiphers()) assert.ok(cipherBits(suite) > 0, suite)
})
