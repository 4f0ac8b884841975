/**
 * A disk that fails once. Each call that LMDB writes with is made to fail in turn, by strace(1):
 * nothing hangs, what was promised is kept, and a spool that can't know its state says so.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import { openLmdbSpool } from '../../src/io/lmdb-spool.ts'
import { emptyFolder, NOW } from '../support/queued.ts'
import { untraceable } from './system-calls.ts'
import { checkAfterCrash } from './work.ts'

const WORKER = path.join(import.meta.dirname, 'worker.ts')

/**
 * Which of a thread's calls fails: the first ones make the shard's tables. What a later one writes,
 * a page or the proof that a transaction is valid, depends on how writers fell into groups.
 */
const FAILING: readonly (readonly [call: string, number: number])[] = [
  ['fdatasync', 7],
  ...Array.from({ length: 20 }, (_, i) => ['pwrite64', 11 + i] as const),
]

test('a disk that fails breaks no promise, and a spool that can’t go on says so', { skip: untraceable }, async t => {
  const outcomes = new Set<string>()
  for (const [call, number] of FAILING) {
    if (outcomes.size === 2) break
    const shard = path.join(emptyFolder(t), 'shard')
    const said = workWithFailing(call, number, shard)
    assert.ok(said.includes('closed'), `${call} number ${number} fails: the spool closes`)
    if (!said.includes('fails SpoolFailed')) continue
    outcomes.add(said.includes('reports broken') ? 'broken' : 'refused')
    const { spool, report } = await openLmdbSpool({ folder: shard, now: () => NOW })
    await checkAfterCrash(spool, said)
    assert.deepEqual(report.quarantined, [])
    await spool.close()
  }
  assert.deepEqual([...outcomes].sort(), ['broken', 'refused'], 'both kinds of failure were met')
})

/** What the worker said. */
function workWithFailing(call: string, number: number, shard: string): readonly string[] {
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:error=EIO:when=${number}`]
  const { stdout, error } = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', ...inject, process.execPath, WORKER, shard, '4'], {
    encoding: 'utf8',
    // strace counts the calls of each thread by itself: one thread writes, and its calls are all.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    // LMDB would wait for ever if a commit followed the one that broke it.
    timeout: 30_000,
  })
  if (error !== undefined) throw error
  return stdout.split('\n').filter(line => line !== '')
}
