/** kill -9 at moments that nobody chose: what the process was promised is there when it starts again. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import test from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openLmdbSpool } from '../../src/io/lmdb-spool.ts'
import { emptyFolder, NOW } from '../support/queued.ts'
import { checkAfterCrash } from './work.ts'

const WORKER = path.join(import.meta.dirname, 'worker.ts')
const KILLS = 6
const LATEST_KILL_MILLISECONDS = 120

test('S29: a process killed while it works has broken no promise', async t => {
  for (let kill = 0; kill < KILLS; kill++) {
    const folder = path.join(emptyFolder(t), 'shard')
    const said = await workAndDie(folder, Math.random() * LATEST_KILL_MILLISECONDS)
    const { spool, report } = await openLmdbSpool({ folder, now: () => NOW })
    try {
      assert.ok(said.length > 0, 'it had begun')
      assert.deepEqual(report.quarantined, [])
      await checkAfterCrash(spool, said)
    } finally {
      await spool.close()
    }
  }
})

/** What the process said until it was killed, so long after its first word. */
async function workAndDie(folder: string, afterMilliseconds: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [WORKER, folder, '100000'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('latin1').on('data', (text: string) => (output += text))
  const ended = once(child.stdout, 'end')
  await once(child.stdout, 'data')
  await wait(afterMilliseconds)
  child.kill('SIGKILL')
  await ended
  // The last line may be cut short; then it was not said.
  return output.split('\n').slice(0, -1)
}
