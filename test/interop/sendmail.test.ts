/** Real programs hand their mail to `postern sendmail`, as they do to /usr/sbin/sendmail. */

import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { startPostern, type Postern } from '../support/postern.ts'
import { mustRun } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { missing, program } from './programs.ts'

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'postern')

let sink: Sink
let postern: Postern
let folder: string
let sendmail: string
let env: Readonly<Record<string, string>>

before(async () => {
  sink = await startSink()
  postern = await startPostern({ smarthost: sink.port })
  await postern.issue('web7', '--machine')
  folder = dirname(postern.folder)
  sendmail = join(folder, 'sendmail')
  symlinkSync(PROGRAM, sendmail)
  const settings = join(folder, 'sendmail.toml')
  const lines = [`relay = "localhost:${postern.ports.submission}"`, 'certificate = "web7.pem"', 'key = "web7.key"', 'ca = "data/ca/ca.pem"', 'domain = "example.test"']
  writeFileSync(settings, lines.join('\n'))
  env = { POSTERN_SENDMAIL: settings, HOME: folder }
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

test('mutt, with recipients on the command line', { skip: missing('mutt') }, async () => {
  const muttrc = join(folder, 'muttrc')
  writeFileSync(muttrc, `set sendmail="${sendmail} -oem -oi"\nset from="joe@example.test"\nset use_envelope_from=yes\nset copy=no\n`)
  await mustRun(program('mutt'), ['-n', '-F', muttrc, '-s', 'From mutt', '-b', 'secret@example.net', 'ann@example.net'], { input: 'first\n.\nlast\n', env })
  const message = await sink.messageWith('From mutt')
  assert.equal(message.reversePath, 'joe@example.test')
  assert.deepEqual([...message.forwardPaths].sort(), ['ann@example.net', 'secret@example.net'])
  assert.match(message.text, /first\r\n\.\r\nlast\r\n/)
})

test('s-nail, as mail(1) in a cron job', { skip: missing('s-nail') }, async () => {
  await mustRun(program('s-nail'), ['-:/', `-Smta=${sendmail}`, '-Sfrom=cron@example.test', '-Ssendwait', '-s', 'From s-nail', 'root'], { input: 'All is well.\n', env })
  const message = await sink.messageWith('From s-nail')
  assert.deepEqual(message.forwardPaths, ['root@example.test'])
  assert.match(message.text, /All is well\.\r\n$/)
})

test('Python pipes a message into it, as web applications do', { skip: missing('python3') }, async () => {
  const script = [
    'import subprocess, email.message, sys',
    'm = email.message.EmailMessage()',
    "m['To'] = 'ann@example.net'; m['Bcc'] = 'secret@example.net'; m['Subject'] = 'From Python'",
    "m.set_content('gr\\u00fc\\u00dfe\\n')",
    "sys.exit(subprocess.run([sys.argv[1], '-t', '-oi', '-f', 'app@example.test'], input=m.as_bytes()).returncode)",
  ]
  await mustRun(program('python3'), ['-c', script.join('\n'), sendmail], { env })
  const message = await sink.messageWith('From Python')
  assert.deepEqual(message.forwardPaths, ['ann@example.net', 'secret@example.net'])
  assert.match(message.text, /^From: app@example\.test\r\n/m)
  assert.doesNotMatch(message.text, /Bcc/)
})
