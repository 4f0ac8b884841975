/** RFC 6531 from end to end: what goes where SMTPUTF8 is offered, and what becomes of it where it is not. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { envelopeTo } from '../support/queued.ts'
import { startSink, type SinkOptions } from '../support/sink.ts'
import { smarthost, startRelay } from './relay.ts'

async function relayTo(t: Parameters<typeof startRelay>[0], options: SinkOptions) {
  const lines: string[] = []
  const sink = await startSink({ ...options, answer: ({ at, text }) => (at === 'mail' || at === 'rcpt' ? (lines.push(utf8(text)), null) : null) })
  t.after(() => sink.stop())
  return { sink, lines, relay: await startRelay(t, { settings: smarthost(sink.port) }) }
}

/** The octets of a connection are shown as latin1. */
function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}

function sent(forwardPath: string, reversePath = 'ann@example.org') {
  return { envelope: envelopeTo([forwardPath], { reversePath, bodyType: '8BITMIME', utf8: true }) }
}

test('an internationalized message goes on as it came', async t => {
  const { sink, lines, relay } = await relayTo(t, {})
  await relay.submit('m1', '用户@例え.test', sent('用户@例え.test', 'jürgen@example.org'), 'Subject: grüße\r\n\r\ntext\r\n')
  assert.match((await relay.attempts(1))[0] ?? '', /^m1 用户@例え\.test delivered/)
  assert.deepEqual(lines.map(line => line.replace(/ SIZE=\d+/, '')), ['MAIL FROM:<jürgen@example.org> BODY=8BITMIME SMTPUTF8', 'RCPT TO:<用户@例え.test>'])
  assert.equal(utf8(sink.messages[0]?.text ?? ''), 'Subject: grüße\r\n\r\ntext\r\n')
})

test('where nothing in it needs SMTPUTF8, it goes without', async t => {
  const { lines, relay } = await relayTo(t, { without: ['SMTPUTF8'] })
  await relay.submit('m1', 'bob@b', sent('bob@b'), 'Subject: x\r\n\r\nGrüße\r\n')
  assert.match((await relay.attempts(1))[0] ?? '', /^m1 bob@b delivered/)
  assert.doesNotMatch(lines.join('\n'), /SMTPUTF8/)
})

for (const [what, forwardPath, header] of [
  ['an address', '用户@b', 'Subject: x'],
  ['the header', 'bob@b', 'Subject: grüße'],
] as const) {
  test(`where SMTPUTF8 is missing and ${what} needs it, the sender gets a report in the form of RFC 6533`, async t => {
    const { sink, lines, relay } = await relayTo(t, { without: ['SMTPUTF8'] })
    await relay.submit('m1', forwardPath, sent(forwardPath), `${header}\r\n\r\nGrüße\r\n`)
    assert.match((await relay.attempts(1))[0] ?? '', /failed: .* takes no internationalized messages \(it does not offer SMTPUTF8\)/)
    await relay.clock.run(2)
    const bounce = await sink.messageWith('could not be delivered')
    const text = utf8(bounce.text)
    assert.match(text, /Content-Type: message\/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n/)
    assert.ok(text.includes(`\r\nFinal-Recipient: utf-8; ${forwardPath}\r\nAction: failed\r\nStatus: 5.6.7\r\n`), text)
    assert.ok(text.includes(`Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${header}\r\n\r\nGrüße\r\n`), text)
    // The report itself has an ASCII header, and so passes where the message did not.
    assert.match(text.slice(0, text.indexOf('\r\n\r\n')), /^[\t\r\n -~]*$/)
    assert.doesNotMatch(lines.join('\n'), /SMTPUTF8/)
    assert.equal(sink.messages.length, 1)
  })
}
