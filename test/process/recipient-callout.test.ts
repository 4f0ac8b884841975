/** `checks.recipient-callout`: the real program, a real next hop behind it, and strangers in front. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startPostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'
import { startSink, type Sink, type SinkStep } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

let hop: Sink
let postern: Postern
/** What the next hop was told to do with a command; the usual is to take it. */
let answers: Readonly<Record<string, string | 'hang up'>> = {}
let asked: string[] = []

before(async () => {
  hop = await startSink({
    answer: ({ at, text }: SinkStep) => {
      if (at === 'mail' || at === 'rcpt') asked.push(text)
      return Object.entries(answers).find(([part]) => text.includes(part))?.[1] ?? null
    },
  })
  postern = await startPostern({ smarthost: hop.port, settings: { queue: { workers: 1 }, checks: { 'recipient-callout': true } }, access: ['Connect:127.0.40.9\tOK'] })
})

after(async () => {
  await postern?.dispose()
  await hop?.stop()
})

test('a recipient that the next hop does not have is refused at RCPT, and explain says what the next hop said', async () => {
  answers = { 'eve@': '550 5.1.1 No such mailbox' }
  asked = []
  assert.deepEqual([words(await rcpt('ann@example.test')), words(await rcpt('eve@example.test'))], ['250 2.1.5 Recipient OK', '550 5.1.1 User unknown'])
  assert.deepEqual(asked.map(line => line.replace(/ BODY=.*/, '')), ['MAIL FROM:<>', 'RCPT TO:<ann@example.test>', 'MAIL FROM:<>', 'RCPT TO:<eve@example.test>'])

  const [, id = ''] = /\(id (\S+)\)/.exec(await rcpt('eve@example.test')) ?? []
  const { stdout } = await postern.command(['explain', id])
  assert.match(stdout, /550 5\.1\.1 No such mailbox \(\[127\.0\.0\.1\]:\d+, after RCPT\), \d+ seconds ago\n/)
  assert.match(stdout, /=> refused \(unknownAtNextHop\)\n/)
  assert.equal(asked.length, 4, 'what it said is remembered')
})

async function rcpt(to: string, from = '127.0.40.1', sender = 'joe@example.com'): Promise<string> {
  const client = await SmtpClient.connect(postern.ports.mx, undefined, from)
  await client.greet()
  await client.command(`MAIL FROM:<${sender}>`)
  const { code, text } = await client.command(`RCPT TO:<${to}>`)
  client.destroy()
  return `${code} ${text}`
}

function words(reply: string): string {
  return reply.replace(/ \(id .*/, '')
}
