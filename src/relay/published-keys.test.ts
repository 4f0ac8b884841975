import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fail, ok } from '../core/result.ts'
import type { PublicKey } from '../core/tokens/key-set.ts'
import { PublishedKeys } from './published-keys.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

test('keys are fetched when they are wanted, and again after an hour', async () => {
  const site = open()
  for (const at of [0, HOUR - 1]) assert.equal(await site.name(at), 'key 1')
  assert.equal(await site.name(HOUR), 'key 2')
  assert.equal(site.fetched(), 2)
})

test('S18: a name that nobody knows has them fetched twice a minute at most', async () => {
  const site = open()
  const known = await site.keys.current()
  for (const at of [0, 29_999]) assert.equal(await site.newer(known, at), null)
  assert.equal(await site.newer(known, 30_000), 'key 2')
  assert.equal(await site.newer(known, 30_001), 'key 2', 'others that know the old ones are told, too')
  assert.equal(site.fetched(), 2)
})

test('while they cannot be fetched the old ones count for a day', async () => {
  const site = open()
  await site.name(0)
  site.break('away')
  assert.equal(await site.name(HOUR), 'key 1')
  assert.equal(await site.name(24 * HOUR - 1), 'key 1')
  await assert.rejects(site.name(24 * HOUR), /away/)
})

test('S16: keys that the provider has withdrawn count no longer, whatever becomes of the endpoint', async () => {
  const site = open()
  const known = await site.keys.current()
  site.withdraw(true)
  assert.equal(await site.newer(known, 30_000), null)
  await assert.rejects(site.name(30_001), /no keys/)
  site.break('away')
  await assert.rejects(site.name(60_000), /away/)
  site.break(null)
  site.withdraw(false)
  assert.equal(await site.name(90_000), 'key 4')
})

test('S18: without any, the endpoint is asked twice a minute, and everybody is told what was wrong', async () => {
  const site = open()
  site.break('away')
  for (const at of [0, 1, 29_999]) await assert.rejects(site.name(at), /away/)
  assert.equal(site.fetched(), 1)
  site.break(null)
  assert.equal(await site.name(30_000), 'key 2')
})

test('all that wait at one time wait for one answer', async () => {
  const site = open()
  const names = await Promise.all(Array.from({ length: 50 }, () => site.name(0)))
  assert.deepEqual([new Set(names), site.fetched()], [new Set(['key 1']), 1])
})

function open() {
  let now = 0
  let fetched = 0
  let problem: string | null = null
  let withdrawn = false
  const keys = new PublishedKeys(async () => {
    fetched++
    if (problem !== null) throw new Error(problem)
    if (withdrawn) return fail(new Error('no keys'))
    return ok([{ kid: `key ${fetched}`, algorithms: ['EdDSA'], jwk: { kty: 'OKP' } }])
  }, { now: () => now })
  return {
    keys,
    fetched: () => fetched,
    withdraw: (all: boolean) => void (withdrawn = all),
    break: (why: string | null) => void (problem = why),
    name: (at: number) => {
      now = at
      return keys.current().then(([key]) => key?.kid)
    },
    newer: async (known: readonly PublicKey[], at: number) => {
      now = at
      const newer = await keys.newerThan(known)
      return newer === null ? null : newer[0]?.kid
    },
  }
}
