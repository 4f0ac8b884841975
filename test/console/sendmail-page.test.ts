/** docs/sendmail.md, followed to the letter: what root sets up, an ordinary account can use. */

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { startPostern } from '../support/postern.ts'
import { mustRun, run } from '../support/processes.ts'
import { startSink } from '../support/sink.ts'

const ROOT = path.join(import.meta.dirname, '..', '..')
const PROGRAM = path.join(ROOT, 'bin', 'postern')
const PAGE = readFileSync(path.join(ROOT, 'docs', 'sendmail.md'), 'utf8')
/** A user and a group that the system does not know. */
const SENDER = 54_322
const STRANGER = 54_323

const isRoot = process.getuid?.() === 0
const canTry = isRoot && (await run(PROGRAM, ['--version'], { account: SENDER, cwd: '/' }).catch(() => null))?.code === 0

test('the page works as written, for who is in the group', { skip: !canTry && 'needs root, and a program that everybody may start' }, async () => {
  const sink = await startSink()
  const postern = await startPostern({ smarthost: sink.port })
  const folder = path.dirname(postern.folder)
  chmodSync(folder, 0o755)
  const [etc, bin] = [path.join(folder, 'etc'), path.join(folder, 'bin')]
  mkdirSync(bin)
  /** The page's places, in a folder of the test; and its group, by number. */
  const here = (text: string): string =>
    text
      .replaceAll('/etc/postern', etc)
      .replaceAll('/var/lib/postern', postern.folder)
      .replaceAll('/opt/postern', ROOT)
      .replaceAll(/\/usr\/s?bin/g, bin)
      .replaceAll('postern user add', `${PROGRAM} user add --dir ${postern.folder}`)
      .replaceAll('relay.example.org:465', `localhost:${postern.ports.submissions}"\nimplicit-tls = true # "`)
      .replace('groupadd postern-send\n', '')
      .replaceAll('postern-send', String(SENDER))
  try {
    const blocks = [...PAGE.matchAll(/^ {3}```(\w*)\n([^]*?)^ {3}```$/gm)].map(([, form = '', text = '']) => ({ form, text: here(text.replaceAll(/^ {3}/gm, '')) }))
    const tried = blocks.pop()?.text ?? ''
    assert.equal(blocks.length, 4)
    for (const { form, text } of blocks) {
      if (form === 'toml') writeFileSync(path.join(etc, 'sendmail.toml'), text)
      else await mustRun('/bin/sh', ['-e', '-c', `umask 022\n${text}`])
    }
    const env = { PATH: `${bin}:${process.env['PATH']}`, POSTERN_SENDMAIL: path.join(etc, 'sendmail.toml') }
    const sent = await run('/bin/sh', ['-c', tried], { account: SENDER, cwd: '/', env })
    assert.match(sent.stdout, /^sent to ann@example\.net: 250 2\.0\.0 Queued as \w+ \(localhost:\d+, TLSv1\.3 \w+, verified\)\n0\n$/, sent.stderr)
    assert.equal((await sink.messageWith('It works.')).reversePath, `uid-${SENDER}@example.org`)

    const stranger = await run('/bin/sh', ['-c', tried], { account: STRANGER, cwd: '/', env })
    assert.equal(stranger.stdout, '78\n')
    assert.match(stranger.stderr, /web7\.key: permission denied \(its private key; who may read it may send\)/)
  } finally {
    await postern.dispose()
    await sink.stop()
  }
})
