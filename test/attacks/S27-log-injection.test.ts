/**
 * S27: what strangers say gets into the log and onto the administrator's terminal as text, and only
 * as text.
 *
 * A client, its certificate and a next hop try to write lines of their own, to colour a terminal, to
 * hide behind invisible characters; and what is secret, or somebody's mail, is not written at all.
 */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { certificateAuthority, makeCertificate, purposes, simpleName } from '../support/certificate-maker.ts'
import type { CertificateFiles } from '../support/certificates.ts'
import { CLIENT_AUTH } from '../support/handshakes.ts'
import { showing, startPostern, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const FORGED = '{"level":"info","event":"ready","forged":true}'
const CN = '2.5.4.3'
/** What a terminal or a viewer of logs may obey: controls, line ends of Unicode, and what turns the direction of writing. */
const OBEYED = /(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u

let sink: Sink
let postern: Postern
let joe: CertificateFiles

before(async () => {
  sink = await startSink({ answer: ({ at }) => (at === 'rcpt' ? utf8(`451 4.0.0 \u001b[2J\u009b31m${FORGED}\u2028\u202e`) : null) })
  postern = await startPostern({ smarthost: sink.port })
  joe = await postern.issue('joe', '--email', 'joe@example.test')
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

test('S27: names, paths and replies become no lines and no commands to a terminal', async () => {
  await refusedAs(`\u001b]0;${FORGED.replaceAll(' ', '')}`, utf8('MAIL FROM:<a\u202e@example.net> SMTPUTF8'))
  await refusedAs('x\u0085y', utf8(`MAIL FROM:<"${FORGED.replaceAll('"', '\\"')}"@example.net> SMTPUTF8`))
  await waitingBecauseOfItsNextHop()
  await withLyingCertificate()

  const lines = postern.output().split('\n').filter(line => line !== '')
  assert.ok(lines.some(line => line.includes('refused')), 'the refusals are in the log')
  for (const line of lines) {
    assert.doesNotMatch(line, OBEYED)
    const fields = JSON.parse(line) as Record<string, unknown>
    assert.equal(fields['forged'], undefined, line)
  }
  assert.equal(postern.log().filter(line => line['event'] === 'ready').length, 1)
})

test('S27: what the command line prints of them steers no terminal', async () => {
  const list = await postern.command(['queue', 'list'])
  assert.match(list.stdout, /forged/, 'the reply of the next hop is shown')
  const trace = await postern.command(['trace', 'friend@example.net'])
  const refused = postern.log().find(line => line['event'] === 'refused')
  const explained = await postern.command(['explain', String(refused?.['id'])])
  assert.equal(explained.code, 0, explained.stderr)
  for (const { stdout } of [list, trace, explained]) assert.doesNotMatch(stdout, OBEYED)
})

test('S27: neither what was said to log in nor a word of the message is in the log', async () => {
  const identity = Buffer.from('joe@example.test').toString('base64')
  const client = await SmtpClient.connect(postern.ports.submissions, showing(postern, joe))
  await client.greet()
  const authenticated = await client.command(`AUTH EXTERNAL ${identity}`)
  assert.equal(authenticated.code, 235)
  const reply = await client.deliver({ from: 'joe@example.test', to: 'friend@example.net', text: 'Subject: a private matter\r\n\r\nthe body of it\r\n' })
  assert.equal(reply.code, 250, reply.text)
  await client.quit()
  await waitFor('the attempt', () => postern.output().includes('friend@example.net'))
  for (const secret of [identity, 'a private matter', 'the body of it', 'PRIVATE KEY']) assert.ok(!postern.output().includes(secret), secret)
})

test('S27: a word that was pasted into a command is shown as text, and JSON holds it in escapes', async () => {
  const pasted = '\u001b[31m\u007f\u202e\u2066'
  // prettier-ignore
  const commands = [['queue', 'hold', pasted], ['queue', 'show', pasted], ['queue', pasted], [pasted], ['status', pasted], ['status', `--${pasted}`], ['dn', pasted], ['dn', joe.certificate, pasted], ['user', 'revoke', pasted], ['user', 'remove', pasted], ['trace', pasted], ['explain', pasted], ['access', 'test', pasted]]
  for (const args of commands.flatMap(args => [args, [...args, '--json']])) {
    const { stdout, stderr } = await postern.command(args)
    assert.doesNotMatch(stdout + stderr, OBEYED, args.join(' '))
  }
})

/** From nobody known, so that the relay has something to say of it. */
async function refusedAs(hello: string, mail: string): Promise<void> {
  const client = await SmtpClient.connect(postern.ports.mx)
  await client.reply()
  await client.command(utf8(`EHLO ${hello}`))
  await client.command('EHLO strange.example.net')
  await client.command(mail)
  await client.command('RCPT TO:<friend@example.net>')
  await client.quit()
}

/** The next hop's reply is kept with the recipient, and written into the log. */
async function waitingBecauseOfItsNextHop(): Promise<void> {
  const client = await SmtpClient.connect(postern.ports.submissions, showing(postern, joe))
  await client.greet()
  const reply = await client.deliver({ from: 'joe@example.test', to: 'friend@example.net', text: 'Subject: later\r\n\r\n' })
  assert.equal(reply.code, 250, reply.text)
  await client.quit()
  await waitFor('the attempt to fail', () => postern.output().includes('451'), { told: () => postern.output() })
}

/** Of an authority of its own, with names that anybody may choose there. */
async function withLyingCertificate(): Promise<void> {
  const name = simpleName([CN, `\u001b[2J\n${FORGED}\r\n\u2028\u0090`])
  const authority = makeCertificate({ subject: simpleName([CN, `Liar\n${FORGED}`]), extensions: certificateAuthority() })
  const certificate = makeCertificate({ subject: name, issuer: authority, extensions: [purposes(CLIENT_AUTH)] })
  const files = { certificate: join(postern.folder, '..', 'liar.pem'), key: join(postern.folder, '..', 'liar.key') }
  writeFileSync(files.certificate, certificate.pem)
  writeFileSync(files.key, certificate.keyPem)
  const client = await SmtpClient.connect(postern.ports.submissions, showing(postern, files))
  await client.greet()
  assert.equal((await client.command('MAIL FROM:<joe@example.test>')).code, 550)
  await client.quit()
  await waitFor('the refusal in the log', () => postern.output().includes('Liar'))
}

/** What a wire carries is octets, kept as latin1. */
function utf8(text: string): string {
  return Buffer.from(text).toString('latin1')
}
