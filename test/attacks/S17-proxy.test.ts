/**
 * S17: PROXY headers. Whoever may say for whom it speaks may be anybody: only listed peers may, once
 * and before anything else, and what is not exactly a header ends the connection.
 *
 * Loopback addresses stand for the machines: 127.0.0.2 is the listed proxy, 127.0.0.1 is not. The
 * octets of the header itself are in src/core/peers/proxy-header.test.ts.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { after, before, test, type TestContext } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { showing, startPostern, type LogLine, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const PROXY = '127.0.0.2'
const V2_IPV4 = '0d0a0d0a000d0a515549540a2111000c'

let postern: Postern
let sink: Sink
let joe: CertificateFiles

before(async () => {
  sink = await startSink()
  const listed = { 'proxy-from': ['127.0.0.2/32', '::2'] }
  postern = await startPostern({
    smarthost: sink.port,
    settings: {
      listeners: { mx: listed, submission: listed, submissions: listed },
      limits: { 'connections-per-address': 2 },
      queue: { workers: 1 },
    },
    access: ['Connect:192.0.2.50 REJECT', 'Connect:192.0.2.60 RELAY'],
  })
  joe = await postern.issue('joe', '--email', 'joe@example.test')
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

/** A connection from the listed proxy, which says this first. */
async function proxied(header: string | Buffer, port = postern.ports.mx): Promise<SmtpClient> {
  const client = await SmtpClient.connect(port, undefined, PROXY)
  client.send(header.toString('latin1'))
  return client
}

function v1(address: string): string {
  return `PROXY TCP4 ${address} 192.0.2.1 50000 25\r\n`
}

function v2(address: string): Buffer {
  const octets = Buffer.from(address.split('.').map(Number)).toString('hex')
  return Buffer.from(`${V2_IPV4}${octets}c0000201c3500019`, 'hex')
}

function logged(event: string, field: string, value: string): LogLine | undefined {
  return postern.log().find(line => line['event'] === event && line[field] === value)
}

for (const [version, header] of [['1', v1], ['2', v2]] as const) {
  test(`S17: version ${version} from a listed proxy: policy, log and Received see the client`, async () => {
    const refused = await proxied(header('192.0.2.50'))
    assert.equal((await refused.reply()).code, 550, 'the policy has refused the client')
    refused.destroy()

    const client = await proxied(header('192.0.2.60'))
    assert.equal((await client.greet()).code, 250)
    const before = sink.messages.length
    const queued = await client.deliver({ from: 'ann@example.com', to: 'bob@example.net', text: 'Subject: hello\r\n\r\nHello.\r\n' })
    assert.equal(queued.code, 250, queued.text)
    await client.quit()
    await waitFor('the message to arrive', () => sink.messages.length > before)
    assert.match(sink.messages.at(-1)?.text ?? '', /^Received: from laptop\.example\.test \(\[192\.0\.2\.60\]\)\r\n/)
    await waitFor('the log', () => logged('connected', 'client', '192.0.2.60')?.['proxy'] === PROXY)
  })
}

test('S17: the limit of connections is for each client, and not for the proxy', async () => {
  const clients = await Promise.all(['192.0.2.7', '192.0.2.7', '192.0.2.8'].map(address => proxied(v1(address))))
  for (const client of clients) assert.equal((await client.reply()).code, 220)
  const third = await proxied(v1('192.0.2.7'))
  assert.equal((await third.reply()).code, 421)
  for (const client of [...clients, third]) client.destroy()
})

test('S17: a health check is the proxy itself', async () => {
  for (const header of [Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'), 'PROXY UNKNOWN\r\n']) {
    const check = await proxied(header)
    assert.equal((await check.greet()).code, 250)
    await check.quit()
  }
  assert.ok(logged('connected', 'client', PROXY))
})

const MALFORMED: readonly (readonly [what: string, octets: string | Buffer])[] = [
  ['no header', 'EHLO bot.example.com\r\n'],
  ['a header without its end', `PROXY UNKNOWN ${'x'.repeat(120)}`],
  ['version 2 with a length that lies', Buffer.from(`${V2_IPV4.slice(0, -4)}0004c0000207`, 'hex')],
  ['version 2 with a length without end', Buffer.from(`${V2_IPV4.slice(0, -4)}ffff`, 'hex')],
  ['a UNIX socket', Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a213100d8', 'hex'), Buffer.alloc(216)])],
]

for (const [what, octets] of MALFORMED) {
  test(`S17: ${what} from a listed proxy: closed without a word, and logged`, async () => {
    const before = turnedAway().length
    const client = await proxied(octets)
    assert.deepEqual(await client.reply(), { code: 0, text: '(connection closed)' })
    await waitFor('the log', () => turnedAway().length > before)
    assert.match(String(turnedAway().at(-1)?.['why']), /PROXY header/)
    assert.equal(turnedAway().at(-1)?.['client'], PROXY)
  })
}

function turnedAway(): readonly LogLine[] {
  return postern.log().filter(line => line['event'] === 'turned-away' && String(line['why']).includes('PROXY'))
}

test('S17: a header that is cut short by the end of the connection', async () => {
  const before = turnedAway().length
  const client = await proxied('PROXY TCP4 192.0.2.60')
  client.destroy()
  await waitFor('the log', () => turnedAway().length > before)
})

test('S17: from anybody else a header is never read', async () => {
  for (const header of [v1('192.0.2.60'), v2('192.0.2.60').toString('latin1')]) {
    const before = await SmtpClient.connect(postern.ports.mx)
    before.send(header)
    const answer = await before.reply()
    assert.notEqual(answer.code, 250)
    before.destroy()

    const later = await SmtpClient.connect(postern.ports.mx)
    await later.greet()
    const refused = await later.command(header.trimEnd())
    assert.ok(refused.code >= 500 || refused.code === 0, refused.text)
    later.destroy()
  }
})

test('S17: a second header is the client speaking, and not the proxy', async () => {
  const glued = await proxied(v1('192.0.2.7') + v1('192.0.2.60'))
  assert.equal((await glued.reply()).code, 554, 'it spoke before the greeting')
  glued.destroy()

  const later = await proxied(v1('192.0.2.7'))
  await later.greet()
  assert.equal((await later.command(v1('192.0.2.60').trimEnd())).code, 500)
  assert.equal((await later.command('MAIL FROM:<ann@example.com>')).code, 250)
  assert.equal((await later.command('RCPT TO:<bob@example.net>')).code, 550, 'and it has not become who may relay')
  later.destroy()
})

test('S17: behind a header STARTTLS and implicit TLS give an identity, and only the handshake does', async () => {
  const client = await proxied(v2('192.0.2.7'))
  await client.greet()
  await client.startTls(showing(postern, joe))
  await client.command('EHLO laptop.example.test')
  assert.equal((await client.command('MAIL FROM:<joe@example.test>')).code, 250)
  assert.equal((await client.command('RCPT TO:<bob@example.net>')).code, 250)
  client.destroy()

  // What the proxy says of the client's certificate: verified, and its common name.
  const tls = Buffer.from('20000f0700000000220007706f737465726e', 'hex')
  const header = v2('192.0.2.7')
  header.writeUInt16BE(12 + tls.length, 14)
  const claimed = await proxied(Buffer.concat([header, tls]))
  await claimed.greet()
  assert.equal((await claimed.command('MAIL FROM:<joe@example.test>')).code, 250)
  assert.equal((await claimed.command('RCPT TO:<bob@example.net>')).code, 550)
  claimed.destroy()
})

test('S17: a handshake that comes in one packet with the header is the client\'s', async t => {
  const port = await startGluing(t, v2('192.0.2.61'), postern.ports.submissions)
  const client = await SmtpClient.connect(port, showing(postern, joe))
  assert.equal((await client.greet()).code, 250)
  assert.equal((await client.command('MAIL FROM:<joe@example.test>')).code, 250)
  await client.quit()
  await waitFor('the log', () => logged('connected', 'client', '192.0.2.61')?.['holder'] === 'joe')
})

test('S17: within TLS a header is no header', async () => {
  const client = await SmtpClient.connect(postern.ports.submissions, undefined, PROXY)
  await assert.rejects(client.secureWith(showing(postern, joe)), 'a handshake is no header')

  const late = await SmtpClient.connect(postern.ports.submissions, showing(postern, joe))
  late.send(v1('192.0.2.60'))
  assert.notEqual((await late.reply()).code, 250)
  late.destroy()
})

/** A proxy that sends its header and the client's first octets in one write. */
async function startGluing(t: TestContext, header: Buffer, port: number): Promise<number> {
  const sockets: Socket[] = []
  const server = createServer(client => {
    const upstream = connect({ host: '127.0.0.1', port, localAddress: PROXY })
    sockets.push(client, upstream)
    for (const socket of [client, upstream]) socket.on('error', () => {})
    client.once('data', (first: Buffer) => {
      upstream.write(Buffer.concat([header, first]))
      client.pipe(upstream)
    })
    upstream.pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
