/**
 * The power is cut at every step of a spool's work, and what the disk surely holds must keep every
 * promise that was made by then.
 */

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { openLmdbSpool } from '../../src/io/lmdb-spool.ts'
import { emptyFolder, NOW } from '../support/queued.ts'
import { CrashStates } from './crash-states.ts'
import type { Loss } from './crash-states.ts'
import { traceCalls, untraceable } from './system-calls.ts'
import { checkAfterCrash } from './work.ts'

const WORKER = path.join(import.meta.dirname, 'worker.ts')
const ROUNDS = 2

test('S29: no promise is broken by kill -9, or by a power cut, between any two calls to the disk', { skip: untraceable }, async t => {
  const folder = emptyFolder(t)
  const shard = path.join(folder, 'shard')
  const states = new CrashStates(traceCalls([WORKER, shard, String(ROUNDS)], path.join(folder, 'log')), shard)
  assert.ok(states.said(states.length).includes(`settled failed-${ROUNDS - 1}`), 'the work was done')
  const seed = Number(process.env['POSTERN_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  const losses: readonly Loss[] = ['kept', 'lost', { random: randomFrom(seed) }]
  for (let upTo = firstCrash(states); upTo <= states.length; upTo++) {
    for (const loss of losses) {
      const remains = path.join(folder, 'remains')
      states.restore(upTo, loss, remains)
      await checkRemains(remains, states.said(upTo)).catch((error: unknown) => {
        const what = typeof loss === 'string' ? loss : `lost in part (POSTERN_SEED=${seed})`
        throw new Error(`crash after ${upTo} of ${states.length} events, unsynced writes ${what}`, { cause: error })
      })
      rmSync(remains, { recursive: true })
    }
  }
})

async function checkRemains(folder: string, said: readonly string[]): Promise<void> {
  const { spool, report } = await openLmdbSpool({ folder, now: () => NOW })
  try {
    assert.deepEqual(report.quarantined, [])
    await checkAfterCrash(spool, said)
  } finally {
    await spool.close()
  }
}

/** A crash while the shard is made for the first time meets nobody's mail. */
function firstCrash(states: CrashStates): number {
  let upTo = 0
  while (states.said(upTo).length === 0) upTo++
  return upTo
}

/** Mulberry32: good enough to choose what is lost, and the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
