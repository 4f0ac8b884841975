/** Sendmail's answers and the policy's are the same over generated maps and sessions. */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../support/processes.ts'
import { missingAsRoot } from './programs.ts'
import { MAKEMAP, SENDMAIL } from './servers/sendmail.ts'

const SCRIPT = join(import.meta.dirname, 'differential/run.ts')
const skip = missingAsRoot(SENDMAIL, MAKEMAP, 'm4', 'unshare', 'ip')

// The same cases each time; another seed has others.
const seed = process.env['POSTERN_DIFFERENTIAL_SEED'] ?? '1'

test('the policy answers as Sendmail does, over generated maps and sessions', { skip }, async t => {
  const { code, stdout, stderr } = await run(process.execPath, [SCRIPT, '--seed', seed, '--maps', '100', '--sessions', '6'], { timeoutSeconds: 240 })
  assert.equal(code, 0, stdout + stderr)
  const [, compared, overTls] = /(\d+) sessions compared, (\d+) of them over TLS; 0 differences without a reason\n$/.exec(stdout) ?? []
  assert.equal(compared, '600')
  assert.ok(Number(overTls) >= 50, `${overTls} over TLS`)
  t.diagnostic(stdout.trimEnd())
})
