/** CHUNKING and BINARYMIME from end to end (RFC 3030): what came in by BDAT, and what goes on by it. */

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { Envelope } from '../../src/core/message/envelope.ts'
import { startPostern } from '../support/postern.ts'
import { drafted, envelopeTo, textOf } from '../support/queued.ts'
import { startSink, type SinkOptions } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'
import { Wire } from '../support/wire.ts'
import { smarthost, startRelay } from './relay.ts'

/** Every octet there is, in every wrong place of a line. */
const anyOctets = Buffer.concat([
  Buffer.from('Subject: any octets\r\nMIME-Version: 1.0\r\nContent-Type: image/x-all\r\nContent-Transfer-Encoding: binary\r\n\r\n'),
  Buffer.from('\r\n.\r\nMAIL FROM:<eve@example.com>\r\n\n.\n\r.\r\0\n\r'),
  Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)),
  Buffer.from('\n\r'),
])

async function relayTo(t: Parameters<typeof startRelay>[0], options: SinkOptions) {
  const sink = await startSink(options)
  t.after(() => sink.stop())
  return { sink, relay: await startRelay(t, { settings: smarthost(sink.port) }) }
}

function sent(bodyType: Envelope['bodyType']): { readonly envelope: Envelope } {
  return { envelope: envelopeTo(['joe@b'], { bodyType }) }
}

test('a binary message comes in and goes on by BDAT, octet by octet the same', async t => {
  const sink = await startSink({ chunking: 'binary' })
  t.after(() => sink.stop())
  const postern = await startPostern({ smarthost: sink.port })
  t.after(() => postern.dispose())
  const wire = new Wire(connect(postern.ports.mx, '127.0.0.1'))
  t.after(() => wire.destroy())
  const heard = async (code: string): Promise<void> => {
    let line = await wire.line()
    while (line?.[3] === '-') line = await wire.line()
    assert.equal(line?.slice(0, 3), code, line ?? 'nothing more')
  }
  await heard('220')
  wire.write('EHLO client.example.test\r\n')
  await heard('250')
  wire.write('MAIL FROM:<ann@example.org> BODY=BINARYMIME\r\nRCPT TO:<joe@example.test>\r\n')
  const half = 150
  wire.write(`BDAT ${half}\r\n${anyOctets.toString('latin1', 0, half)}`)
  wire.write(`BDAT ${anyOctets.length - half} LAST\r\n${anyOctets.toString('latin1', half)}QUIT\r\n`)
  for (const code of ['250', '250', '250', '250', '221']) await heard(code)

  const message = await sink.messageWith('any octets')
  assert.equal(message.text.slice(message.text.indexOf('Subject:')), anyOctets.toString('latin1'))
  assert.deepEqual([message.bodyType, message.chunks], ['BINARYMIME', 1])
})

test('delivery.ignore-keywords, and a route that has its own', async t => {
  const sink = await startSink({ chunking: 'binary' })
  t.after(() => sink.stop())
  const postern = await startPostern({
    smarthost: sink.port,
    settings: {
      relay: { domains: ['example.test', 'chunks.test'] },
      delivery: { 'ignore-keywords': ['CHUNKING'] },
      route: [{ domain: 'chunks.test', to: `127.0.0.1:${sink.port}`, tls: 'none', 'ignore-keywords': [] }],
    },
  })
  t.after(() => postern.dispose())
  const large = 'x'.repeat(70).concat('\r\n').repeat(1000)
  for (const [domain, chunks] of [['example.test', 0], ['chunks.test', 1]] as const) {
    const client = await SmtpClient.connect(postern.ports.mx)
    await client.greet()
    const queued = await client.deliver({ from: 'ann@example.com', to: `joe@${domain}`, text: `Subject: to ${domain}\r\n\r\n${large}` })
    assert.equal(queued.code, 250, queued.text)
    await client.quit()
    assert.equal((await sink.messageWith(`Subject: to ${domain}`)).chunks, chunks, domain)
  }
})

test('a binary message bounces where BINARYMIME is missing, and says why', async t => {
  for (const chunking of [{}, { chunking: 'text' }] as const) {
    const { sink, relay } = await relayTo(t, chunking)
    await relay.submit('m1', 'joe@b', sent('BINARYMIME'), 'Subject: any octets\r\n\r\n\0\n.\nMAIL FROM:<eve@example.com>\r\n')
    assert.match((await relay.attempts(1))[0] ?? '', /^m1 joe@b failed: .* takes no binary messages/)
    await relay.clock.run(2)
    const bounce = await sink.messageWith('could not be delivered')
    assert.match(bounce.text, /\r\nStatus: 5\.6\.3\r\n/)
    assert.match(bounce.text, /takes no binary messages \(it does not offer BINARYMIME and CHUNKING\)/)
    assert.match(bounce.text, /Content-Type: text\/rfc822-headers\r\n\r\nSubject: any octets\r\n/)
    assert.doesNotMatch(bounce.text, /eve@example\.com/, 'the body is not returned')
    assert.equal(sink.messages.length, 1)
  }
})

test('a message that is text after all passes, whatever was declared', async t => {
  const { sink, relay } = await relayTo(t, {})
  await relay.submit('m1', 'joe@b', sent('BINARYMIME'), 'Subject: text\r\n\r\n.grüße\r\n')
  assert.match((await relay.attempts(1))[0] ?? '', /^m1 joe@b delivered/)
  const [message] = sink.messages
  assert.deepEqual([message?.bodyType, message?.chunks], ['8BITMIME', 0])
  assert.equal(message?.text, Buffer.from('Subject: text\r\n\r\n.grüße\r\n').toString('latin1'))
})

test('a large message goes by BDAT in one chunk, and a small one by DATA', async t => {
  const { sink, relay } = await relayTo(t, { chunking: 'text' })
  const large = `Subject: large\r\n\r\n${'.a line of text\r\n'.repeat(20_000)}no end`
  await relay.submit('m1', 'joe@b', {}, large)
  await relay.submit('m2', 'joe@b', {}, 'Subject: small\r\n\r\n')
  const lines = await relay.attempts(2)
  assert.ok(lines.every(line => line.includes('delivered')), lines.join('\n'))
  const chunks = (subject: string) => sink.messages.find(({ text }) => text.startsWith(`Subject: ${subject}`))?.chunks
  assert.deepEqual([chunks('large'), chunks('small')], [1, 0])
  assert.ok(sink.messages.some(({ text }) => text === large))
})

test('a refused chunk is the message\'s answer, and the connection is of use to the next message', async t => {
  const answers = ['552 5.3.4 Too big for me', '452 4.2.2 Full', null]
  const { sink, relay } = await relayTo(t, { chunking: 'binary', answer: ({ at }) => (at === 'message' ? (answers.shift() ?? null) : null) })
  const withoutSender = { envelope: { ...sent('BINARYMIME').envelope, reversePath: '' } }
  for (const [at, id] of ['m1', 'm2', 'm3'].entries()) {
    await relay.submit(id, 'joe@b', withoutSender, anyOctets)
    await relay.attempts(at + 1)
  }
  const lines = await relay.attempts(3)
  assert.match(lines[0] ?? '', /^m1 joe@b failed: 552 5\.3\.4 Too big for me/)
  assert.match(lines[1] ?? '', /^m2 joe@b waiting: 452 4\.2\.2 Full/)
  assert.match(lines[2] ?? '', /^m3 joe@b delivered/)
  assert.equal(sink.connections(), 1)
})

test('a message that is not as long as the queue says is never finished at the next hop', async t => {
  for (const sizeBytes of [99, 101]) {
    const { sink, relay } = await relayTo(t, { chunking: 'binary' })
    const lease = await relay.spool.enqueue(await drafted(relay.spool, 'm1', 'Subject: x\r\n\r\n', sent('BINARYMIME')), { leased: true })
    relay.scheduler.offer({ ...lease, body: { sizeBytes, chunks: () => [Buffer.alloc(100)] } })
    assert.match((await relay.attempts(1))[0] ?? '', /waiting: trouble of our own: the message could not be read: /)
    assert.equal(sink.messages.length, 0)
    assert.notEqual(await textOf(relay.spool.body('m1')), null)
  }
})
