/** `postern up` in an empty place: what it prints must work when it is pasted into another terminal. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { familyOf, killFamily, run, waitFor } from '../support/processes.ts'

const PROGRAM = path.join(import.meta.dirname, '..', '..', 'bin', 'postern')

/** Within the folder of the program is where `npm start` puts it for who is not root. */
for (const [where, above] of [
  ['elsewhere', tmpdir()],
  ['within the folder of the program', path.join(PROGRAM, '..', '..', 'postern-data')],
] as const) {
  test(`a newcomer sends a first message, is refused without the certificate, and learns why: data ${where}`, () => newcomer(above))
}

async function newcomer(above: string): Promise<void> {
  mkdirSync(above, { recursive: true })
  const folder = mkdtempSync(path.join(above, 'postern-up-'))
  const data = path.join(folder, 'my data')
  const up = spawn(PROGRAM, ['up', '--hostname', 'localhost', '--domain', 'example.test', '--dir', data], { detached: true })
  const pid = up.pid ?? 0
  let shown = ''
  up.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text))
  up.stderr.setEncoding('utf8').on('data', (text: string) => (shown += text))
  const told = (): string => shown
  const ended = new Promise<number | null>(resolve => up.once('exit', resolve))
  try {
    await waitFor('postern up to say that it runs', () => shown.includes('Ctrl-C stops.'), { told })
    const [first = '', second = ''] = pasteable(shown)

    const sent = await run('sh', ['-c', first], { cwd: '/' })
    assert.deepEqual([sent.code, sent.stderr], [0, ''], `the first command works as printed:\n${first}`)
    const kept = await waitFor('the message to be kept', () => readdirSync(path.join(data, 'sink')).find(name => name.endsWith('.eml')), { told })
    assert.match(readFileSync(path.join(data, 'sink', kept), 'utf8'), /Subject: Hello\r\n\r\nIt works\.\r\n$/)

    const refused = await run('sh', ['-c', second], { cwd: '/' })
    assert.notEqual(refused.code, 0, 'without the certificate it is refused')
    const why = await waitFor('the refusal to be shown', () => /why: (.*)\n/.exec(shown)?.[1], { told })
    const explained = await run('sh', ['-c', why], { cwd: '/' })
    assert.match(explained.stdout, /none was presented[^]*=> refused \(identityRequired\)/)

    process.kill(pid, 'SIGTERM')
    assert.equal(await ended, 0)
    await waitFor('every process to be gone', () => familyOf(pid).length === 0)
  } finally {
    await killFamily(pid)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Indented commands, with the lines that a backslash continues. */
function pasteable(text: string): readonly string[] {
  return text.match(/^ {2}(?:printf|\S*postern) (?:.*\\\n)*.*$/gm) ?? []
}
