/**
 * S21: reports to somebody who is to be annoyed by them.
 *
 * A stranger may name anybody as the sender. What it sends to one of our domains and cannot be delivered is
 * still reported, or honest senders would hear nothing; but none of its words go with the report, and it
 * cannot ask for reports of mail that arrives. The access map lets 127.0.0.2 relay.
 */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startPostern, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const VICTIM = 'victim@example.net'
const STRANGER = '127.0.0.1'
const KNOWN = '127.0.0.2'

let postern: Postern
let sink: Sink

before(async () => {
  sink = await startSink({ answer: ({ at, text }) => (at === 'rcpt' && text.includes('gone@') ? '550 5.1.1 no such user' : null) })
  postern = await startPostern({ smarthost: sink.port, access: [`Connect:${KNOWN} RELAY`] })
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

const ASKS = [
  { mail: 'RET=FULL', to: 'gone', rcpt: '', reported: 'failed', why: 'a refused recipient' },
  { mail: 'RET=FULL BY=1000;R', to: 'here', rcpt: ' NOTIFY=FAILURE', reported: 'failed', why: 'a time that the next hop knows nothing of' },
  { mail: 'BY=1000;N', to: 'here', rcpt: '', reported: null, why: 'the same, to be told of it' },
  { mail: 'BY=1000;NT', to: 'here', rcpt: '', reported: null, why: 'a trace' },
  { mail: 'RET=FULL', to: 'here', rcpt: ' NOTIFY=SUCCESS', reported: null, why: 'success' },
] as const

for (const [index, { mail, to, rcpt, reported, why }] of ASKS.entries()) {
  test(`S21: a stranger, and reports of ${why}`, async () => {
    const stranger = await send(STRANGER, `stranger-${index}`, mail, to, rcpt)
    assert.equal(stranger.length, reported === null ? 0 : 1, stranger.join('\n'))
    for (const report of stranger) {
      assert.match(report, new RegExp(`^Action: ${reported}`, 'm'))
      assert.match(report, /^Content-Type: text\/rfc822-headers/m)
      assert.doesNotMatch(report, /words for the victim/)
    }
    const known = await send(KNOWN, `known-${index}`, mail, to, rcpt)
    assert.equal(known.length, 1, 'one who may relay is told')
    if (mail.startsWith('RET=FULL') && reported !== null) assert.match(known.join(''), /words for the victim/)
  })
}

/** The reports that came of a message, once it has left the queue. */
async function send(from: string, subject: string, mail: string, to: string, rcpt: string): Promise<readonly string[]> {
  const client = await SmtpClient.connect(postern.ports.mx, undefined, from)
  await client.greet()
  assert.equal((await client.command(`MAIL FROM:<${VICTIM}> ${mail}`)).code, 250)
  assert.equal((await client.command(`RCPT TO:<${to}@example.test>${rcpt}`)).code, 250)
  assert.equal((await client.command('DATA')).code, 354)
  const queued = await client.command(`Subject: ${subject}\r\n\r\nwords for the victim\r\n.`)
  assert.equal(queued.code, 250)
  await client.quit()
  await waitFor('an empty queue', async () => ((await postern.json(['queue', 'list'])) as readonly unknown[]).length === 0)
  return sink.messages.filter(({ reversePath, text }) => reversePath === '' && text.includes(`Subject: ${subject}\r\n`)).map(({ text }) => text)
}
