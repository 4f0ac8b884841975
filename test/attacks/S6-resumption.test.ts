/**
 * S6: TLS resumption must not carry an identity along.
 *
 * A server that resumes a session skips the certificate of the client. Others have relayed for revoked
 * certificates that way, and for clients that show none. Here each way to resume is tried against
 * the real program: with tickets and with session ids, in both TLS versions, at the same listener, at
 * another, under another name, and after the certificate has been revoked.
 */

import assert from 'node:assert/strict'
import { constants } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { createServer, type ConnectionOptions } from 'node:tls'
import type { CertificateFiles } from '../support/certificates.ts'
import { showing, startPostern, type Listener, type Postern } from '../support/postern.ts'
import { SmtpClient } from '../support/smtp-client.ts'

/** How the client asks to resume: with the ticket it was given, or by the session's id. TLS 1.3 has only tickets. */
const WAYS = [
  { name: 'TLS 1.2 by ticket', tls: only('TLSv1.2', 'ticket') },
  { name: 'TLS 1.2 by session id', tls: only('TLSv1.2', 'session id') },
  { name: 'TLS 1.3 by ticket', tls: only('TLSv1.3', 'ticket') },
] as const

const LISTENERS: readonly Listener[] = ['mx', 'submission', 'submissions']

/** Enough connections to meet each worker several times: a session may be known to one of them only. */
const TRIES = 6

let postern: Postern
let joe: CertificateFiles

before(async () => {
  postern = await startPostern()
  joe = await postern.issue('joe', '--email', 'joe@example.test')
})

after(async () => {
  await postern?.dispose()
})

for (const { name, tls } of WAYS) {
  test(`S6: the client of these tests resumes where a server lets it, ${name}`, async t => {
    const port = await startResumingServer(t)
    const first = await SmtpClient.connect(port, { ...tls, ...showing(postern, joe) })
    await first.reply()
    const second = await SmtpClient.connect(port, { ...tls, ...showing(postern, null), ...resuming(first) })
    assert.ok(second.secure.isSessionReused(), 'or else the other tests prove nothing')
    first.destroy()
    second.destroy()
  })

  for (const listener of LISTENERS) {
    test(`S6: a resumed session without a certificate has no identity, ${name} on ${listener}`, async () => {
      const first = await verifiedSession(listener, tls, joe)
      for (let tries = 0; tries < TRIES; tries++) await refused(listener, { ...tls, ...showing(postern, null), ...resuming(first) })
    })

    test(`S6: a session of ${listener} counts nowhere else, ${name}`, async () => {
      const first = await verifiedSession(listener, tls, joe)
      for (const other of LISTENERS.filter(other => other !== listener)) {
        await refused(other, { ...tls, ...showing(postern, null), ...resuming(first) })
      }
    })

    test(`S6: a resumed session has no identity once its certificate is revoked, ${name} on ${listener}`, async () => {
      const user = `${listener}-${name}`.replaceAll(' ', '-')
      const certificate = await postern.issue(user, '--email', 'joe@example.test')
      const first = await verifiedSession(listener, tls, certificate)
      await revoke(user)
      for (let tries = 0; tries < TRIES; tries++) await refused(listener, { ...tls, ...showing(postern, certificate), ...resuming(first) })
    })
  }

  test(`S6: a session resumed under another name has no identity, ${name}`, async () => {
    const first = await verifiedSession('submission', tls, joe)
    await refused('submission', { ...tls, ...showing(postern, null), ...resuming(first), servername: 'relay.example.test' })
  })
}

for (const listener of LISTENERS) {
  test(`S6: a session that is open loses its identity when its certificate is revoked, on ${listener}`, async () => {
    const user = `live-${listener}`
    const certificate = await postern.issue(user, '--email', 'joe@example.test')
    const between = await verifiedSession(listener, {}, certificate)
    const inside = await verifiedSession(listener, {}, certificate)
    assert.equal((await inside.command('MAIL FROM:<joe@example.test>')).code, 250)
    assert.equal((await inside.command('RCPT TO:<ann@example.net>')).code, 250)
    await revoke(user)

    assert.match(await lastRefusal(between), /^550 5\.7\.1 /)
    between.destroy()
    const reply = await inside.command('RCPT TO:<bob@example.net>')
    assert.match(`${reply.code} ${reply.text}`, /^550 5\.7\.1 /)
    const data = await inside.command('DATA')
    assert.notEqual(data.code, 354, 'what was accepted before does not go on either')
    inside.destroy()
  })
}

/** A TLS server that resumes whatever it can: by ticket, as Node does unasked, and by session id. */
async function startResumingServer(t: TestContext): Promise<number> {
  const sessions = new Map<string, Buffer>()
  const server = createServer({
    cert: readFileSync(join(postern.folder, 'tls', 'server.pem')),
    key: readFileSync(join(postern.folder, 'tls', 'server.key')),
  })
  server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    sessions.set(id.toString('hex'), session)
    done()
  })
  server.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
    done(null, sessions.get(id.toString('hex')) ?? null)
  })
  server.on('secureConnection', socket => socket.end('220 test\r\n'))
  server.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A connection that may relay, proved by an accepted recipient. */
async function verifiedSession(listener: Listener, tls: ConnectionOptions, certificate: CertificateFiles): Promise<SmtpClient> {
  const client = await open(listener, { ...tls, ...showing(postern, certificate) })
  assert.equal((await client.command('MAIL FROM:<joe@example.test>')).code, 250)
  const rcpt = await client.command('RCPT TO:<ann@example.net>')
  assert.equal(rcpt.code, 250, rcpt.text)
  await client.command('RSET')
  return client
}

async function refused(listener: Listener, tls: ConnectionOptions): Promise<void> {
  const client = await open(listener, tls)
  assert.ok(!client.secure.isSessionReused(), 'nothing is resumed on a listener that grants identity')
  assert.match(await lastRefusal(client), /^5[35]0 5\.7\.[01] /)
  client.destroy()
}

/** The reply that ends an attempt to relay: to MAIL on the submission listeners, to RCPT on mx. */
async function lastRefusal(client: SmtpClient): Promise<string> {
  const mail = await client.command('MAIL FROM:<joe@example.test>')
  const reply = mail.code === 250 ? await client.command('RCPT TO:<ann@example.net>') : mail
  return `${reply.code} ${reply.text}`
}

async function open(listener: Listener, tls: ConnectionOptions): Promise<SmtpClient> {
  const port = postern.ports[listener]
  if (listener === 'submissions') {
    const client = await SmtpClient.connect(port, tls)
    await client.greet()
    return client
  }
  const client = await SmtpClient.connect(port)
  await client.greet()
  await client.startTls(tls)
  await client.command('EHLO laptop.example.test')
  return client
}

function resuming(client: SmtpClient): ConnectionOptions {
  return client.session === null ? {} : { session: client.session }
}

function only(version: 'TLSv1.2' | 'TLSv1.3', by: 'ticket' | 'session id'): ConnectionOptions {
  const secureOptions = by === 'session id' ? constants.SSL_OP_NO_TICKET : 0
  return { minVersion: version, maxVersion: version, secureOptions }
}

async function revoke(user: string): Promise<void> {
  const revoked = await postern.command(['user', 'revoke', user])
  assert.equal(revoked.code, 0, revoked.stdout + revoked.stderr)
}
