/** What becomes of messages by the lines of the access map for next hops, over real connections. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfiguredHop } from '../../src/core/message/route.ts'
import { describeOutcome } from '../../src/core/message/outcome.ts'
import type { DnsAnswer } from '../../src/relay/ports.ts'
import { SessionLines } from '../../src/process/session-tls.ts'
import { policyWith } from '../support/policies.ts'
import { startSink, type SinkOptions } from '../support/sink.ts'
import { waitFor } from '../support/processes.ts'
import { authority, ourCertificate, serverCertificate, sinkTls } from './pki.ts'
import { breakingServer, dns, smarthost, startRelay, type RelayOptions } from './relay.ts'

type Test = Parameters<typeof startRelay>[0]

const hop: Partial<ConfiguredHop> = { host: 'mx.test', trustedPem: [authority.pem] }
const names = dns({}, { 'mx.test': ['127.0.0.1'] })

function relayTo(t: Test, port: number, access: string, changes: Partial<ConfiguredHop> = {}) {
  const sessionTls = new SessionLines(policyWith(access).access).settings(file => files.get(file) ?? null)
  return startRelay(t, { dns: names, access, settings: { ...smarthost(port, { ...hop, ...changes }), sessionTls } })
}

const files = new Map([['our.pem', ourCertificate.pem], ['our.key', ourCertificate.keyPem]])

async function sinkFor(t: Test, options: SinkOptions) {
  const sink = await startSink(options)
  t.after(() => sink.stop())
  return sink
}

async function attempt(t: Test, port: number, access: string, changes: Partial<ConfiguredHop> = {}) {
  const relay = await relayTo(t, port, access, changes)
  await relay.submit('m1', 'ann@b')
  await relay.attempts(1)
  const [report] = relay.reports
  assert.ok(report !== undefined)
  const said = `${report.recipient.state}: ${describeOutcome(report.outcome).replaceAll(/\[127\.0\.0\.1\]:\d+/g, '')}`
  return { said, accessLines: report.outcome.accessLines ?? [], trace: relay.events[0]?.text ?? '' }
}

test('TLS_Srv: a chain that is trusted meets VERIFY whatever name it has; what is in the certificate can be asked for', async t => {
  const sink = await sinkFor(t, { tls: sinkTls(serverCertificate('other.test')) })
  const met = 'delivered: 250 2.0.0 Taken (mx.test, TLSv1.3 TLS_AES_256_GCM_SHA384)'
  for (const [value, said] of [
    ['VERIFY:256', met],
    ['VERIFY+CS:/CN=other.test++CI:/CN=Test+20CA', met],
    ['VERIFY+CN:other.test', met],
    ['VERIFY+CN', 'waiting: 454 4.7.0 certificate name does not match (our own rule for mx.test: its certificate is for DNS:other.test, not for mx.test)'],
    ['PERM+VERIFY+CI:/CN=Another', 'failed: 503 5.7.0 certificate issuer does not match (our own rule for mx.test: its certificate is for DNS:other.test, not for mx.test)'],
  ] as const) {
    const came = await attempt(t, sink.port, `TLS_Srv:mx.test ${value}`)
    assert.equal(came.said, said)
    assert.deepEqual(came.accessLines, [`access:1 TLS_Srv:mx.test ${value}`])
    assert.ok(came.trace.endsWith(`; access:1 TLS_Srv:mx.test ${value}`), came.trace)
  }
})

test('S5: TLS_Srv: VERIFY keeps mail from a server that proves nothing, and PERM+ returns it', async t => {
  const expired = serverCertificate('mx.test', { notBefore: 0, notAfter: 1000 })
  const sink = await sinkFor(t, { tls: sinkTls(expired) })
  const plain = await sinkFor(t, {})
  assert.equal((await attempt(t, sink.port, 'TLS_Srv:127.0.0 VERIFY')).said, 'waiting: 454 4.7.0 authentication failed (our own rule for mx.test: its certificate has expired)')
  assert.equal((await attempt(t, sink.port, 'TLS_Srv: PERM+VERIFY')).said, 'failed: 503 5.7.0 authentication failed (our own rule for mx.test: its certificate has expired)')
  assert.equal((await attempt(t, plain.port, 'TLS_Srv: VERIFY')).said, 'waiting: 454 4.7.0 other side does not support STARTTLS (our own rule for mx.test: it does not offer STARTTLS)')
  for (const breakIt of ['hang up', '500 what?\r\n']) {
    const server = await breakingServer(t, '220 go\r\n', breakIt)
    assert.match((await attempt(t, server.port, 'TLS_Srv: VERIFY')).said, /^waiting: 454 4\.7\.0 STARTTLS disabled locally \(our own rule for mx\.test: /)
    assert.match((await attempt(t, server.port, 'TLS_Srv: PERM+VERIFY', { tls: 'encrypt' })).said, /^failed: 503 5\.7\.0 TLS handshake failed\. \(our own rule/)
    assert.equal(server.taken(), 0)
  }
  assert.deepEqual([...sink.messages, ...plain.messages], [])
})

test('Try_TLS: NO sends in clear to a server whose TLS is of no use', async t => {
  const server = await breakingServer(t, '220 go\r\n')
  const came = await attempt(t, server.port, 'Try_TLS:mx.test NO')
  assert.equal(came.said, 'delivered: 250 taken (mx.test)')
  assert.deepEqual(came.accessLines, ['access:1 Try_TLS:mx.test NO'])
  assert.equal(server.lines().includes('STARTTLS'), false)
})

test('TLS_Rcpt: one recipient bounces, one waits, one is delivered, in one transaction', async t => {
  const sink = await sinkFor(t, {})
  const relay = await relayTo(t, sink.port, 'TLS_Rcpt:secret@b PERM+VERIFY\nTLS_Rcpt:c VERIFY\n')
  await relay.submit('m1', ['secret@b', 'ann@b', 'bob@c'])
  await relay.attempts(3)
  assert.deepEqual(relay.reports.map(({ recipient: { address, state }, outcome }) => [address, state, ...(outcome.accessLines ?? [])]), [
    ['secret@b', 'failed', 'access:1 TLS_Rcpt:secret@b PERM+VERIFY'],
    ['ann@b', 'delivered'],
    ['bob@c', 'waiting', 'access:2 TLS_Rcpt:c VERIFY'],
  ])
  assert.deepEqual(sink.messages[0]?.forwardPaths, ['ann@b'])
  await relay.clock.run(2)
  const bounce = await sink.messageWith('secret@b')
  assert.match(bounce.text, /Status: 5\.7\.0\r\n/)
  assert.match(bounce.text, /503 5\.7\.0 other side does not support STARTTLS/)
  assert.equal(bounce.text.includes('access:'), false, 'the sender is told nothing of our files')
})

test('TLS_Clt_Features: protocol, suite and certificate are those of the line', async t => {
  const sink = await sinkFor(t, { tls: sinkTls(serverCertificate('mx.test')) })
  const line = 'TLS_Clt_Features:mx.test "Options=SSL_OP_NO_TLSv1_3; CipherList=ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384; CertFile=our.pem; KeyFile=our.key"'
  const came = await attempt(t, sink.port, line)
  assert.match(came.said, /^delivered: 250 2\.0\.0 Taken \(mx\.test, TLSv1\.2 ECDHE-[A-Z]+-AES256-GCM-SHA384, verified\)$/)
  assert.deepEqual(came.accessLines, [`access:1 ${line}`])
  assert.deepEqual(sink.messages[0]?.tls?.client, { commonName: 'relay.test', verified: true })
  const suite = await attempt(t, sink.port, 'TLS_Clt_Features:127 CipherSuites=TLS_AES_128_GCM_SHA256')
  assert.match(suite.said, /TLSv1\.3 TLS_AES_128_GCM_SHA256, verified/)
})

test('TLS_Srv: the bits are those of the cipher, and the hash behind it adds none', async t => {
  const sink = await sinkFor(t, { tls: sinkTls(serverCertificate('mx.test')) })
  const weaker = 'TLS_Clt_Features:mx.test CipherSuites=TLS_AES_128_GCM_SHA256\n'
  assert.match((await attempt(t, sink.port, `${weaker}TLS_Srv:mx.test ENCR:256`)).said, /^waiting: 454 4\.7\.0 encryption too weak 128 less than 256/)
  assert.match((await attempt(t, sink.port, `${weaker}TLS_Rcpt:b PERM+ENCR:129`)).said, /^failed: 503 5\.7\.0 encryption too weak 128 less than 129/)
  assert.deepEqual(sink.messages, [])
  assert.match((await attempt(t, sink.port, `${weaker}TLS_Srv:mx.test ENCR:128`)).said, /^delivered/)
})

test('TLS_Clt_Features: what OpenSSL does not take sends nothing, and Flags=C sends nothing in clear', async t => {
  const sink = await sinkFor(t, { tls: sinkTls(serverCertificate('mx.test')) })
  assert.match((await attempt(t, sink.port, 'TLS_Clt_Features:mx.test CipherList=NONE-SUCH')).said, /^waiting: no TLS with mx\.test: OpenSSL does not take it: .*no cipher match/)
  assert.match((await attempt(t, sink.port, 'TLS_Clt_Features:mx.test Options=SSL_OP_OF_TOMORROW')).said, /this OpenSSL has no option SSL_OP_OF_TOMORROW/)
  assert.match((await attempt(t, sink.port, 'TLS_Clt_Features:mx.test CertFile=a.pem;KeyFile=a.key')).said, /its certificate or its key could not be read/)
  const server = await breakingServer(t, '220 go\r\n')
  assert.match((await attempt(t, server.port, 'TLS_Clt_Features:mx.test Flags=C')).said, /^waiting: no TLS with mx\.test: /)
  assert.match((await attempt(t, server.port, 'TLS_Clt_Features:mx.test Flags=c')).said, /^delivered: 250 taken/)
  assert.match((await attempt(t, server.port, 'TLS_Clt_Features:mx.test Flags=c', { tls: 'encrypt' })).said, /^waiting: no TLS with mx\.test: /)
  assert.deepEqual([sink.messages.length, server.taken()], [0, 1])
})

test('a next hop that TLS_Srv refuses is passed over for one that meets it', async t => {
  const bad = await sinkFor(t, { tls: sinkTls(serverCertificate('a.test', { issuer: serverCertificate('x') })) })
  const good = await sinkFor(t, { tls: sinkTls(serverCertificate('b.test')) })
  const relay = await startRelay(t, {
    dns: dns({ d: [[1, 'a.test'], [2, 'b.test']] }, { 'a.test': ['192.0.2.1'], 'b.test': ['192.0.2.2'] }),
    network: new Map([['192.0.2.1', bad.port], ['192.0.2.2', good.port]]),
    access: 'TLS_Srv: PERM+VERIFY',
    settings: { routing: { smarthost: null, routes: new Map(), ownDomain: '', waivable: 'mx', mx: { tls: 'opportunistic', trustedPem: [authority.pem], ignoredKeywords: [], port: 25 } } },
  })
  await relay.submit('m1', 'ann@d')
  assert.match((await relay.attempts(1))[0] ?? '', /^m1 ann@d delivered: 250 2\.0\.0 Taken \(b\.test/)
  assert.deepEqual(bad.messages, [])
})

test('a reload counts for the next message: no idle connection outlives the policy it was judged by', async t => {
  const sink = await sinkFor(t, {})
  const relay = await relayTo(t, sink.port, '')
  await relay.submit('m1', 'ann@b')
  await relay.attempts(1)
  await relay.idle()
  relay.scheduler.reconfigure({ ...relay.settings, policy: policyWith('TLS_Srv: VERIFY') })
  await relay.submit('m2', 'ann@b')
  assert.match((await relay.attempts(2))[1] ?? '', /^m2 ann@b waiting: 454 4\.7\.0/)
  relay.scheduler.reconfigure(relay.settings)
  relay.clock.advance(3600)
  await relay.clock.run(2)
  await waitFor('the message that waited', () => sink.messages.length === 2)
})

/** A relay that has been asked for a message and waits for the address of its next hop until it is told. */
async function relayThatWaits(t: Test, port: number, options: Pick<RelayOptions, 'whyWithdrawn'> = {}) {
  const asked: (() => void)[] = []
  const addresses = (): Promise<DnsAnswer<string>> => new Promise(resolve => asked.push(() => resolve({ kind: 'found', values: ['127.0.0.1'] })))
  const relay = await startRelay(t, { ...options, dns: { addresses }, settings: smarthost(port, hop) })
  await relay.submit('m1', 'ann@b')
  await waitFor('the question to DNS', () => asked.length > 0)
  return { ...relay, tell: () => asked.splice(0).forEach(answer => answer()), asked: () => asked.length }
}

test('a reload counts for a message whose connection was being opened', async t => {
  const sink = await sinkFor(t, {})
  const relay = await relayThatWaits(t, sink.port)
  relay.scheduler.reconfigure({ ...relay.settings, policy: policyWith('TLS_Srv: VERIFY') })
  relay.tell()
  await waitFor('the question for the new attempt', async () => {
    await relay.clock.run(1)
    return relay.asked() > 0
  })
  relay.tell()
  assert.match((await relay.attempts(1))[0] ?? '', /^m1 ann@b waiting: 454 4\.7\.0/)
  assert.deepEqual(sink.messages, [])
})

test('what a message came in under may be taken away while its connection is being opened', async t => {
  const sink = await sinkFor(t, {})
  let because: string | null = null
  const relay = await relayThatWaits(t, sink.port, { whyWithdrawn: () => because })
  because = 'revoked'
  relay.tell()
  await waitFor('the message to be held', () => relay.spool.list({ filter: {}, after: null, limit: 1 })[0]?.heldBecause === 'revoked')
  assert.deepEqual(sink.messages, [])
})
