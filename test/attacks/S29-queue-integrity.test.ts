/**
 * S29: a full disk means a refusal, and no part of a message. Crashes are in test/power, clocks that
 * jump among the contracts.
 */

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { openLmdbSpool } from '../../src/io/lmdb-spool.ts'
import type { LmdbSpoolOptions } from '../../src/io/lmdb-spool.ts'
import { SpoolFull } from '../../src/relay/ports.ts'
import type { NewMessage, Spool } from '../../src/relay/ports.ts'
import { claimAll, draftOf, drafted, emptyFolder, enqueue, message, NOW, textOf } from '../support/queued.ts'
import { noSmallDisk, smallDisk } from '../support/small-disk.ts'

const SIZES = { inline: 20_000, file: 200_000 }

for (const [kind, size] of Object.entries(SIZES)) {
  test(`S29: a full disk: ${kind} bodies are stored whole or refused`, { skip: noSmallDisk }, async t => {
    // Nothing is kept free, so that the disk itself says no, in the middle of a write.
    const folder = path.join(smallDisk(t, 'size=3m'), 'shard')
    const { spool } = await opened(t, { folder, keepFreeBytes: 0, keepFreeFiles: 0 })
    const outcomes: PromiseSettledResult<void>[] = []
    while (outcomes.length < 200) {
      // Those who share a flush are stored together or refused together.
      outcomes.push(...(await Promise.allSettled([0, 1, 2].map(i => store(spool, `m${outcomes.length + i}`, size)))))
    }
    const stored = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [`m${i}`] : []))
    const refusals = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason] : []))
    assert.ok(stored.length > 0 && refusals.length > 0, 'some fit, some did not')
    for (const refusal of refusals) assert.ok(refusal instanceof SpoolFull, String(refusal))
    const { spool: again, report } = await reopened(t, spool, folder)
    assert.deepEqual(idsIn(again), [...stored].sort())
    for (const id of stored) assert.equal((await textOf(again.body(id)))?.length, size)
    assert.deepEqual([report.quarantined, report.orphanFilesRemoved], [[], 0])
  })
}

test('S29: when messages leave a full disk, others are accepted', { skip: noSmallDisk }, async t => {
  const folder = path.join(smallDisk(t, 'size=8m'), 'shard')
  const { spool } = await opened(t, { folder, keepFreeBytes: 2 * 1024 * 1024, keepFreeFiles: 0 })
  const stored = await fill(spool, 50_000)
  assert.ok(stored > 10)
  await assert.rejects(store(spool, 'large', 300_000), SpoolFull)
  for (const lease of await claimAll(spool)) {
    const changes = lease.due.map(index => ({ index, recipient: { ...lease.message.recipients[0]!, state: 'delivered' as const } }))
    // What was kept free has room for the results.
    await spool.settle(lease.message.id, changes, [])
  }
  await enqueue(spool, 'next')
})

test('S29: no room for another file is no room', { skip: noSmallDisk }, async t => {
  for (const keepFreeFiles of [0, 4]) {
    const folder = path.join(smallDisk(t, 'size=64m,nr_inodes=24'), `shard`)
    const { spool } = await opened(t, { folder, keepFreeBytes: 0, keepFreeFiles })
    const stored = await fill(spool, 100_000)
    assert.ok(stored > 5 && stored < 24, `${stored} files fit`)
    assert.equal(readdirSync(path.join(folder, 'bodies')).length, stored)
    // A body that needs no file needs no room for one.
    await enqueue(spool, 'small')
  }
})

test('S29: the configured size is a limit, for inline bodies and for files', async t => {
  for (const size of [3_000, 100_000]) {
    const { spool } = await opened(t, { folder: emptyFolder(t), maxBytes: 2 * 1024 * 1024 })
    const stored = await fill(spool, size)
    assert.ok(stored * size > 500_000 && stored * size < 4_000_000, `${stored} messages of ${size} bytes fit`)
    // A record takes more than its body; what is there is intact.
    assert.equal(spool.stats().messages, stored)
  }
})

test('S29: a disk with less free than is kept for results takes no mail', async t => {
  const { spool, folder } = await opened(t, { folder: emptyFolder(t), keepFreeBytes: 2 ** 60 })
  await assert.rejects(store(spool, 'small', 10), /kept free/)
  await assert.rejects(store(spool, 'large', 300_000), SpoolFull)
  assert.deepEqual(readdirSync(path.join(folder, 'bodies')), [])
  assert.deepEqual(spool.stats(), { messages: 0, leased: 0, quarantinedRecords: 0 })
})

test('S29: drafts that are dropped leave nothing', async t => {
  const { spool, folder } = await opened(t, { folder: emptyFolder(t) })
  const drafts = await Promise.all(Array.from({ length: 50 }, () => draftOf(spool, Array.from({ length: 5 }, () => Buffer.alloc(40_000)))))
  assert.equal(readdirSync(path.join(folder, 'bodies')).length, 50)
  // One is dropped while it is being written.
  const last = spool.draft()
  const written = last.write(Buffer.alloc(200_000))
  await Promise.all([...drafts, last].map(draft => draft.drop()))
  await written
  assert.deepEqual(readdirSync(path.join(folder, 'bodies')), [])
})

async function opened(t: TestContext, options: Omit<LmdbSpoolOptions, 'now'>): Promise<{ readonly spool: Spool; readonly folder: string }> {
  const { spool } = await openLmdbSpool({ ...options, now: () => NOW })
  t.after(() => spool.close())
  return { spool, folder: options.folder }
}

async function reopened(t: TestContext, spool: Spool, folder: string): ReturnType<typeof openLmdbSpool> {
  await spool.close()
  const again = await openLmdbSpool({ folder, now: () => NOW })
  t.after(() => again.spool.close())
  return again
}

/** As a session does it: a draft that was refused is dropped. */
async function store(spool: Spool, id: string, size: number): Promise<void> {
  const added: NewMessage = { ...(await drafted(spool, id, '')), message: message(id, { sizeBytes: size }) }
  try {
    for (let left = size; left > 0; left -= 50_000) await added.draft.write(Buffer.alloc(Math.min(left, 50_000), 'x'))
    await spool.enqueue(added, { leased: false })
  } catch (error) {
    await added.draft.drop()
    throw error
  }
}

/** How many messages were stored before one was refused. */
async function fill(spool: Spool, size: number): Promise<number> {
  for (let stored = 0; stored < 10_000; stored++) {
    try {
      await store(spool, `m${stored}`, size)
    } catch (error) {
      assert.ok(error instanceof SpoolFull, String(error))
      return stored
    }
  }
  throw new Error('the disk never filled up')
}

function idsIn(spool: Spool): readonly string[] {
  return spool.list({ filter: {}, after: null, limit: 10_000 }).map(({ id }) => id)
}
