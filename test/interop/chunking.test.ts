/**
 * CHUNKING (RFC 3030) with servers that have it: Postfix and Exim take a large message from us by BDAT,
 * and Exim sends us one by BDAT.
 */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeAuthority, type CertificateFiles } from '../support/certificates.ts'
import { startPostern } from '../support/postern.ts'
import { freePorts, waitFor } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'
import { missingAsRoot } from './programs.ts'
import { EXIM, startExim } from './servers/exim.ts'
import type { MailServer } from './servers/mail-server.ts'
import { startPostfix } from './servers/postfix.ts'

let folder: string
let localhost: CertificateFiles
let sink: Sink

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-chunking-'))
  const authority = await makeAuthority(join(folder, 'authority'), 'The Other Side')
  localhost = await authority.issue({ name: 'localhost', alternativeNames: 'DNS:localhost', usage: 'serverAuth' })
  sink = await startSink()
})

after(async () => {
  await sink?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Large enough for BDAT, and with what only DATA would have to do something about. */
const BODY = `\r\n\r\n${'.dots\r\n..\r\n.\r\nwords\r\n'.repeat(6000)}the end\r\n`

const PEERS = [
  {
    name: 'Postfix',
    skip: missingAsRoot('postfix'),
    start: (port: number): Promise<MailServer> => startPostfix({ port, certificate: localhost, relayFor: 'this machine', nextHop: { port: sink.port, tls: null } }),
    tookChunk: / bdat=1 /,
  },
  {
    name: 'Exim',
    skip: missingAsRoot(EXIM),
    start: (port: number): Promise<MailServer> => startExim(port, { chunking: true, nextHop: sink.port }),
    tookChunk: /<= ann@example\.org .* P=esmtps? .*\bK /,
  },
]

for (const peer of PEERS) {
  test(`${peer.name} takes a large message from us by BDAT`, { skip: peer.skip }, async t => {
    const [port = 0] = await freePorts(1)
    const server = await peer.start(port)
    t.after(() => server.stop())
    const postern = await startPostern({ smarthost: port })
    t.after(() => postern.dispose())
    await send(postern.ports.mx, `by BDAT to ${peer.name}`)
    const message = await sink.messageWith(`Subject: by BDAT to ${peer.name}`)
    assert.ok(message.text.endsWith(BODY), 'it arrived as it was sent')
    await waitFor(`${peer.name} to write it down`, () => peer.tookChunk.test(server.log()), { told: server.log })
  })
}

test('Exim sends us a message by BDAT', { skip: missingAsRoot(EXIM) }, async t => {
  const postern = await startPostern({ smarthost: sink.port })
  t.after(() => postern.dispose())
  const [port = 0] = await freePorts(1)
  const server = await startExim(port, { nextHop: postern.ports.mx })
  t.after(() => server.stop())
  await send(port, 'by BDAT from Exim')
  const message = await sink.messageWith('Subject: by BDAT from Exim')
  assert.ok(message.text.endsWith(BODY), 'it arrived as it was sent')
  await waitFor('Exim to write it down', () => /=> joe@example\.test .* K /.test(server.log()), { told: server.log })
})

async function send(port: number, subject: string): Promise<void> {
  const client = await SmtpClient.connect(port)
  await client.greet()
  const reply = await client.deliver({ from: 'ann@example.org', to: 'joe@example.test', text: `Subject: ${subject}${BODY}` })
  assert.equal(reply.code, 250, reply.text)
  await client.quit()
}
