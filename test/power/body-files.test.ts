/** Bodies in files: the power is cut after every step, and the files themselves are made as they must be. */

import assert from 'node:assert/strict'
import { constants, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { NEW_FILE, openBodyFiles } from '../../src/io/body-files.ts'
import { openLmdbSpool } from '../../src/io/lmdb-spool.ts'
import type { RecipientChange } from '../../src/relay/ports.ts'
import { drafted, emptyFolder, NOW, recipient, textOf } from '../support/queued.ts'
import { FragileFiles } from './fragile-files.ts'

const BODY = 'x'.repeat(400_000)
const BOUNCE = 'y'.repeat(200_000)

/** More than enqueue and settle of these two take; the last run is not cut. */
for (let steps = 1; steps <= 12; steps++) {
  test(`power cut at step ${steps} of enqueue and settle with a bounce`, async t => {
    const folder = emptyFolder(t)
    const files = new FragileFiles(steps)
    const promised = await enqueueAndSettle(folder, files)
    const { spool, report } = await openLmdbSpool({ folder, now: () => NOW, files: files.afterPowerCut() })
    const bodies = [await textOf(spool.body('m1')), await textOf(spool.body('b1'))]
    await spool.close()
    assert.deepEqual(report.quarantined, [], 'what is recorded is whole')
    const [message, bounce] = [promised.enqueued && !promised.settled, promised.settled]
    assert.deepEqual(bodies, [message ? BODY : null, bounce ? BOUNCE : null], 'a promise and its record go together')
    assert.equal(files.names().length, Number(message) + Number(bounce), 'files without a record are gone')
    if (steps === 12) assert.ok(promised.settled && !files.isCut, 'the last run was not cut')
  })
}

async function enqueueAndSettle(folder: string, files: FragileFiles): Promise<{ readonly enqueued: boolean; readonly settled: boolean }> {
  const { spool } = await openLmdbSpool({ folder, now: () => NOW, files })
  const delivered: RecipientChange[] = [{ index: 0, recipient: recipient({ state: 'failed' }) }]
  const enqueued = await succeeds(async () => spool.enqueue(await drafted(spool, 'm1', BODY), { leased: true }))
  const settled = enqueued && (await succeeds(async () => spool.settle('m1', delivered, [await drafted(spool, 'b1', BOUNCE)])))
  await spool.close()
  return { enqueued, settled }
}

function succeeds(run: () => Promise<unknown>): Promise<boolean> {
  return run().then(
    () => true,
    () => false,
  )
}

test('a file that no record names is removed when a shard is opened; what is not ours stays', async t => {
  const { folder } = await shardWithFile(t)
  const [name = ''] = readdirSync(path.join(folder, 'bodies'))
  writeFileSync(path.join(folder, 'bodies', 'f'.repeat(32)), 'left behind')
  writeFileSync(path.join(folder, 'bodies', 'notes.txt'), 'not ours')
  const { spool, report } = await openLmdbSpool({ folder, now: () => NOW })
  await spool.close()
  assert.deepEqual(report, { resumed: 1, orphanFilesRemoved: 1, quarantined: [] })
  assert.deepEqual(readdirSync(path.join(folder, 'bodies')).sort(), [name, 'notes.txt'].sort())
})

for (const [what, damage] of Object.entries({ missing: null, short: 'cut short' })) {
  test(`a record whose body file is ${what} is set aside and reported`, async t => {
    const { folder } = await shardWithFile(t)
    const [name = ''] = readdirSync(path.join(folder, 'bodies'))
    const file = path.join(folder, 'bodies', name)
    if (damage === null) await openBodyFiles(folder).remove(name)
    else writeFileSync(file, damage)
    for (const expected of [{ resumed: 0, orphanFilesRemoved: 0, quarantined: 1 }, { resumed: 0, orphanFilesRemoved: 0, quarantined: 0 }]) {
      const { spool, report } = await openLmdbSpool({ folder, now: () => NOW })
      assert.deepEqual({ ...report, quarantined: report.quarantined.length }, expected)
      assert.deepEqual(spool.stats(), { messages: 0, leased: 0, quarantinedRecords: 1 })
      assert.equal(spool.nextDueAt(), null)
      await spool.close()
    }
  })
}

test('a body that was damaged is not sent to its end', async t => {
  const { folder } = await shardWithFile(t)
  const [name = ''] = readdirSync(path.join(folder, 'bodies'))
  writeFileSync(path.join(folder, 'bodies', name), `${BODY.slice(0, -1)}y`)
  const { spool } = await openLmdbSpool({ folder, now: () => NOW })
  const [lease] = await spool.claim({ now: NOW, limit: 1 })
  await assert.rejects(textOf(lease?.body ?? null), /does not match its checksum/)
  await spool.close()
})

test('S24: body files are the owner’s alone, written synchronously, and never through a link', async t => {
  const { folder } = await shardWithFile(t)
  const [name = ''] = readdirSync(path.join(folder, 'bodies'))
  assert.equal(lstatSync(path.join(folder, 'bodies')).mode & 0o777, 0o700)
  for (const file of [`bodies/${name}`, 'data.mdb', 'lock.mdb']) assert.equal(lstatSync(path.join(folder, file)).mode & 0o777, 0o600)
  assert.equal(NEW_FILE & constants.O_SYNC, constants.O_SYNC)
  const files = openBodyFiles(folder)
  const link = 'a'.repeat(32)
  symlinkSync(path.join(folder, 'elsewhere'), path.join(folder, 'bodies', link))
  await assert.rejects(files.create(link))
  await assert.rejects(files.create(name), 'a file that is there is not written to')
  assert.equal(files.sizeOf(link), null)
  await assert.rejects(async () => {
    for await (const chunk of files.read(link)) assert.fail(`read ${chunk.length} bytes through a link`)
  })
})

test('S24: a shard that others can open, or that is made of links, is refused with a remedy', async t => {
  const open = (folder: string): Promise<unknown> => openLmdbSpool({ folder, now: () => NOW })
  const shared = path.join(emptyFolder(t), 'shared')
  mkdirSync(shared, { mode: 0o755 })
  await assert.rejects(open(shared), /is open to other users; chmod 0700/)
  for (const linked of ['bodies', 'data.mdb', 'lock.mdb']) {
    const folder = emptyFolder(t)
    symlinkSync(emptyFolder(t), path.join(folder, linked))
    await assert.rejects(open(folder), /is not a fil|is not a folder/)
  }
  const link = path.join(emptyFolder(t), 'link')
  symlinkSync(emptyFolder(t), link)
  await assert.rejects(open(link), /is not a folder/)
})

test('a shard whose data file is damaged is refused, and one that was never finished is made anew', async t => {
  const { folder } = await shardWithFile(t)
  const file = path.join(folder, 'data.mdb')
  for (const damaged of [Buffer.alloc(100_000, 'garbage'), Buffer.concat([readFileSync(file).subarray(0, 4096), Buffer.alloc(50_000)])]) {
    writeFileSync(file, damaged)
    await assert.rejects(openLmdbSpool({ folder, now: () => NOW }), /data.mdb is damaged, or not a file of LMDB; move it elsewhere/)
  }
  for (const unfinished of [Buffer.alloc(0), Buffer.from('cut'), Buffer.alloc(8192)]) {
    writeFileSync(file, unfinished)
    const { spool } = await openLmdbSpool({ folder, now: () => NOW })
    assert.equal(spool.stats().messages, 0)
    await spool.close()
  }
})

async function shardWithFile(t: TestContext): Promise<{ readonly folder: string }> {
  const folder = emptyFolder(t)
  const { spool } = await openLmdbSpool({ folder, now: () => NOW })
  await spool.enqueue(await drafted(spool, 'm1', BODY), { leased: false })
  await spool.close()
  return { folder }
}
