import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TooBusy } from '../relay/ports.ts'
import { createPasswordCrypto } from './password-crypto.ts'

const cheap = { memory: 8, passes: 1, parallelism: 1 }

test('argon2id is that of RFC 9106', async () => {
  const crypto = createPasswordCrypto()
  const hash = await crypto.argon2id('password', Buffer.from('somesalt'), { memory: 65_536, passes: 2, parallelism: 1 })
  assert.equal(Buffer.from(hash).toString('hex'), '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7')
})

test('S18: so many wait, and no more; those that wait have their turn', async () => {
  const crypto = createPasswordCrypto()
  const all = Array.from({ length: 100 }, () => crypto.argon2id('password', Buffer.alloc(16), cheap))
  const settled = await Promise.allSettled(all)
  const refused = settled.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
  assert.equal(refused.length, 100 - 2 - 64)
  assert.ok(refused.every(reason => reason instanceof TooBusy))
  await crypto.argon2id('password', Buffer.alloc(16), cheap)
})

test('what differs is different, whatever its length', () => {
  const { isSame } = createPasswordCrypto()
  assert.deepEqual([isSame(Buffer.of(1, 2), Buffer.of(1, 2)), isSame(Buffer.of(1, 2), Buffer.of(1, 3)), isSame(Buffer.of(1), Buffer.of(1, 2))], [true, false, false])
})
