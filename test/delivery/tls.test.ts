/** What a next hop must prove, and what we show it. */

import assert from 'node:assert/strict'
import { createServer, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { ConfiguredHop } from '../../src/core/message/route.ts'
import { startSink, type SinkOptions } from '../support/sink.ts'
import { authority, ourCertificate, serverCertificate, sinkTls } from './pki.ts'
import { dns, smarthost, startRelay } from './relay.ts'

type Test = Parameters<typeof startRelay>[0]

const good = serverCertificate('mx.test')
const certificate = { certificatePem: ourCertificate.pem, keyPem: ourCertificate.keyPem }
const names = dns({}, { 'mx.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'], 'a1.mx.test': ['127.0.0.1'] })
const verify: Partial<ConfiguredHop> = { host: 'mx.test', tls: 'verify', trustedPem: [authority.pem] }

async function sendTo(t: Test, port: number, hop: Partial<ConfiguredHop>): Promise<string> {
  const relay = await startRelay(t, { dns: names, settings: { ...smarthost(port, hop), certificate } })
  await relay.submit('m1', 'ann@b')
  return (await relay.attempts(1))[0] ?? ''
}

async function sinkFor(t: Test, options: SinkOptions) {
  const sink = await startSink(options)
  t.after(() => sink.stop())
  return sink
}

test('verify: a certificate of a trusted CA for the name of the host is proof', async t => {
  const sink = await sinkFor(t, { tls: sinkTls(good) })
  const line = await sendTo(t, sink.port, verify)
  assert.equal(line, `m1 ann@b delivered: 250 2.0.0 Taken (mx.test[127.0.0.1]:${sink.port}, TLSv1.3 TLS_AES_256_GCM_SHA384, verified)`)
  assert.equal(sink.messages[0]?.tls?.version, 'TLSv1.3')
})

test('verify: a wildcard stands for one whole label (RFC 9525 §6.3)', async t => {
  for (const [name, said] of [
    ['*.mx.test', /^m1 ann@b delivered: .*, verified\)$/],
    ['a*.mx.test', /^m1 ann@b waiting: no verified TLS/],
    ['*.test', /^m1 ann@b waiting: no verified TLS/],
  ] as const) {
    const sink = await sinkFor(t, { tls: sinkTls(serverCertificate(name)) })
    assert.match(await sendTo(t, sink.port, { ...verify, host: 'a1.mx.test' }), said, name)
  }
})

test('encrypt and opportunistic take any certificate', async t => {
  const sink = await sinkFor(t, { tls: sinkTls(serverCertificate('other.test', { notAfter: 1000, notBefore: 0 })) })
  for (const tls of ['encrypt', 'opportunistic'] as const)
    assert.match(await sendTo(t, sink.port, { ...verify, tls }), /delivered: 250 2\.0\.0 Taken \(mx\.test.*, TLSv1\.3 [A-Z0-9_]+\)/)
  assert.equal(sink.messages.every(message => message.tls !== null), true)
})

test('our certificate is shown where the terms say so, and only there', async t => {
  const sink = await sinkFor(t, { tls: sinkTls(good) })
  await sendTo(t, sink.port, { ...verify, showCertificate: true })
  await sendTo(t, sink.port, { ...verify, showCertificate: false })
  assert.deepEqual(sink.messages.map(message => message.tls?.client), [
    { commonName: 'relay.test', verified: true },
    { commonName: null, verified: false },
  ])
})

test('our certificate is never shown to a server that only DNS named', async t => {
  const sink = await sinkFor(t, { tls: sinkTls(good) })
  const relay = await startRelay(t, {
    dns: dns({ b: [[0, 'mx.test']] }, { 'mx.test': ['192.0.2.7'] }),
    network: new Map([['192.0.2.7', sink.port]]),
    settings: { certificate },
  })
  await relay.submit('m1', 'ann@b')
  await relay.attempts(1)
  assert.deepEqual(sink.messages[0]?.tls?.client, { commonName: null, verified: false })
})

test('implicit TLS: encrypted from the first byte (RFC 8314 §3.3)', async t => {
  const server = createServer({ cert: good.pem, key: good.keyPem }, (socket: TLSSocket) => {
    socket.on('error', () => {})
    socket.write('220 mx.test\r\n')
    socket.on('data', bytes => {
      for (const line of bytes.toString().split('\r\n'))
        if (/^(?:EHLO|MAIL|RCPT|DATA|\.$)/.test(line)) socket.write(line === 'DATA' ? '354 go\r\n' : '250 ok\r\n')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  const { port } = server.address() as AddressInfo
  assert.match(await sendTo(t, port, { ...verify, implicitTls: true }), /delivered: 250 ok .*verified/)
  assert.match(await sendTo(t, port, { ...verify, host: 'other.test', implicitTls: true }), /waiting: no verified TLS/)
})
