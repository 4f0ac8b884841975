import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NextHop } from '../core/message/route.ts'
import { HopQueue } from './hop-queue.ts'

const hop: NextHop = { kind: 'host', key: 'mx', host: 'mx', port: 25, tls: 'opportunistic', requireTls: false, implicitTls: false, showCertificate: false, trustedPem: null, ignoredKeywords: [] }

function taken(queue: HopQueue<string>): readonly string[] {
  const jobs: string[] = []
  for (let job = queue.start(); job !== null; job = queue.start()) jobs.push(job)
  return jobs
}

test('jobs are done in the order in which they came', () => {
  const queue = new HopQueue<string>(hop)
  for (const job of ['a', 'b', 'c']) queue.push(job, 0)
  const first = queue.start()
  assert.equal(first, 'a')
  queue.putBack('a')
  assert.deepEqual(taken(queue), ['a', 'b', 'c'])
})

test('a job overtakes fifty others for each level of its priority, and no more (RFC 6710 §5)', () => {
  const queue = new HopQueue<string>(hop)
  queue.push('low', -1)
  for (let job = 0; job < 120; job++) queue.push(`${job}`, 0)
  queue.push('high', 1)
  const order = taken(queue)
  assert.equal(order.indexOf('high'), 121 - 50)
  assert.equal(order.indexOf('low'), 50)
  assert.deepEqual(order.filter(job => /^[0-9]/.test(job)).map(Number), Array.from({ length: 120 }, (_, job) => job))
})

test('whoever goes last goes in the end', () => {
  const queue = new HopQueue<string>(hop)
  queue.push('last', -9)
  let waited = 0
  for (; ; waited++) {
    queue.push('urgent', 9)
    if (queue.start() === 'last') break
  }
  assert.ok(waited <= 50 * 18, `it waited for ${waited}`)
})
