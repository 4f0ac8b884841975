/** A shard is used by a process that can reach nothing but the shard, and may not even see the folders above. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { workerFlags } from '../../src/process/permissions.ts'
import { prepareSpool } from '../../src/process/run-as.ts'
import { emptyFolder } from '../support/queued.ts'

const PROGRAM = path.join(import.meta.dirname, 'sandboxed.ts')
/** Workers cannot read the tests; this one is among them. */
const TESTS = `--allow-fs-read=${path.join(import.meta.dirname, '..')}`
const isRoot = process.getuid?.() === 0
/** `nobody`, wherever it matters to this test. */
const NOBODY = 65534

test('S24: a spool works under the worker’s permissions, without root, from a relative path', t => {
  const above = emptyFolder(t)
  const spoolFolder = path.join(above, 'spool')
  prepareSpool(spoolFolder, ['0'], null)
  if (isRoot) for (const folder of [spoolFolder, path.join(spoolFolder, '0')]) chownSync(folder, NOBODY, NOBODY)
  chmodSync(above, 0o700)
  const account = isRoot ? [String(NOBODY), String(NOBODY)] : []
  const { stdout, stderr, status } = spawnSync(process.execPath, [...workerFlags(spoolFolder, ['0']), TESTS, PROGRAM, ...account], {
    cwd: spoolFolder,
    encoding: 'utf8',
    env: {},
  })
  assert.equal(status, 0, stderr)
  assert.deepEqual(JSON.parse(stdout), {
    uid: isRoot ? NOBODY : process.getuid?.(),
    events: 1,
    stats: { messages: 0, leased: 0, quarantinedRecords: 0 },
  })
})
