/** A reload under load drops nobody, and one that takes a permission away holds at once. */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { showing, startPostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'
import { signal, waitFor } from '../support/processes.ts'
import { startSink } from '../support/sink.ts'
import type { Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const SESSIONS = 12
const RELOADS = 8

let sink: Sink
let postern: Postern
let joe: CertificateFiles
let access: string
/** As `init` has written it. */
let usual: string
/** Joe's, as access maps have it. */
let subject: string

before(async () => {
  sink = await startSink()
  postern = await startPostern({ smarthost: sink.port, settings: { queue: { workers: 2, retry: '1s' } } })
  joe = await postern.issue('joe', '--email', 'joe@example.test')
  access = path.join(postern.folder, 'access')
  usual = readFileSync(access, 'utf8')
  const lines = await postern.command(['dn', joe.certificate])
  subject = /CERTSUBJECT:(\S+)/.exec(lines.stdout)?.[1] ?? assert.fail(lines.stdout)
})

afterEach(() => reloadWith(usual))

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

for (const { what, map } of [
  { what: 'USER: REJECT', map: () => `USER:joe\tREJECT\n${usual}` },
  { what: 'CERTSUBJECT~: REJECT', map: () => `CERTSUBJECT~:${subject}\tREJECT\n${usual}` },
  { what: 'CERTISSUER: SUBJECT, and no CERTSUBJECT:', map: () => usual.replaceAll(/^(CERTISSUER:\S+)\s+RELAY$/gm, '$1\tSUBJECT') },
]) {
  test(`${what}: the next transaction of an open session and the next connection are refused`, async () => {
    const open = await joesSession()
    assert.equal(await relays(open), 250)
    await reloadWith(map())
    assert.equal(await relays(open), 550)
    const next = await joesSession()
    assert.equal(await relays(next), 550)
    await reloadWith(usual)
    for (const session of [open, next]) {
      assert.equal(await relays(session), 250)
      await session.quit()
    }
  })
}

test('a Connect: line: RELAY that is taken away, and REJECT', async () => {
  await reloadWith(`Connect:127.0.0.1\tRELAY\n${usual}`)
  const open = await SmtpClient.connect(postern.ports.mx)
  await open.greet()
  assert.equal(await relays(open), 250)
  await reloadWith(usual)
  assert.equal(await relays(open), 550)
  await open.quit()

  await reloadWith(`Connect:127.0.0.1\tREJECT\n${usual}`)
  const next = await SmtpClient.connect(postern.ports.mx)
  assert.equal((await next.greet()).code, 550)
  await next.quit()
})

test(`${RELOADS} reloads while ${SESSIONS} sessions send: none is dropped, and every 250 is delivered`, async t => {
  const reloaded = (): number => postern.log().filter(line => line['event'] === 'reloaded').length
  const over = new AbortController()
  const accepted: string[] = []
  const sending = Array.from({ length: SESSIONS }, async (_, number) => {
    const session = await joesSession()
    for (let count = 0; !over.signal.aborted || count < 2; count += 1) {
      const name = `under-load-${number}-${count}.`
      const reply = await session.deliver({ from: 'joe@example.test', to: 'ann@example.net', text: `Subject: ${name}\r\n\r\n${'x'.repeat(2000)}\r\n` })
      assert.equal(reply.code, 250, `session ${number}, message ${count}: ${reply.text}`)
      accepted.push(name)
    }
    assert.equal((await session.command('NOOP')).code, 250)
    await session.quit()
  })
  const load = Promise.all(sending)
  load.catch(() => over.abort())
  try {
    for (let reload = 0; reload < RELOADS; reload += 1) {
      // Another map each time, and for the half of them by signal.
      writeFileSync(access, `To:blocked${reload}@example.net\tREJECT\n${usual}`)
      const [before, sent] = [reloaded(), accepted.length]
      if (reload % 2 === 0) assert.deepEqual(await postern.json(['reload']), { inForce: true, problems: [], warnings: [], afterRestart: [] })
      else signal(postern.pid(), 'SIGHUP')
      await waitFor('the reload, and a message after it', () => reloaded() > before && accepted.length > sent)
    }
  } finally {
    over.abort()
    await load
  }
  const arrived = (): number => accepted.filter(name => sink.messages.some(({ text }) => text.includes(name))).length
  await waitFor('every accepted message to be delivered', () => arrived() === accepted.length, { told: () => `${arrived()} of ${accepted.length}` })
  t.diagnostic(`${accepted.length} messages over ${SESSIONS} sessions through ${RELOADS} reloads`)
})

async function reloadWith(map: string): Promise<void> {
  writeFileSync(access, map)
  assert.deepEqual(await postern.json(['reload']), { inForce: true, problems: [], warnings: [], afterRestart: [] })
}

/** MAIL and RCPT to somebody elsewhere: the first refusal, or 250. The transaction is left again. */
async function relays(session: SmtpClient): Promise<number> {
  for (const line of ['MAIL FROM:<joe@example.test>', 'RCPT TO:<ann@example.net>']) {
    const { code } = await session.command(line)
    if (code !== 250) {
      await session.command('RSET')
      return code
    }
  }
  await session.command('RSET')
  return 250
}

async function joesSession(): Promise<SmtpClient> {
  const session = await SmtpClient.connect(postern.ports.submission)
  await session.greet()
  await session.startTls(showing(postern, joe))
  await session.command('EHLO laptop.example.test')
  return session
}
