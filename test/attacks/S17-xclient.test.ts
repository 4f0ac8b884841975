/**
 * S17: XCLIENT. A listed peer may say for whom it speaks; whoever else says it gains nothing, and who
 * is listed is judged by the address that really connected.
 *
 * Each refusal in words is in test/transcripts/xclient.smtp. Here the real program: 127.0.0.3 is listed
 * for XCLIENT, 127.0.0.2 for both XCLIENT and the PROXY protocol.
 */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { showing, startPostern, type Listener, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { authPlain } from '../support/sasl-client.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const PEER = '127.0.0.3'
const PROXY = '127.0.0.2'

let postern: Postern
let sink: Sink
let filter: CertificateFiles

before(async () => {
  sink = await startSink()
  const listed = { 'xclient-from': [PEER, PROXY], 'proxy-from': [PROXY] }
  postern = await startPostern({
    smarthost: sink.port,
    settings: { listeners: { mx: listed, submission: listed, submissions: listed }, queue: { workers: 1 } },
    access: ['Connect:192.0.2.60 RELAY', 'Connect:192.0.2.50 REJECT', `Connect:${PEER} RELAY`],
  })
  filter = await postern.issue('filter', '--machine')
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

async function greeted(from: string, header = ''): Promise<SmtpClient> {
  const client = await SmtpClient.connect(postern.ports.mx, undefined, from)
  client.send(header)
  assert.equal((await client.greet()).code, 250)
  return client
}

/** The code that a recipient gets who is none of ours. */
async function relays(client: SmtpClient): Promise<number> {
  const mail = await client.command('MAIL FROM:<ann@example.com>')
  return mail.code === 250 ? (await client.command('RCPT TO:<bob@example.net>')).code : mail.code
}

test('S17: what a listed peer says is what policy, log and Received see', async () => {
  const client = await greeted(PEER)
  assert.equal((await client.command('XCLIENT ADDR=192.0.2.60 NAME=relay.example.com LOGIN=ann')).code, 220)
  await client.command('EHLO relay.example.com')
  const queued = await client.deliver({ from: 'ann@example.com', to: 'bob@example.net', text: 'Subject: introduced\r\n\r\nHello.\r\n' })
  assert.equal(queued.code, 250, queued.text)
  await client.quit()
  const message = await sink.messageWith('introduced')
  assert.match(message.text, /^Received: from relay\.example\.com \(relay\.example\.com \[192\.0\.2\.60\]\)\r\n/)
  const log = await waitFor('the log', () => postern.log().find(line => line['event'] === 'xclient'))
  assert.deepEqual([log['client'], log['login']], ['192.0.2.60', 'ann'])
  const accepted = await waitFor('the log', () => postern.log().find(line => line['event'] === 'accepted'))
  assert.equal(accepted['client'], '192.0.2.60')
})

test('S17: the peer\'s own rights are not those of the client it speaks for', async () => {
  const client = await greeted(PEER)
  assert.equal(await relays(client), 250, 'the peer itself may relay')
  await client.command('RSET')
  assert.equal((await client.command('XCLIENT ADDR=192.0.2.7')).code, 220)
  await client.command('EHLO client.example.com')
  assert.equal(await relays(client), 550)
  client.destroy()
})

for (const listener of ['mx', 'submission', 'submissions'] as const satisfies readonly Listener[]) {
  test(`S17: neither is its certificate, on ${listener}`, async () => {
    const tls = showing(postern, filter)
    const client = await SmtpClient.connect(postern.ports[listener], listener === 'submissions' ? tls : undefined, PEER)
    await client.greet()
    if (listener !== 'submissions') {
      await client.startTls(tls)
      await client.command('EHLO filter.example.test')
    }
    assert.equal((await client.command('XCLIENT ADDR=192.0.2.7 LOGIN=filter')).code, 220)
    const hello = await client.command('EHLO client.example.com')
    assert.doesNotMatch(hello.text, /EXTERNAL|XCLIENT|STARTTLS/)
    assert.ok((await relays(client)) >= 500)
    client.destroy()
  })
}

test('S17: nor does the certificate come back when the peer loses its password', async () => {
  const { password } = (await postern.json(['user', 'passwd', 'filter', '--device', 'spool'])) as { readonly password: string }
  const client = await SmtpClient.connect(postern.ports.submissions, showing(postern, filter), PEER)
  await client.greet()
  assert.equal((await authPlain(client, 'filter', password)).code, 235)
  assert.equal((await client.command('XCLIENT ADDR=192.0.2.7')).code, 220)
  await client.command('EHLO client.example.com')
  await postern.json(['user', 'passwd', 'filter', '--device', 'spool', '--remove'])
  await waitFor('the password to be gone', () => postern.log().some(line => line['event'] === 'password-ended'))
  assert.ok((await relays(client)) >= 500)
  client.destroy()
})

test('S17: from anybody else it is refused, and changes nothing', async () => {
  const client = await greeted('127.0.0.1')
  for (const argument of ['ADDR=192.0.2.60', 'ADDR=192.0.2.60 NAME=relay.example.com HELO=relay.example.com LOGIN=filter', 'ADDR=x', '']) {
    assert.equal((await client.command(`XCLIENT ${argument}`)).code, 550)
  }
  assert.equal(await relays(client), 550)
  client.destroy()
})

test('S17: behind a proxy there is a stranger, whichever address is listed', async () => {
  for (const address of ['192.0.2.7', PEER, PROXY]) {
    const client = await greeted(PROXY, `PROXY TCP4 ${address} 192.0.2.1 50000 25\r\n`)
    assert.equal((await client.command('XCLIENT ADDR=192.0.2.60')).code, 550, address)
    client.destroy()
  }
})

test('S17: twice, within a transaction, and after a STARTTLS that would undo it', async () => {
  const client = await greeted(PEER)
  await client.command('MAIL FROM:<ann@example.com>')
  assert.equal((await client.command('XCLIENT ADDR=192.0.2.60')).code, 503)
  await client.command('RSET')
  assert.equal((await client.command('XCLIENT ADDR=192.0.2.7')).code, 220)
  await client.command('EHLO client.example.com')
  assert.equal((await client.command('XCLIENT ADDR=192.0.2.60')).code, 503)
  assert.equal((await client.command('STARTTLS')).code, 502)
  assert.equal(await relays(client), 550)
  client.destroy()
})

for (const command of ['XCLIENT ADDR=192.0.2.60+0D+0ANOOP', 'XCLIENT NAME=relay.example.com', `XCLIENT ADDR=192.0.2.60 LOGIN=${'x'.repeat(20_000)}`, 'XCLIENT ADDR=192.0.2.60 LOGIN=\x01']) {
  test(`S17: ${JSON.stringify(command.slice(0, 50))}: what cannot be read ends the session`, async () => {
    const client = await greeted(PEER)
    assert.match(String((await client.command(command)).code), /^50[01]$/)
    await client.closed()
  })
}
