/** A real Postfix behind Postern: recipients that it does not have are refused at Postern's RCPT, and none of them is queued. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeAuthority } from '../support/certificates.ts'
import { startPostern } from '../support/postern.ts'
import { freePorts } from '../support/processes.ts'
import { startSink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'
import { missingAsRoot } from './programs.ts'
import { startPostfix } from './servers/postfix.ts'

test('Postfix with relay_recipient_maps says who exists, over TLS that we verify', { skip: missingAsRoot('postfix') }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-callout-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const authority = await makeAuthority(join(folder, 'authority'), 'The Other Side')
  const certificate = await authority.issue({ name: 'localhost', alternativeNames: 'DNS:localhost', usage: 'serverAuth' })
  const sink = await startSink()
  t.after(() => sink.stop())
  const [port = 0] = await freePorts(1)
  const settings = { relay_domains: 'example.test', relay_recipient_maps: 'inline:{ann@example.test=here}' }
  const postfix = await startPostfix({ port, certificate, relayFor: 'this machine', nextHop: { port: sink.port, tls: null }, settings })
  t.after(() => postfix.stop())
  const postern = await startPostern({
    settings: { checks: { 'recipient-callout': true }, delivery: { smarthost: `localhost:${port}`, tls: 'verify', 'trusted-ca': [authority.certificate] } },
  })
  t.after(() => postern.dispose())

  const client = await SmtpClient.connect(postern.ports.mx)
  await client.greet()
  await client.command('MAIL FROM:<joe@example.com>')
  const unknown = await client.command('RCPT TO:<eve@example.test>')
  assert.match(`${unknown.code} ${unknown.text}`, /^550 5\.1\.1 User unknown \(id (\S+)\)$/, `${postern.output()}\n${postfix.log()}`)
  const [, id = ''] = /\(id (\S+)\)/.exec(unknown.text) ?? []
  assert.match((await postern.command(['explain', id])).stdout, /550 5\.1\.1 .*User unknown in relay recipient table/)

  assert.equal((await client.command('RCPT TO:<ann@example.test>')).code, 250)
  assert.equal((await client.command('DATA')).code, 354)
  assert.equal((await client.command('Subject: for those who exist\r\n\r\nHello.\r\n.')).code, 250)
  await client.quit()
  assert.deepEqual((await sink.messageWith('Subject: for those who exist')).forwardPaths, ['ann@example.test'])
})
