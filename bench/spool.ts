/**
 * How fast a shard of the spool accepts, settles and looks for what is due.
 *
 * `node bench/spool.ts [FOLDER]` prints one line for each scenario. It measures the spool alone, in
 * one process, with durable commits: what is left of these figures end to end is for the other
 * benchmarks to say.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { QueuedMessage } from '../src/core/message/envelope.ts'
import { change } from '../src/core/message/lifecycle.ts'
import { openLmdbSpool } from '../src/io/lmdb-spool.ts'
import { system } from '../src/io/system.ts'
import type { Spool } from '../src/relay/ports.ts'

const BODY_BYTES = 2048
const CHUNK = Buffer.alloc(64 * 1024, 'a line of text, as it might stand in a message\r\n')

type Figures = { readonly perSecond: number; readonly cpuMicroseconds: number }

const folder = mkdtempSync(path.join(process.argv[2] ?? tmpdir(), 'postern-bench-'))
try {
  for (const concurrency of [1, 50, 200]) {
    await scenario(`enqueue and settle, ${concurrency} at a time`, concurrency === 1 ? 2_000 : 30_000, concurrency, acceptAndSettle)
  }
  await scenario('enqueue and settle 1 MiB, 20 at a time', 200, 20, acceptAndSettleLarge)
  await backlog(100_000)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function scenario(name: string, count: number, concurrency: number, one: (spool: Spool) => Promise<void>): Promise<void> {
  const { spool } = await openLmdbSpool({ folder: freshFolder(), now: system.now })
  print(name, await measure(count, concurrency, () => one(spool)))
  await spool.close()
}

/** What a queue costs to fill, to open again, to look through and to drain. */
async function backlog(count: number): Promise<void> {
  const shard = freshFolder()
  const first = await openLmdbSpool({ folder: shard, now: system.now })
  print(`fill to ${count}`, await measure(count, 200, () => accept(first.spool, BODY_BYTES, false).then(() => {})))
  await first.spool.close()
  const openedAt = performance.now()
  const { spool, report } = await openLmdbSpool({ folder: shard, now: system.now })
  console.log(`open with ${report.resumed} queued: ${(performance.now() - openedAt).toFixed(1)} ms`)
  print(`enqueue and settle over ${count} queued`, await measure(20_000, 200, () => acceptAndSettle(spool)))
  const listedAt = performance.now()
  spool.list({ filter: { recipient: 'nobody@example.com' }, after: null, limit: 1 })
  console.log(`list, nothing matches: ${((performance.now() - listedAt) / count * 1000).toFixed(2)} µs a message`)
  print(`claim and settle ${count}`, await measure(count / 50, 4, () => drainSome(spool)), 50)
  await spool.close()
}

async function acceptAndSettle(spool: Spool): Promise<void> {
  await settle(spool, await accept(spool, BODY_BYTES, true))
}

async function acceptAndSettleLarge(spool: Spool): Promise<void> {
  await settle(spool, await accept(spool, 1024 * 1024, true))
}

async function accept(spool: Spool, bodyBytes: number, leased: boolean): Promise<QueuedMessage> {
  const draft = spool.draft()
  for (let left = bodyBytes; left > 0; left -= CHUNK.length) await draft.write(CHUNK.subarray(0, left))
  const { message } = await spool.enqueue({ message: newMessage(draft.sizeBytes), draft }, { leased })
  return message
}

async function drainSome(spool: Spool): Promise<void> {
  const leases = await spool.claim({ now: system.now(), limit: 50 })
  await Promise.all(leases.map(({ message }) => settle(spool, message)))
}

async function settle(spool: Spool, message: QueuedMessage): Promise<void> {
  const changes = message.recipients.map((recipient, index) => ({ index, recipient: change(recipient, { kind: 'delivered', reply: '250 2.0.0 OK' }) }))
  await spool.settle(message.id, changes, [])
}

async function measure(count: number, concurrency: number, one: () => Promise<void>): Promise<Figures> {
  let started = 0
  const run = async (): Promise<void> => {
    while (started < count) {
      started++
      await one()
    }
  }
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: concurrency }, run))
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system: kernel } = process.cpuUsage(cpuBefore)
  return { perSecond: count / seconds, cpuMicroseconds: (user + kernel) / count }
}

function print(name: string, { perSecond, cpuMicroseconds }: Figures, messagesEach = 1): void {
  const rate = Math.round(perSecond * messagesEach).toLocaleString('en')
  console.log(`${name}: ${rate} messages/s, ${(cpuMicroseconds / messagesEach).toFixed(1)} µs CPU a message`)
}

function newMessage(sizeBytes: number): QueuedMessage {
  const now = system.now()
  const address = 'recipient@example.net'
  return {
    id: system.newId(),
    envelope: {
      reversePath: 'sender@example.org',
      recipients: [{ forwardPath: address, notify: null, originalRecipient: null }],
      bodyType: '8BITMIME',
      utf8: false,
      tls: null,
      declaredSizeBytes: sizeBytes,
      returned: null,
      envelopeId: null,
      deliverBy: null,
      hold: null,
      priority: 0,
    },
    origin: { sessionId: 'bench', listener: 'submission', address: '192.0.2.1', hello: 'bench.example.org', fingerprint: 'f'.repeat(64), holder: 'bench', passwordId: null, isKnown: true },
    acceptedAt: now,
    sizeBytes,
    heldBecause: null,
    isSpared: false,
    recipients: [{ address, state: 'waiting', attempts: 0, dueAt: now, plannedAt: null, lastReply: null, warned: false }],
  }
}

function freshFolder(): string {
  const shard = path.join(folder, system.newId())
  mkdirSync(shard, { mode: 0o700 })
  return shard
}
