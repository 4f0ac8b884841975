import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { TokenVerdict } from '../core/tokens/claims.ts'
import { TooBusy } from './ports.ts'
import { TokenChecks } from './token-checks.ts'

const VALID: TokenVerdict = { kind: 'valid', user: 'joe', isExact: false, until: null }

test('a good token is asked about once in half a minute', async () => {
  const checks = open(() => VALID)
  for (const now of [0, 29_999, 30_000, 59_999]) await checks.verify('a', now)
  assert.deepEqual(checks.asked, ['a', 'a'])
})

test('S16: never past its own end', async () => {
  const checks = open(() => ({ ...VALID, until: 5_000 }))
  for (const now of [0, 4_999, 5_000]) await checks.verify('a', now)
  assert.deepEqual(checks.asked, ['a', 'a'])
})

test('S16: what is refused or unknown is asked about again', async () => {
  const refused = open(() => ({ kind: 'refused', why: 'inactiveToken' }))
  await refused.verify('a', 0)
  await refused.verify('a', 0)
  assert.equal(refused.asked.length, 2)
  const away = open(() => Promise.reject(new Error('away')))
  await assert.rejects(away.verify('a', 0), /away/)
  await assert.rejects(away.verify('a', 0), /away/)
  assert.equal(away.asked.length, 2)
})

test('S16: no other token is taken for a good one', async () => {
  const checks = open(token => (token === 'a' ? VALID : { kind: 'refused', why: 'inactiveToken' }))
  await checks.verify('a', 0)
  assert.equal((await checks.verify('A', 0)).kind, 'refused')
  assert.equal((await checks.verify('a ', 0)).kind, 'refused')
})

test('S18: a thousand are remembered, and the oldest makes room', async () => {
  const checks = open(() => VALID)
  for (let token = 0; token < 1_001; token++) await checks.verify(`${token}`, 0)
  await checks.verify('1000', 0)
  await checks.verify('1', 0)
  assert.equal(checks.asked.length, 1_001)
  await checks.verify('0', 0)
  assert.equal(checks.asked.length, 1_002)
})

test('S18: so many are asked about at one time; there is room again when one is answered', async () => {
  const waiting: (() => void)[] = []
  const checks = open(() => new Promise(resolve => waiting.push(() => resolve(VALID))))
  const under = Array.from({ length: 32 }, (_, token) => checks.verify(`${token}`, 0))
  await assert.rejects(checks.verify('more', 0), TooBusy)
  waiting[0]?.()
  await under[0]
  const next = checks.verify('more', 0)
  for (const answer of waiting) answer()
  assert.equal((await next).kind, 'valid')
  await Promise.all(under)
})

function open(answer: (token: string) => TokenVerdict | Promise<TokenVerdict>) {
  const asked: string[] = []
  let now = 0
  const crypto = { digest: (_: unknown, octets: Uint8Array) => createHash('sha256').update(octets).digest(), toBase64: (octets: Uint8Array) => Buffer.from(octets).toString('base64') }
  const verify = async (token: string): Promise<TokenVerdict> => {
    asked.push(token)
    return answer(token)
  }
  const checks = new TokenChecks({ verify }, crypto, { now: () => now })
  return {
    asked,
    verify: (token: string, at: number) => {
      now = at
      return checks.verify(token)
    },
  }
}
