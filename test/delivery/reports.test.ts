/** What a sender asks for beyond delivery, from the queue to the next hop and back to the sender. */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Envelope, EnvelopeRecipient, NotifyOn } from '../../src/core/message/envelope.ts'
import { newMessage } from '../../src/core/message/new-message.ts'
import { drafted, envelopeTo } from '../support/queued.ts'
import { smarthost, startRawServer, startRelay, type Relay } from './relay.ts'

type Script = { readonly offers?: readonly string[]; readonly rcpt?: string }

/** A next hop that offers these extensions, and refuses recipients if it is told to; and a relay that sends there. */
async function startBoth(t: TestContext, { offers = [], rcpt = '250 ok' }: Script): Promise<{ readonly relay: Relay; readonly lines: () => readonly string[] }> {
  const server = await startRawServer(t, (line, socket) => {
    if (line.startsWith('EHLO')) socket.write(['mx.test', ...offers].map((word, at, all) => `250${at === all.length - 1 ? ' ' : '-'}${word}\r\n`).join(''))
    else if (line.startsWith('RCPT')) socket.write(line.includes('<ann@') ? '250 ok\r\n' : `${rcpt}\r\n`)
    else if (line === 'DATA') socket.write('354 go\r\n')
    else if (/^(?:MAIL|RSET|\.$)/.test(line)) socket.write('250 ok\r\n')
  })
  return { relay: await startRelay(t, { settings: smarthost(server.port) }), lines: server.lines }
}

function asking(forwardPath: string, notify: readonly NotifyOn[] | null): EnvelopeRecipient {
  return { forwardPath, notify, originalRecipient: null }
}

/** One attempt, and then those for the reports that follow from it. */
async function settled(relay: Relay, attempts: number): Promise<void> {
  await relay.attempts(1)
  await relay.idle()
  await relay.clock.run(3)
  await relay.attempts(attempts)
  await relay.idle()
}

/** What was sent to the sender: the actions that each report has. */
function reports(lines: readonly string[]): readonly string[] {
  return lines.filter(line => line.startsWith('Action: ')).map(line => line.slice('Action: '.length))
}

test('a server with DSN is asked, and reports itself (RFC 3461 §5.2.1)', async t => {
  const { relay, lines } = await startBoth(t, { offers: ['DSN'] })
  const recipients = [{ forwardPath: 'ann@b', notify: ['SUCCESS'], originalRecipient: 'rfc822;ann@c' }] as const
  await relay.submit('m1', 'ann@b', { envelope: envelopeTo([], { recipients, returned: 'FULL', envelopeId: 'Q1' }) })
  await settled(relay, 1)
  assert.ok(lines().includes('MAIL FROM:<ann@example.org> RET=FULL ENVID=Q1'), lines().join('\n'))
  assert.ok(lines().includes('RCPT TO:<ann@b> NOTIFY=SUCCESS ORCPT=rfc822;ann@c'))
  assert.deepEqual(reports(lines()), [])
})

test('for a server without DSN we answer ourselves (RFC 3461 §5.2.2)', async t => {
  const { relay, lines } = await startBoth(t, {})
  await relay.submit('m1', 'ann@b', { envelope: envelopeTo([], { recipients: [asking('ann@b', ['SUCCESS'])] }) })
  await settled(relay, 2)
  assert.deepEqual(reports(lines()), ['relayed'])
  assert.ok(lines().includes('MAIL FROM:<>'))
  assert.ok(lines().includes('Content-Type: text/rfc822-headers'))
  assert.deepEqual(relay.events.map(({ event }) => event), ['delivered', 'confirmed', 'delivered'])
})

for (const [wish, notify, told] of [
  ['nothing in particular', null, ['failed']],
  ['NOTIFY=FAILURE', ['FAILURE'], ['failed']],
  ['NOTIFY=NEVER', [], []],
  ['NOTIFY=SUCCESS', ['SUCCESS'], []],
] as const) {
  test(`a refused recipient, and a sender who asked for ${wish}`, async t => {
    const { relay, lines } = await startBoth(t, { rcpt: '550 5.1.1 no' })
    await relay.submit('m1', 'bob@b', { envelope: envelopeTo([], { reversePath: 'ann@b', recipients: [asking('bob@b', notify)] }) })
    await settled(relay, told.length + 1)
    assert.deepEqual(reports(lines()), told)
    assert.equal(relay.spool.find('m1'), null)
  })
}

test('a message that was to be there in time comes back when it is not (RFC 2852 §4)', async t => {
  const { relay, lines } = await startBoth(t, { offers: ['DELIVERBY'], rcpt: '450 4.2.0 later' })
  const deliverBy = { seconds: 600, mode: 'return', trace: false } as const
  await relay.submit('m1', 'bob@b', { envelope: envelopeTo(['bob@b'], { reversePath: 'ann@b', deliverBy }) })
  await relay.attempts(1)
  await relay.idle()
  assert.ok(lines().includes('MAIL FROM:<ann@b> BY=600;R'))
  await relay.clock.run(610)
  await relay.attempts(4)
  await relay.idle()
  assert.deepEqual(reports(lines()), ['failed'])
  assert.ok(lines().includes('Status: 5.4.7'))
  assert.equal(relay.spool.find('m1'), null)
})

test('where time cannot be kept, a message that must come back in time comes back at once', async t => {
  const { relay, lines } = await startBoth(t, {})
  const deliverBy = { seconds: 600, mode: 'return', trace: false } as const
  await relay.submit('m1', 'bob@b', { envelope: envelopeTo(['bob@b'], { reversePath: 'ann@b', deliverBy }) })
  await settled(relay, 2)
  assert.deepEqual(reports(lines()), ['failed'])
  assert.ok(lines().includes('Status: 5.3.3'))
})

test('a message for later waits in the spool, whatever its priority, and its time begins with the first attempt (RFC 4865)', async t => {
  const { relay, lines } = await startBoth(t, { offers: ['DELIVERBY', 'MT-PRIORITY'] })
  const deliverBy = { seconds: 600, mode: 'return', trace: false } as const
  await keep(relay, envelopeTo(['bob@b'], { hold: { kind: 'for', seconds: 3600 }, priority: 9, deliverBy }))
  await relay.clock.run(3599)
  await relay.idle()
  assert.deepEqual(lines(), [])
  await relay.clock.run(2)
  await relay.attempts(1)
  await relay.idle()
  assert.match(lines().find(line => line.startsWith('MAIL')) ?? '', /^MAIL FROM:<ann@example\.org> BY=(?:600|599);R MT-PRIORITY=9$/)
  assert.equal(relay.spool.find('m1'), null)
})

/** As the receiver keeps what is not to be tried at once. */
async function keep(relay: Relay, envelope: Envelope): Promise<void> {
  const { message, draft } = await drafted(relay.spool, 'm1')
  await relay.spool.enqueue({ message: newMessage({ ...message, envelope, acceptedAt: relay.clock.now }), draft }, { leased: false })
}
