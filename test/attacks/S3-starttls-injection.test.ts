/**
 * S3: STARTTLS command injection. Somebody on the path puts commands behind STARTTLS; a server that
 * keeps them executes them as the client's own once TLS is up.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { SocketChannel } from '../../src/io/channel.ts'
import type { TlsGate } from '../../src/io/tls-gate.ts'
import { play, whole } from '../transcripts/play.ts'

const HELLO = `* connected 192.0.2.7
C: EHLO laptop.example.org
S: -
`

/** The server's lines and events after the EHLO reply. */
function answers(conversation: string): readonly string[] {
  const written = play(HELLO + conversation, whole).split('\n')
  return written.slice(written.indexOf('S: 250 ENHANCEDSTATUSCODES') + 1).filter(line => /^(S: |\* (stored|closed))/.test(line))
}

const INJECTED = ['RSET\r\n', 'EHLO evil.example.com\r\n', 'MAIL FROM:<eve@example.com>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n', 'M', '\r\n', '\n', '\0']

for (const injected of INJECTED) {
  test(`S3: ${JSON.stringify(injected)} in one segment with STARTTLS: refused and closed, without TLS`, () => {
    const refused = ['S: 501 5.5.2 Nothing may follow STARTTLS before the handshake', '* closed']
    assert.deepEqual(answers(`C~ ${JSON.stringify(`STARTTLS\r\n${injected}`)}\n`), refused)
    assert.deepEqual(answers(`C~ ${JSON.stringify(`NOOP\r\nSTARTTLS\r\n${injected}`)}\n`), ['S: 250 2.0.0 OK', ...refused])
  })

  test(`S3: ${JSON.stringify(injected)} between the 220 and the handshake: not executed, closed`, () => {
    const [ready, ...rest] = answers(`C: STARTTLS\nS: -\nC~ ${JSON.stringify(injected)}\n`)
    assert.equal(ready, 'S: 220 2.0.0 Ready to start TLS')
    assert.deepEqual(rest, ['S: 501 5.5.2 Nothing may follow STARTTLS before the handshake', '* closed'])
  })
}

test('S3: an unfinished command before STARTTLS is no way around', () => {
  const [refused, closed] = answers(`C~ "NOOP\\r"\n# cut\nC~ "\\nSTARTTLS\\r\\nMAIL"\n`).slice(1)
  assert.equal(refused, 'S: 501 5.5.2 Nothing may follow STARTTLS before the handshake')
  assert.equal(closed, '* closed')
})

test('S3: EHLO, envelope and authentication are forgotten with the handshake', () => {
  const forgotten = answers('C: STARTTLS\nS: -\n* tls joe\nC: MAIL FROM:<joe@example.org>\nS: -\nC: RCPT TO:<bob@example.net>\nS: -\nC: DATA\n')
  assert.deepEqual(forgotten.slice(1).map(line => line.slice(0, 12)), ['S: 503 5.5.1', 'S: 503 5.5.1', 'S: 503 5.5.1'])
})

test('S3: within a transaction STARTTLS is out of order, and the transaction goes on', () => {
  const codes = answers('C: MAIL FROM:<ann@example.com>\nS: -\nC: STARTTLS\nS: -\nC: RCPT TO:<joe@example.org>\n').map(line => line.slice(3, 6))
  assert.deepEqual(codes, ['250', '503', '250'])
})

test('S3: twice is once too often', () => {
  const twice = answers('C: STARTTLS\nS: -\n* tls nobody\nC: STARTTLS\nS: -\nC: EHLO laptop.example.org\nS: -\nC: STARTTLS\n')
  assert.deepEqual(twice.filter(line => line.startsWith('S: 503')), ['S: 503 5.5.1 TLS is already active', 'S: 503 5.5.1 TLS is already active'])
  assert.equal(twice.some(line => line.includes('STARTTLS')), false, 'and within TLS it is not offered')
})

test('S3: STARTTLS takes no parameters', () => {
  assert.deepEqual(answers('C: STARTTLS now\n'), ['S: 501 5.5.4 Syntax: STARTTLS'])
})

test('S3: the channel itself hands no connection to TLS that holds bytes in the clear', async t => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
  t.after(() => (client.destroy(), server.close()))
  const [socket] = (await once(server, 'connection')) as [net.Socket]
  const gate = { handshake: () => assert.fail('there is no handshake') } as unknown as TlsGate
  const channel = new SocketChannel(socket, gate, '127.0.0.1', null)
  client.write('RSET\r\n')
  await once(socket, 'data')
  assert.deepEqual(await channel.startTls({ asksForCertificate: true, settings: null }), { kind: 'failed', failed: 'bytes in the clear before the handshake' })
})
