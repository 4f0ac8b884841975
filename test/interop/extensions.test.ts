/**
 * What a sender asks for beyond delivery, through Postern to real servers and to a second Postern: they
 * understand what we ask of them, and their reports name the message as its sender did.
 */

import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { showing, startPostern, type Postern } from '../support/postern.ts'
import { freePorts, waitFor } from '../support/processes.ts'
import { startSink, type Sink, type SinkMessage } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'
import { missingAsRoot } from './programs.ts'
import type { MailServer, MailServerOptions } from './servers/mail-server.ts'
import { startPostfix } from './servers/postfix.ts'
import { SENDMAIL, startSendmail } from './servers/sendmail.ts'

let sink: Sink
let postern: Postern

before(async () => {
  sink = await startSink()
})

after(async () => {
  await sink?.stop()
})

for (const { name, skip, start } of [
  { name: 'Postfix', skip: missingAsRoot('postfix'), start: startPostfix },
  { name: 'Sendmail', skip: missingAsRoot(SENDMAIL, 'm4'), start: startSendmail },
]) {
  test(`${name} reports what we were asked to have reported (RFC 3461)`, { skip }, async t => {
    const server = await asNextHop(t, start)
    await submit(`reports by ${name}`, { mail: ' RET=HDRS ENVID=QQ+2B314159', rcpt: ' NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Ann+40home@example.org' })
    const told = (): string => `${postern.output()}\n${server.log()}`
    const report = await waitFor('the report', () => sink.messages.find(({ text }) => text.includes('Action: relayed') && text.includes(`reports by ${name}`)), { told })
    assert.deepEqual([report.reversePath, report.forwardPaths], ['', ['joe@example.test']])
    assert.match(report.text, /^Original-Envelope-Id: QQ\+314159\r$/m)
    assert.match(report.text, /^Original-Recipient: rfc822; ?Ann@home@example\.org\r$/m)
  })
}

test('Sendmail is asked for a time, and says what becomes of it (RFC 2852)', { skip: missingAsRoot(SENDMAIL, 'm4') }, async t => {
  const server = await asNextHop(t, startSendmail)
  await submit('by a time', { mail: ' BY=120;NT' })
  const isTheMessage = ({ reversePath, text }: SinkMessage): boolean => reversePath !== '' && text.includes('Subject: by a time')
  await waitFor('the message', () => sink.messages.find(isTheMessage), { told: () => `${postern.output()}\n${server.log()}` })
  assert.match(server.log(), /MAIL From:<joe@example\.test>.* BY=1(?:20|1\d);NT/i)
})

test('a second Postern gets priorities, times and wishes from the first', async t => {
  const second = await startPostern({ hostname: 'second.example.test', smarthost: sink.port, access: ['Connect:127.0.0.1 RELAY'] })
  t.after(() => second.dispose())
  await startFirst(t, second.ports.mx)
  await submit('by way of two', { mail: ' MT-PRIORITY=-3 BY=120;N RET=FULL ENVID=E1', rcpt: ' NOTIFY=SUCCESS' })
  const report = await waitFor('the report', () => sink.messages.find(({ text }) => text.includes('Action: relayed') && text.includes('by way of two')), { told: () => second.output() })
  assert.match(report.text, /^Reporting-MTA: dns; second\.example\.test\r$/m, 'the first has passed the wish on')
  assert.match(report.text, /^Original-Envelope-Id: E1\r$/m)
})

async function asNextHop(t: TestContext, start: (options: MailServerOptions) => Promise<MailServer>): Promise<MailServer> {
  const [port = 0] = await freePorts(1)
  await startFirst(t, port)
  const certificate: CertificateFiles = await postern.issue('localhost', '--machine')
  const server = await start({ port, certificate, relayFor: 'this machine', nextHop: { port: sink.port, tls: null } })
  t.after(() => server.stop())
  return server
}

async function startFirst(t: TestContext, nextHop: number): Promise<void> {
  postern = await startPostern({ smarthost: nextHop, settings: { delivery: { tls: 'none' } } })
  t.after(() => postern.dispose())
}

/** By certificate, with parameters behind the paths. */
async function submit(subject: string, { mail, rcpt = '' }: { readonly mail: string; readonly rcpt?: string }): Promise<void> {
  const joe = await postern.issue('joe', '--email', 'joe@example.test')
  const client = await SmtpClient.connect(postern.ports.submissions, showing(postern, joe))
  await client.greet()
  for (const command of [`MAIL FROM:<joe@example.test>${mail}`, `RCPT TO:<ann@example.net>${rcpt}`]) {
    const { code, text } = await client.command(command)
    assert.equal(code, 250, text)
  }
  assert.equal((await client.command('DATA')).code, 354)
  assert.equal((await client.command(`From: joe@example.test\r\nSubject: ${subject}\r\n\r\nhello\r\n.`)).code, 250)
  await client.quit()
}
