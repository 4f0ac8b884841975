/** From an accepted message to the next hop's 250, to another try, or to a bounce. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Spool } from '../../src/relay/ports.ts'
import { freePorts, waitFor } from '../support/processes.ts'
import { drafted, enqueue, envelopeTo, NOW, recipient, textOf } from '../support/queued.ts'
import { startSink, type SinkOptions } from '../support/sink.ts'
import { dns, hopTo, smarthost, startRawServer, startRelay, type RelayOptions } from './relay.ts'

type Test = Parameters<typeof startRelay>[0]

async function sinkFor(t: Test, options: SinkOptions = {}) {
  const sink = await startSink(options)
  t.after(() => sink.stop())
  return sink
}

/** A relay whose smarthost is a sink. */
async function relayToSink(t: Test, sinkOptions: SinkOptions = {}, options: RelayOptions = {}) {
  const sink = await sinkFor(t, sinkOptions)
  return { sink, relay: await startRelay(t, { ...options, settings: { ...smarthost(sink.port), ...options.settings } }) }
}

test('a message goes to the smarthost as it was accepted', async t => {
  const { sink, relay } = await relayToSink(t)
  const text = 'Subject: dots\r\n\r\n.one\r\n..two\r\nno end'
  await relay.submit('m1', ['ann@b', 'bob@c'], {}, text)
  assert.deepEqual(await relay.attempts(2), [
    `m1 ann@b delivered: 250 2.0.0 Taken ([127.0.0.1]:${sink.port})`,
    `m1 bob@c delivered: 250 2.0.0 Taken ([127.0.0.1]:${sink.port})`,
  ])
  await relay.idle()
  assert.deepEqual(sink.messages, [
    { reversePath: 'ann@example.org', forwardPaths: ['ann@b', 'bob@c'], text: `${text}\r\n`, bodyType: null, chunks: 0, tls: null },
  ])
  assert.equal(relay.spool.stats().messages, 0)
  assert.deepEqual(relay.events.map(({ event, recipient }) => [event, recipient]), [['delivered', 'ann@b'], ['delivered', 'bob@c']])
})

test('a large message arrives whole', async t => {
  const { sink, relay } = await relayToSink(t)
  const text = `Subject: large\r\n\r\n${'.a line of text that is long enough to matter\r\n'.repeat(40_000)}`
  await relay.submit('m1', 'ann@b', {}, text)
  await relay.attempts(1)
  assert.equal(sink.messages[0]?.text === text, true)
})

test('messages that come one after the other share a connection, up to its limit', async t => {
  const { sink, relay } = await relayToSink(t, {}, { limits: { messagesPerConnection: 3 } })
  for (let i = 1; i <= 7; i++) {
    await relay.submit(`m${i}`, 'ann@b')
    await relay.attempts(i)
    await relay.idle()
  }
  assert.equal(sink.connections(), 3)
})

test('a connection that the server closed while it waited costs the next message nothing', async t => {
  const { sink, relay } = await relayToSink(t, { answer: ({ at, connection }) => (at === 'mail' && connection === 1 && sink.messages.length > 0 ? 'hang up' : null) })
  await relay.submit('m1', 'ann@b')
  await relay.attempts(1)
  await relay.submit('m2', 'ann@b')
  assert.match((await relay.attempts(2))[1] ?? '', /^m2 ann@b delivered/)
  assert.equal(sink.connections(), 2)
})

test('an idle connection is left with QUIT after a while (RFC 5321 §4.1.1.10)', async t => {
  const server = await startRawServer(t, (line, socket) => {
    if (/^(?:EHLO|MAIL|RCPT|DATA|\.$)/.test(line)) socket.write(line === 'DATA' ? '354 go\r\n' : '250 ok\r\n')
  })
  const relay = await startRelay(t, { settings: smarthost(server.port) })
  await relay.submit('m1', 'ann@b')
  await relay.attempts(1)
  await relay.idle()
  assert.equal(server.lines().includes('QUIT'), false)
  await relay.clock.run(3)
  await waitFor('QUIT', () => server.lines().includes('QUIT'))
})

test('concurrency to one next hop is bounded', async t => {
  let now = 0
  let most = 0
  const { relay } = await relayToSink(t, {
    answer: async ({ at }) => {
      if (at !== 'message') return null
      most = Math.max(most, ++now)
      await new Promise(resolve => setTimeout(resolve, 20))
      now--
      return null
    },
  }, { limits: { connectionsPerHop: 3 } })
  for (let i = 0; i < 30; i++) await relay.submit(`m${i}`, 'ann@b')
  await relay.attempts(30)
  assert.equal(most, 3)
})

test('recipients are cut into transactions that any server takes (RFC 5321 §4.5.3.1.8)', async t => {
  const { sink, relay } = await relayToSink(t)
  await relay.submit('m1', Array.from({ length: 250 }, (_, i) => `r${i}@b`))
  await relay.attempts(250)
  assert.deepEqual(sink.messages.map(message => message.forwardPaths.length).sort(), [100, 100, 50])
})

test('what is refused for now is tried again, later and later, until it is taken', async t => {
  let refusals = 3
  const { sink, relay } = await relayToSink(t, { answer: ({ at }) => (at === 'rcpt' && refusals-- > 0 ? '451 4.7.1 Greylisted' : null) })
  await relay.submit('m1', 'ann@b')
  for (const [attempt, seconds] of [[1, 299], [2, 899], [3, 1799]] as const) {
    assert.match((await relay.attempts(attempt))[attempt - 1] ?? '', /waiting: 451 4\.7\.1 Greylisted/)
    await relay.idle()
    await relay.clock.run(2)
    relay.clock.advance(seconds - 2)
    await relay.clock.run(1)
    assert.equal(relay.reports.length, attempt, 'nothing is tried before its time')
    await relay.clock.run(3)
  }
  assert.match((await relay.attempts(4))[3] ?? '', /delivered/)
  assert.equal(sink.messages.length, 1)
})

test('what is refused for good bounces to the sender, like every other message', async t => {
  const { sink, relay } = await relayToSink(t, { answer: ({ at, text }) => (at === 'rcpt' && text.includes('ann@b') ? '550 5.1.1 No such user' : null) })
  await relay.submit('m1', ['ann@b', 'bob@b'], {}, 'Subject: hello\r\n\r\n')
  await relay.attempts(2)
  await relay.idle()
  await relay.clock.run(2)
  const bounce = await sink.messageWith('Your message could not be delivered')
  assert.equal(bounce.reversePath, '')
  assert.deepEqual(bounce.forwardPaths, ['ann@example.org'])
  assert.match(bounce.text, /Final-Recipient: rfc822; ann@b\r\nAction: failed\r\nStatus: 5\.1\.1\r\n/)
  assert.match(bounce.text, /Subject: hello\r\n/)
  assert.doesNotMatch(bounce.text, /bob@b/)
  await relay.idle()
  assert.equal(relay.spool.stats().messages, 0)
  assert.deepEqual(relay.events.filter(({ messageId }) => messageId === 'm1').map(({ event }) => event), ['failed', 'delivered', 'bounced'])
})

test('S21: a bounce that cannot be delivered is the end of it', async t => {
  const { sink, relay } = await relayToSink(t, { answer: ({ at }) => (at === 'rcpt' ? '550 5.1.1 No such user' : null) })
  await relay.submit('m1', 'ann@b')
  await relay.attempts(1)
  await relay.idle()
  await relay.clock.run(2)
  await relay.attempts(2)
  await relay.idle()
  await relay.clock.run(2)
  assert.equal(relay.reports.length, 2)
  assert.equal(relay.spool.stats().messages, 0)
  assert.equal(sink.messages.length, 0)
})

test('the sender is warned of a delay once, and hears the end of it', async t => {
  const { sink, relay } = await relayToSink(t, { answer: ({ at, text }) => (at === 'rcpt' && text.includes('ann@b') ? '450 4.2.0 Busy' : null) })
  await relay.submit('m1', 'ann@b')
  for (let hour = 0; hour < 125; hour++) {
    await relay.idle()
    relay.clock.advance(3600)
    await relay.clock.run(2)
  }
  await relay.idle()
  await sink.messageWith('Your message is delayed')
  const bounce = await sink.messageWith('Your message could not be delivered')
  assert.match(bounce.text, /Status: 4\.4\.7/)
  assert.equal(sink.messages.length, 2)
  assert.equal(relay.spool.stats().messages, 0)
})

test('a next hop that is down is not tried for each message, and what waits has its reason', async t => {
  const [port = 0] = await freePorts(1)
  const relay = await startRelay(t, { settings: smarthost(port) })
  for (let i = 0; i < 50; i++) await relay.submit(`m${i}`, 'ann@b')
  const lines = await relay.attempts(50)
  const refused = `no connection to [127.0.0.1]:${port}: connection refused`
  assert.deepEqual(new Set(lines.map(line => line.replace(/^m\d+ ann@b waiting: /, ''))), new Set([refused, `not tried again yet: ${refused}`]))
  assert.equal(lines.filter(line => line.endsWith(`waiting: ${refused}`)).length, 1)
  assert.deepEqual(relay.suspensions, [`127.0.0.1:${port}`])
  await relay.idle()

  // Once it is back, and the time has come, everything goes.
  const sink = await sinkFor(t, { port })
  relay.clock.advance(400)
  await relay.clock.run(2)
  await relay.attempts(100)
  assert.equal(sink.messages.length, 50)
})

test('flush tries a next hop again that failed a moment ago', async t => {
  const [port = 0] = await freePorts(1)
  const relay = await startRelay(t, { settings: smarthost(port) })
  await relay.submit('m1', 'ann@b')
  await relay.attempts(1)
  await relay.idle()
  const sink = await sinkFor(t, { port })
  await relay.spool.change('m1', message => ({ ...message, recipients: message.recipients.map(recipient => ({ ...recipient, dueAt: relay.clock.now })) }))
  relay.scheduler.flush()
  await relay.attempts(2)
  assert.equal(sink.messages.length, 1)
})

test('a server that allows few connections gets few, and still all messages', async t => {
  let open = 0
  const { sink, relay } = await relayToSink(t, { answer: ({ at }) => (at === 'greeting' && ++open > 2 ? '421 4.7.0 Too many connections' : null) })
  for (let i = 0; i < 40; i++) await relay.submit(`m${i}`, 'ann@b')
  const lines = await relay.attempts(40)
  assert.deepEqual(lines.filter(line => !line.includes('delivered')), [])
  assert.equal(sink.messages.length, 40)
})

test('next hops take turns: a slow one does not hold up the others', async t => {
  let release = (): void => {}
  const stuck = new Promise<void>(resolve => {
    release = resolve
  })
  const slow = await sinkFor(t, { answer: async ({ at }) => (at === 'mail' ? stuck.then(() => null) : null) })
  const fast = await sinkFor(t)
  const { routing } = smarthost(fast.port)
  const relay = await startRelay(t, { settings: { routing: { ...routing, routes: new Map([['slow', hopTo(slow.port)]]) } } })
  for (let i = 0; i < 20; i++) await relay.submit(`s${i}`, 'ann@slow')
  await relay.submit('both', ['ann@slow', 'ann@fast'])
  assert.match((await relay.attempts(1))[0] ?? '', /^both ann@fast delivered/)
  assert.equal(relay.spool.find('both')?.recipients[1]?.state, 'delivered', 'what is known is written down at once')
  assert.equal(relay.spool.find('both')?.recipients[0]?.state, 'leased')
  release()
  await relay.attempts(22)
})

test('what does not fit into memory waits in the spool and is fetched in order', async t => {
  const { sink, relay } = await relayToSink(t, {}, { limits: { messagesInMemory: 5, connectionsPerHop: 1 } })
  const ids = Array.from({ length: 30 }, (_, i) => `m${String(i).padStart(2, '0')}`)
  for (const id of ids) await enqueue(relay.spool, id, {}, `Subject: ${id}\r\n\r\n`)
  const held: number[] = []
  relay.onReport(() => held.push(relay.scheduler.messages))
  relay.scheduler.wake()
  await relay.attempts(30)
  assert.equal(Math.max(...held), 5)
  assert.deepEqual(sink.messages.map(message => message.text.slice(9, 12)), ids)
  assert.equal(relay.scheduler.hasRoom(), true)
})

test('nothing is tried before it is due', async t => {
  const { sink, relay } = await relayToSink(t)
  await enqueue(relay.spool, 'later', { recipients: [recipient({ dueAt: NOW + 5000 })] })
  relay.scheduler.wake()
  await relay.clock.run(2)
  assert.equal(relay.reports.length, 0)
  await relay.clock.run(4)
  await relay.attempts(1)
  assert.equal(sink.messages.length, 1)
})

test('S29: a result that cannot be written down is written later, and the message is not sent again', async t => {
  let failures = 2
  const wrap = (spool: Spool): Spool => new Proxy(spool, {
    get: (target, name) => {
      if (name === 'settle' && failures-- > 0) return () => Promise.reject(new Error('disk full'))
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const { sink, relay } = await relayToSink(t, {}, { spool: wrap })
  await relay.submit('m1', 'ann@b')
  await relay.attempts(1)
  await relay.clock.run(5)
  await relay.idle()
  assert.deepEqual(relay.troubles, ['settle: Error: disk full', 'settle: Error: disk full'])
  assert.equal(relay.spool.stats().messages, 0)
  assert.equal(sink.messages.length, 1)
})

test('stop lets transactions finish and gives the rest back', async t => {
  let release = (): void => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const { sink, relay } = await relayToSink(t, { answer: async ({ at }) => (at === 'message' ? held.then(() => null) : null) }, { limits: { connectionsPerHop: 1 } })
  for (let i = 0; i < 3; i++) await relay.submit(`m${i}`, 'ann@b')
  await waitFor('a connection', () => sink.connections() > 0)
  const stopped = relay.scheduler.stop()
  release()
  await stopped
  assert.equal(sink.messages.length, 1)
  assert.deepEqual(relay.spool.stats(), { messages: 2, leased: 0, quarantinedRecords: 0 })
  await relay.submit('late', 'ann@b')
  assert.equal(relay.spool.find('late')?.recipients[0]?.state, 'waiting')
})

test('a transaction that does not end in time is cut, and its message stays', async t => {
  const { sink, relay } = await relayToSink(t, { answer: ({ at }) => (at === 'message' ? new Promise(() => {}) : null) })
  await relay.submit('m1', 'ann@b')
  await waitFor('a connection', () => sink.connections() > 0)
  const stopped = relay.scheduler.stop()
  await relay.clock.run(30)
  await stopped
  assert.equal(relay.spool.find('m1')?.recipients[0]?.state, 'waiting')
})

test('new settings hold for what has not begun', async t => {
  const first = await sinkFor(t, { answer: ({ at }) => (at === 'mail' ? '451 later' : null) })
  const second = await sinkFor(t)
  const relay = await startRelay(t, { settings: smarthost(first.port) })
  await relay.submit('m1', 'ann@b')
  await relay.attempts(1)
  await relay.idle()
  relay.scheduler.reconfigure({ ...relay.settings, ...smarthost(second.port) })
  relay.clock.advance(400)
  await relay.clock.run(2)
  await relay.attempts(2)
  assert.equal(second.messages.length, 1)
})

test('MX hosts are tried in order until one takes the message', async t => {
  const [dead = 0] = await freePorts(1)
  const rude = await sinkFor(t, { answer: ({ at }) => (at === 'greeting' ? '554 5.3.2 Not here' : null) })
  const good = await sinkFor(t)
  const relay = await startRelay(t, {
    dns: dns({ 'example.net': [[10, 'a.test'], [20, 'b.test'], [30, 'c.test']] }, { 'a.test': ['192.0.2.1'], 'b.test': ['192.0.2.2'], 'c.test': ['192.0.2.3'] }),
    network: new Map([['192.0.2.1', dead], ['192.0.2.2', rude.port], ['192.0.2.3', good.port]]),
  })
  await relay.submit('m1', 'ann@Example.NET')
  assert.deepEqual(await relay.attempts(1), ['m1 ann@Example.NET delivered: 250 2.0.0 Taken (c.test[192.0.2.3]:25)'])
})

test('a 5yz greeting bounces when no host is left, and not while another may do better', async t => {
  const rude = await sinkFor(t, { answer: ({ at }) => (at === 'greeting' ? '554 5.3.2 Not here' : null) })
  const names = dns({ 'all.test': [[10, 'b.test']], 'some.test': [[10, 'b.test'], [20, 'dead.test']] }, { 'b.test': ['192.0.2.2'], 'dead.test': ['192.0.2.9'] })
  const relay = await startRelay(t, { dns: names, network: new Map([['192.0.2.2', rude.port]]) })
  await relay.submit('m1', 'ann@all.test')
  await relay.submit('m2', 'ann@some.test')
  assert.deepEqual([...(await relay.attempts(2))].filter(line => line.startsWith('m')).sort(), [
    'm1 ann@all.test failed: 554 5.3.2 Not here (b.test[192.0.2.2]:25, in its greeting)',
    'm2 ann@some.test waiting: no connection to dead.test[192.0.2.9]:25: host unreachable',
  ])
})

test('a message whose stored text is gone is put off, and half of it is never finished', async t => {
  const { sink, relay } = await relayToSink(t)
  const lease = await relay.spool.enqueue(await drafted(relay.spool, 'm1'), { leased: true })
  relay.scheduler.offer({ ...lease, body: { sizeBytes: 100, chunks: function* () {
    yield Buffer.from('Subject: half')
    throw new Error('EIO')
  } } })
  assert.match((await relay.attempts(1))[0] ?? '', /waiting: trouble of our own: the message could not be read: EIO/)
  assert.equal(sink.messages.length, 0)
  assert.notEqual(await textOf(relay.spool.body('m1')), null)
})

test('an 8-bit message bounces where 8BITMIME is missing, and an ASCII one that was declared so does not', async t => {
  const server = await startRawServer(t, (line, socket) => {
    if (/^(?:EHLO|MAIL|RCPT|DATA|\.$)/.test(line)) socket.write(line === 'DATA' ? '354 go\r\n' : '250 ok\r\n')
  })
  const relay = await startRelay(t, { settings: smarthost(server.port) })
  const envelope = envelopeTo(['ann@b'], { reversePath: '', bodyType: '8BITMIME' })
  await relay.submit('m1', 'ann@b', { envelope }, 'Subject: a\r\n\r\ngrüße\r\n')
  await relay.submit('m2', 'ann@b', { envelope }, 'Subject: a\r\n\r\nhello\r\n')
  const lines = [...(await relay.attempts(2))].sort()
  assert.match(lines[0] ?? '', /^m1 ann@b failed: .* takes no 8-bit messages/)
  assert.match(lines[1] ?? '', /^m2 ann@b delivered/)
  assert.deepEqual(server.lines().filter(line => line.startsWith('MAIL')), ['MAIL FROM:<>'])
})

test('a server that takes one domain over a connection gets each over one of its own, and no message waits (RFC 9422)', async t => {
  const server = await startRawServer(t, (line, socket) => {
    if (line.startsWith('EHLO')) socket.write('250-mx.test\r\n250 LIMITS RCPTDOMAINMAX=1\r\n')
    else if (line === 'DATA') socket.write('354 go\r\n')
    else if (/^(?:MAIL|RCPT|QUIT|\.$)/.test(line)) socket.write('250 ok\r\n')
  })
  const relay = await startRelay(t, { settings: smarthost(server.port) })
  await relay.submit('m1', ['ann@b', 'bob@c', 'cy@b'])
  await relay.idle()
  await relay.submit('m2', ['dan@d'])
  await relay.idle()
  assert.deepEqual(relay.reports.map(({ outcome, recipient: { address } }) => `${address} ${outcome.kind}`), [
    'ann@b delivered', 'cy@b delivered', 'bob@c delivered', 'dan@d delivered',
  ])
  assert.deepEqual(server.lines().filter(line => /^(?:EHLO|RCPT)/.test(line)).map(line => line.replace(/^EHLO .*/, 'EHLO')), [
    'EHLO', 'RCPT TO:<ann@b>', 'RCPT TO:<cy@b>', 'EHLO', 'RCPT TO:<bob@c>', 'EHLO', 'RCPT TO:<dan@d>',
  ])
})

test('recipients that a server takes over its next connection only do not wait for the next attempt (RFC 9422)', async t => {
  const server = await startRawServer(t, (line, socket) => {
    if (line.startsWith('EHLO')) socket.write('250-mx.test\r\n250 LIMITS RCPTMAX=2 MAILMAX=1\r\n')
    else if (line.startsWith('RCPT')) socket.write(line.includes('dan') ? '450 later\r\n' : '250 ok\r\n')
    else if (line === 'DATA') socket.write('354 go\r\n')
    else if (/^(?:MAIL|QUIT|\.$)/.test(line)) socket.write('250 ok\r\n')
  })
  const relay = await startRelay(t, { settings: smarthost(server.port) })
  await relay.submit('m1', ['ann@b', 'bob@b', 'cy@b', 'dan@b', 'eve@b'])
  await relay.idle()
  assert.deepEqual(relay.reports.map(({ outcome, recipient: { address } }) => `${address} ${outcome.kind}`), [
    'ann@b delivered', 'bob@b delivered', 'cy@b delivered', 'dan@b deferred', 'eve@b delivered',
  ])
  assert.equal(server.lines().filter(line => line.startsWith('EHLO')).length, 3, 'a connection for each two')
  assert.deepEqual(relay.spool.find('m1')?.recipients.map(({ state, attempts }) => `${state} ${attempts}`), [
    'delivered 1', 'delivered 1', 'delivered 1', 'waiting 1', 'delivered 1',
  ])
  assert.deepEqual(relay.troubles, [])
})
