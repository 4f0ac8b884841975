/**
 * S5: where TLS is required and cannot be had, whoever may be on the path gets nothing: the message
 * waits, with the reason, and never leaves in clear text.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfiguredHop } from '../../src/core/message/route.ts'
import { authority, ourCertificate, serverCertificate, sinkTls } from '../delivery/pki.ts'
import { breakingServer, dns, smarthost, startRawServer, startRelay } from '../delivery/relay.ts'
import { startSink, type SinkOptions } from '../support/sink.ts'

type Test = Parameters<typeof startRelay>[0]

const good = serverCertificate('mx.test')
const verify: Partial<ConfiguredHop> = { host: 'mx.test', tls: 'verify', trustedPem: [authority.pem] }

async function sendTo(t: Test, port: number, hop: Partial<ConfiguredHop>): Promise<string> {
  const relay = await startRelay(t, { dns: dns({}, { 'mx.test': ['127.0.0.1'] }), settings: smarthost(port, hop) })
  await relay.submit('m1', 'ann@b')
  return (await relay.attempts(1))[0] ?? ''
}

async function sinkFor(t: Test, options: SinkOptions) {
  const sink = await startSink(options)
  t.after(() => sink.stop())
  return sink
}

for (const [what, certificate, hop, why] of [
  ['another name', serverCertificate('other.test'), verify, 'its certificate is for DNS:other.test, not for mx.test'],
  ['an expired certificate', serverCertificate('mx.test', { notBefore: 0, notAfter: 1000 }), verify, 'its certificate has expired'],
  ['a certificate of the future', serverCertificate('mx.test', { notBefore: Date.now() + 3_600_000, notAfter: Date.now() + 7_200_000 }), verify, 'its certificate is not valid yet'],
  ['a certificate of nobody\'s', serverCertificate('mx.test', { issuer: serverCertificate('x') }), verify, 'its certificate comes from a CA that is not trusted here'],
  ['a certificate that the public CAs know nothing of', good, { ...verify, trustedPem: null }, 'its certificate comes from a CA that is not trusted here'],
  ['a certificate for clients only', ourCertificate, verify, 'its certificate is not for servers'],
] as const)
  test(`S5: verify: ${what} is no proof, and nothing is sent`, async t => {
    const sink = await sinkFor(t, { tls: sinkTls(certificate) })
    const line = await sendTo(t, sink.port, hop)
    assert.match(line, /waiting: no verified TLS with mx\.test/)
    assert.ok(line.includes(why), line)
    assert.deepEqual(sink.messages, [])
  })

test('S5: implicit TLS meets a server in clear: nothing is sent', async t => {
  const server = await startRawServer(t, () => {})
  for (const tls of ['opportunistic', 'verify'] as const)
    assert.match(await sendTo(t, server.port, { ...verify, tls, implicitTls: true }), /waiting: no TLS with mx\.test/)
  assert.deepEqual(server.lines().filter(line => /^[A-Z]/.test(line)), [])
})

for (const [what, breakIt] of [
  ['is cut off', 'hang up'],
  ['is answered by something else than TLS', '500 what?\r\n'],
] as const)
  test(`S5: a handshake that ${what} defers where TLS is required, and is met in clear where it is not`, async t => {
    for (const tls of ['encrypt', 'verify'] as const) {
      const server = await breakingServer(t, '220 go\r\n', breakIt)
      assert.match(await sendTo(t, server.port, { ...verify, tls }), /waiting: no TLS with mx\.test/)
      assert.equal(server.taken(), 0)
    }
    const server = await breakingServer(t, '220 go\r\n', breakIt)
    assert.match(await sendTo(t, server.port, { ...verify, tls: 'opportunistic' }), /delivered: 250 taken \(mx\.test\[127\.0\.0\.1\]:\d+\)$/)
  })

test('S5: where TLS is required, a server that offers none or refuses it gets nothing', async t => {
  for (const refusal of ['454 4.7.0 TLS not available\r\n', '554 5.7.0 no\r\n', '220\r\n-']) {
    const server = await breakingServer(t, refusal)
    assert.match(await sendTo(t, server.port, { ...verify, tls: 'encrypt' }), /waiting: no TLS with mx\.test/, refusal)
    assert.equal(server.taken(), 0)
  }
  const plain = await sinkFor(t, {})
  for (const tls of ['encrypt', 'verify'] as const)
    assert.match(await sendTo(t, plain.port, { ...verify, tls }), /it does not offer STARTTLS, and TLS is required/)
  assert.deepEqual(plain.messages, [])
})
