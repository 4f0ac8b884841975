/** S18: what a stranger's zone answers is remembered within a bound, however large its answers are and however many. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from 'dns-packet'
import { MOST_REMEMBERED_OCTETS, remembering, type Reading } from '../../src/io/dns-memory.ts'
import { readAddresses, readAnswer, readExchangers, readNames } from '../../src/io/dns-reading.ts'

/** As long as a name may be: three labels of 63 and one of 61. */
const LONG_NAME = [63, 63, 63, 61].map(length => 'x'.repeat(length)).join('.')

test('S18: of a DNS message full of records 32 are kept, the best exchangers among them', () => {
  const mx: readonly Answer[] = Array.from({ length: 3800 }, (_, at) => ({ type: 'MX', name: 'x.test', ttl: 60, data: { preference: 3800 - at, exchange: `mx${at}.test` } }))
  const { answer } = readAnswer({ name: 'x.test', type: 'MX' }, reply(mx), readExchangers)
  assert.ok(answer.kind === 'found')
  assert.deepEqual(answer.values.map(({ preference }) => preference), Array.from({ length: 32 }, (_, at) => at + 1))
  const a: readonly Answer[] = Array.from({ length: 3800 }, (_, at) => ({ type: 'A', name: 'x.test', ttl: 60, data: `192.0.${at >> 8}.${at & 255}` }))
  assert.equal(valuesOf(readAnswer({ name: 'x.test', type: 'A' }, reply(a), readAddresses)), 32)
  const ptr: readonly Answer[] = Array.from({ length: 3800 }, (_, at) => ({ type: 'PTR', name: 'x.test', ttl: 60, data: `host${at}.test` }))
  assert.equal(valuesOf(readAnswer({ name: 'x.test', type: 'PTR' }, reply(ptr), readNames)), 32)
})

const largest = { kind: 'found', values: Array.from({ length: 32 }, () => ({ preference: 65535, host: LONG_NAME })) } as const
const answers = {
  'of the largest size': { answer: largest, fewest: 200, most: 500 },
  'that say no': { answer: { kind: 'noName' }, fewest: 5000, most: 10_000 },
  'that fail': { answer: { kind: 'failed', detail: 'the DNS server says SERVFAIL' }, fewest: 5000, most: 10_000 },
} as const

for (const [name, { answer, fewest, most }] of Object.entries(answers)) {
  test(`S18: answers ${name} are remembered until they take up too much, and the oldest are forgotten first`, async () => {
    const asked: string[] = []
    const ask = remembering(name => Promise.resolve((asked.push(name), { answer, ttlSeconds: 3600 })))
    const nameOf = (at: number): string => `n${at}.${LONG_NAME}`.slice(0, 253)
    for (let at = 0; at < 12_000; at++) await ask(nameOf(at))
    // From the newest back to the first that is not there any more.
    let kept = 0
    for (; asked.length === 12_000; kept++) await ask(nameOf(11_999 - kept))
    assert.ok(kept >= fewest && kept <= most, `${kept} are remembered`)
    assert.ok(kept * JSON.stringify(answer).length < MOST_REMEMBERED_OCTETS)
  })
}

test('S18: an answer that is asked for again does not count twice', async () => {
  const ask = remembering(name => Promise.resolve({ answer: largest, ttlSeconds: name === 'once.test' ? 3600 : 1e-9 }))
  const once = await ask('once.test')
  for (let round = 0; round < 2000; round++) await ask('again.test')
  assert.equal(await ask('once.test'), once)
})

function reply(answers: readonly Answer[]): Parameters<typeof readAnswer>[1] {
  return { rcode: 'NOERROR', answers } as unknown as Parameters<typeof readAnswer>[1]
}

function valuesOf({ answer }: Reading<unknown>): number {
  return answer.kind === 'found' ? answer.values.length : 0
}
