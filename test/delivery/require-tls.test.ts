/** What a sender may ask of TLS on the way (RFC 8689): REQUIRETLS and `TLS-Required: No`, over real connections. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Envelope, TlsWish } from '../../src/core/message/envelope.ts'
import type { Routing } from '../../src/core/message/route.ts'
import { envelopeTo, textOf } from '../support/queued.ts'
import { startSink, type Sink, type SinkOptions } from '../support/sink.ts'
import { authority, serverCertificate, sinkTls } from './pki.ts'
import { dns, hopTo, startRelay, type RelayOptions } from './relay.ts'

type Test = Parameters<typeof startRelay>[0]

const good = sinkTls(serverCertificate('mx.test'))
const strangers = sinkTls(serverCertificate('mx.test', { issuer: serverCertificate('x') }))

/** A server that writes down what MAIL said. */
async function serverFor(t: Test, options: SinkOptions): Promise<{ sink: Sink; mails: readonly string[] }> {
  const mails: string[] = []
  const sink = await startSink({
    ...options,
    answer: ({ at, text }) => {
      if (at === 'mail') mails.push(text.replace(/ SIZE=\d+/, ''))
      return null
    },
  })
  t.after(() => sink.stop())
  return { sink, mails }
}

/** A relay for the domain `d`, whose mail exchangers are these servers. */
async function relayTo(t: Test, sinks: readonly Sink[], routing: Partial<Routing> = {}, options: RelayOptions = {}) {
  const addresses = sinks.map((_, index) => `192.0.2.${index + 1}`)
  const mx = { tls: 'opportunistic', trustedPem: [authority.pem], ignoredKeywords: [], port: 25 } as const
  return startRelay(t, {
    ...options,
    dns: dns({ d: [[1, 'mx.test']], 'example.org': [] }, { 'mx.test': addresses }),
    network: new Map(sinks.map((sink, index) => [addresses[index] ?? '', sink.port])),
    settings: { routing: { smarthost: null, routes: new Map(), ownDomain: '', waivable: 'mx', mx, ...routing } },
  })
}

function wishing(tls: TlsWish, changes: Partial<Envelope> = {}): { readonly envelope: Envelope } {
  return { envelope: envelopeTo(['ann@d'], { tls, ...changes }) }
}

test('REQUIRETLS goes on to a server that proves its name and offers it', async t => {
  const { sink, mails } = await serverFor(t, { tls: good, requireTls: true })
  const relay = await relayTo(t, [sink])
  await relay.submit('m1', 'ann@d', wishing('required'))
  assert.match((await relay.attempts(1))[0] ?? '', /^m1 ann@d delivered: .*, verified\)$/)
  await relay.submit('m2', 'ann@d', wishing(null))
  await relay.attempts(2)
  assert.deepEqual(mails, ['MAIL FROM:<ann@example.org> REQUIRETLS', 'MAIL FROM:<ann@example.org>'])
})

test('a server without REQUIRETLS is passed over; with no other the message returns, and its report asks for TLS too', async t => {
  const { sink: without, mails } = await serverFor(t, { tls: good })
  const { sink: offering, mails: taken } = await serverFor(t, { tls: good, requireTls: true })
  const both = await relayTo(t, [without, offering])
  await both.submit('m1', 'ann@d', wishing('required'))
  assert.match((await both.attempts(1))[0] ?? '', /^m1 ann@d delivered/)

  const alone = await relayTo(t, [without])
  await alone.submit('m2', 'ann@d', wishing('required'), 'Subject: secret\r\n\r\nthe text of it\r\n')
  assert.match((await alone.attempts(1))[0] ?? '', /^m2 ann@d failed: mx\.test\S+ does not promise TLS for the rest of the way/)
  await alone.idle()
  const [report] = alone.spool.list({ filter: {}, after: null, limit: 10 })
  assert.deepEqual([report?.envelope.reversePath, report?.envelope.tls], ['', 'encrypted'])
  const text = (await textOf(alone.spool.body(report?.id ?? ''))) ?? ''
  assert.match(text, /Status: 5\.7\.30\r\n/)
  assert.doesNotMatch(text, /secret|the text of it/)
  assert.deepEqual([mails, taken], [[], ['MAIL FROM:<ann@example.org> REQUIRETLS']])
})

test('S5: REQUIRETLS: nothing is sent in clear or to who proves nothing', async t => {
  const { sink: clear, mails: first } = await serverFor(t, {})
  const { sink: unproved, mails: second } = await serverFor(t, { tls: strangers, requireTls: true })
  const relay = await relayTo(t, [clear])
  await relay.submit('m1', 'ann@d', wishing('required'))
  assert.match((await relay.attempts(1))[0] ?? '', /^m1 ann@d failed: mx\.test\S+ offers no TLS, which the sender requires/)
  const other = await relayTo(t, [unproved])
  await other.submit('m1', 'ann@d', wishing('required'))
  assert.match((await other.attempts(1))[0] ?? '', /^m1 ann@d waiting: no verified TLS/)
  assert.deepEqual([...first, ...second], [])
})

test('S5: a report of a message that required TLS is not lost where the way back promises none, and goes nowhere in clear', async t => {
  const { sink: clear, mails: inClear } = await serverFor(t, {})
  const { sink: encrypted, mails } = await serverFor(t, { tls: strangers })
  const relay = await relayTo(t, [encrypted])
  await relay.submit('m1', 'ann@d', wishing('encrypted', { reversePath: '' }))
  assert.match((await relay.attempts(1))[0] ?? '', /^m1 ann@d delivered/)
  assert.deepEqual(mails, ['MAIL FROM:<>'])
  const other = await relayTo(t, [clear])
  await other.submit('m1', 'ann@d', wishing('encrypted', { reversePath: '' }))
  assert.match((await other.attempts(1))[0] ?? '', /^m1 ann@d waiting/)
  assert.deepEqual(inClear, [])
})

test('S5: the null reverse-path is no way round REQUIRETLS', async t => {
  const { sink, mails } = await serverFor(t, {})
  const relay = await relayTo(t, [sink])
  await relay.submit('m1', 'ann@d', wishing('required', { reversePath: '' }))
  assert.match((await relay.attempts(1))[0] ?? '', /^m1 ann@d failed: mx\.test\S+ offers no TLS, which the sender requires/)
  assert.deepEqual(mails, [])
})

test('TLS-Required: No: what MX hosts must prove is waived, and nothing else', async t => {
  const { sink, mails } = await serverFor(t, { tls: strangers })
  const strict = { mx: { tls: 'verify', trustedPem: [authority.pem], ignoredKeywords: [], port: 25 } } as const
  const said = async (wish: TlsWish, routing: Partial<Routing>, access = ''): Promise<string> => {
    const relay = await relayTo(t, [sink], { ...strict, ...routing }, { access })
    await relay.submit('m1', 'ann@d', wishing(wish))
    return ((await relay.attempts(1))[0] ?? '').replace(/^m1 ann@d (\S+?): .*$/, '$1')
  }
  assert.equal(await said(null, {}), 'waiting')
  assert.equal(await said('waived', {}), 'delivered')
  assert.equal(await said('waived', { waivable: 'none' }), 'waiting')
  assert.equal(await said('waived', {}, 'TLS_Srv:mx.test VERIFY'), 'waiting')
  assert.equal(await said('waived', {}, 'TLS_Rcpt:ann@d PERM+VERIFY'), 'failed')
  const smarthost = hopTo(sink.port, { tls: 'verify', trustedPem: [authority.pem] })
  assert.equal(await said('waived', { smarthost }), 'waiting')
  assert.equal(mails.length, 1)
})

test('TLS-Required: No: for the smarthost too, where the settings say so', async t => {
  const { sink } = await serverFor(t, { tls: strangers })
  const smarthost = hopTo(sink.port, { tls: 'verify', trustedPem: [authority.pem] })
  const relay = await startRelay(t, { settings: { routing: { smarthost, routes: new Map(), ownDomain: '', waivable: 'all', mx: { tls: 'verify', trustedPem: null, ignoredKeywords: [], port: 25 } } } })
  await relay.submit('m1', 'ann@d', wishing('waived'))
  assert.match((await relay.attempts(1))[0] ?? '', /delivered/)
})
