/**
 * Revoking a certificate counts at once: for sessions that are open, for clients that resume a TLS
 * session from before, and for mail that waits in the queue.
 */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { startPostern, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { opensslArguments } from './clients/openssl.ts'
import { typed } from './clients/typed.ts'
import { swaks } from './clients/swaks.ts'
import { missing, program } from './programs.ts'

/** What `queue list --json` prints, as far as it is looked at here. */
type Queued = { readonly id: string; readonly sender: string; readonly heldBecause: string | null }

let sink: Sink
let postern: Postern

before(async () => {
  sink = await startSink({ answer: ({ at }) => (at === 'mail' ? '451 4.3.0 Not now' : null) })
  postern = await startPostern({ smarthost: sink.port })
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

for (const version of ['tls1_2', 'tls1_3']) {
  for (const shows of ['its certificate', 'no certificate'] as const) {
    const name = `a revoked certificate is refused when openssl resumes its ${version} session and shows ${shows}`
    test(name, { skip: missing('openssl') }, async () => {
      const user = `resuming-${version}-${shows === 'no certificate' ? 'without' : 'with'}`
      const certificate = await postern.issue(user, '--email', `${user}@example.test`)
      const saved = join(postern.folder, '..', `${user}.session`)
      const first = await typed(program('openssl'), [...session(version, certificate), '-sess_out', saved], commands(user))
      assert.equal(first.code, 0, first.stdout + first.stderr)
      await revoke(user)

      // Without a session to resume, which is best, the second connection is simply a new one.
      const resumed = existsSync(saved) ? ['-sess_in', saved] : []
      const shown = shows === 'no certificate' ? null : certificate
      const second = await typed(program('openssl'), [...session(version, shown), ...resumed], commands(user))
      assert.match(second.stdout, /^550 5\.7\.1 /m)
      assert.doesNotMatch(second.stdout, /^354 /m)
    })
  }
}

test('mail that waits in the queue is held when its certificate is revoked', { skip: missing('swaks') }, async () => {
  const sender = 'waiting@example.test'
  const certificate = await postern.issue('waiting', '--email', sender)
  const route = {
    port: postern.ports.submission,
    tls: 'starttls',
    login: 'certificate',
    authority: postern.authority,
    certificate,
    folder: join(postern.folder, '..'),
  } as const
  const sent = await swaks.send(route, { from: sender, to: 'ann@example.net', subject: 'waits', text: 'wait' })
  assert.equal(sent.code, 0, sent.stdout + sent.stderr)
  const waiting = async (): Promise<Queued | undefined> => {
    const queue = (await postern.json(['queue', 'list'])) as readonly Queued[]
    return queue.find(message => message.sender === sender)
  }
  assert.equal((await waiting())?.heldBecause, null)

  await revoke('waiting')
  const held = await waitFor('the message to be held', async () => {
    const message = await waiting()
    return message?.heldBecause === null ? null : message
  })
  assert.match(held.heldBecause ?? '', /revoked/i)
})

function session(version: string, certificate: CertificateFiles | null): string[] {
  const { ports, authority } = postern
  return [...opensslArguments({ port: ports.mx, tls: 'starttls', authority, certificate }), `-${version}`]
}

function commands(user: string): string[] {
  // prettier-ignore
  return [
    'ehlo laptop.example.test', `mail from:<${user}@example.test>`, 'rcpt to:<ann@example.net>', 'data',
    'Subject: before\n\nSent before the revocation.\n.', 'quit',
  ]
}

async function revoke(user: string): Promise<void> {
  const revoked = await postern.command(['user', 'revoke', user])
  assert.equal(revoked.code, 0, revoked.stdout + revoked.stderr)
}
