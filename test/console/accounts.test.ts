/** Commands of an account that may not, and of one that has no name, as in containers. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { startPostern, type Postern } from '../support/postern.ts'
import { familyOf, killFamily, run, waitFor } from '../support/processes.ts'

const PROGRAM = path.join(import.meta.dirname, '..', '..', 'bin', 'postern')
/** No account of the system has it. */
const NAMELESS = 54_321

const isRoot = process.getuid?.() === 0
const canTry = isRoot && (await run(PROGRAM, ['--version'], { account: NAMELESS, cwd: '/' }).catch(() => null))?.code === 0
const skip = !canTry && 'needs root, and a program that everybody may start'

let postern: Postern
before(async () => {
  postern = await startPostern()
})
after(() => postern?.dispose())

test('whoever may not is told what, where and what to do, and with EX_NOPERM', { skip }, async () => {
  // prettier-ignore
  const commands = [
    'status', 'mailq', 'queue list', 'queue show x', 'queue flush', 'queue release x', 'reload', 'stop', 'check', 'trace x', 'explain x', 'user list',
    'user add joe --email joe@example.test', 'user revoke joe', 'user passwd joe --device phone', 'ca show', 'access lint', 'up', 'init --hostname a.test --domain a.test',
  ]
  for (const command of commands) {
    const { code, stdout, stderr } = await postern.command(command.split(' '), { account: NAMELESS, cwd: '/' })
    assert.match(stderr, /^postern: cannot open \/\S+: permission denied; run this as root, or as the account that it belongs to\n$/, command)
    assert.deepEqual([code, stdout], [77, ''], command)
  }
  const started = await postern.command(['run'], { account: NAMELESS, cwd: '/' })
  assert.deepEqual([started.code, started.stdout], [1, ''])
  assert.match(started.stderr, /postern\.toml: permission denied; run this as root, or as the account that it belongs to\n$/)
})

test('whoever named no data directory is told to', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-nowhere-'))
  const { code, stderr } = await run(PROGRAM, ['mailq', '--dir', path.join(folder, 'none')])
  assert.deepEqual([code, stderr], [1, `postern: there is no folder ${path.join(folder, 'none')}; name the data directory with --dir, as in: --dir /var/lib/postern\n`])
  rmSync(folder, { recursive: true })
})

test('an account without a name starts its first relay', { skip }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-nameless-'))
  chmodSync(folder, 0o700)
  chownSync(folder, NAMELESS, NAMELESS)
  const words = ['up', '--hostname', 'localhost', '--domain', 'example.test', '--dir', path.join(folder, 'data')]
  const up = spawn(PROGRAM, words, { detached: true, uid: NAMELESS, gid: NAMELESS, cwd: folder, env: { PATH: process.env['PATH'] ?? '' } })
  const pid = up.pid ?? 0
  let shown = ''
  up.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text))
  up.stderr.setEncoding('utf8').on('data', (text: string) => (shown += text))
  try {
    await waitFor('postern up to say that it runs, or why not', () => shown.includes('Ctrl-C stops.') || up.exitCode !== null, { told: () => shown })
    assert.match(shown, /Your certificate, for me@example\.test/)
    process.kill(pid, 'SIGTERM')
    assert.deepEqual(await once(up, 'exit'), [0, null])
    await waitFor('every process to be gone', () => familyOf(pid).length === 0)
  } finally {
    await killFamily(pid)
    rmSync(folder, { recursive: true, force: true })
  }
})
