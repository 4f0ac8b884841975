/** `checks.recipient-callout`: the real program, a real next hop behind it, and strangers in front. */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { showing, startPostern } from '../support/postern.ts'
import type { LogLine, Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
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

test('who has proved an identity, whom a line welcomes, and postmaster cause no callout', async () => {
  answers = { '@example.test': '550 5.1.1 Nobody here' }
  asked = []
  assert.equal(words(await rcpt('one@example.test', '127.0.40.9')), '250 2.1.5 Recipient OK', 'Connect: OK')
  assert.equal(words(await rcpt('Postmaster@example.test')), '250 2.1.5 Recipient OK')
  const joe = await postern.issue('joe', '--email', 'joe@example.test')
  const client = await SmtpClient.connect(postern.ports.mx)
  await client.greet()
  await client.startTls(showing(postern, joe))
  await client.command('EHLO client.example')
  await client.command('MAIL FROM:<joe@example.test>')
  assert.equal((await client.command('RCPT TO:<two@example.test>')).code, 250)
  client.destroy()
  assert.match(await rcpt('ann@elsewhere.example'), /^550 5\.7\.1 Relaying denied/)
  assert.deepEqual(asked, [])
})

test('a refusal that is about us is no word on the recipient: the client comes again', async () => {
  answers = { 'blocked@': '550 5.7.1 You are on a list' }
  assert.equal(words(await rcpt('blocked@example.test')), '450 4.4.0 The recipient cannot be verified now; try again later')
})

test('who requires TLS has no recipient named to a next hop without it', async () => {
  answers = {}
  asked = []
  const client = await SmtpClient.connect(postern.ports.mx)
  await client.greet()
  await client.startTls(showing(postern, null))
  await client.command('EHLO client.example')
  assert.equal((await client.command('MAIL FROM:<joe@example.com> REQUIRETLS')).code, 250)
  assert.equal((await client.command('RCPT TO:<secret@example.test>')).code, 250, 'the bounce says what the next hop lacks')
  client.destroy()
  assert.deepEqual(asked, [])
  assert.equal((await logged('secret@example.test'))['answer'], 'cannotAsk')
})

test('a dry run asks nobody and says so', async () => {
  asked = []
  const { stdout } = await postern.command(['explain', '--client', '192.0.2.7', '--from', 'a@example.com', '--to', 'eve@example.test'])
  assert.match(stdout, /the next hop would be asked whether it has the recipient/)
  assert.match(stdout, /=> accepted \(relayDomain\)/)
  assert.deepEqual(asked, [])
})

test('each callout is in the log and counted', async () => {
  const callout = await logged('eve@example.test')
  assert.deepEqual([callout['answer'], callout['nextHop']], ['no', `127.0.0.1:${hop.port}`])
  const { stdout } = await postern.command(['status', '--metrics'])
  assert.match(stdout, /^postern_callouts_total\{answer="no"\} 1$/m)
})

test('without a next hop nobody knows: 450, but who existed still does; or accepted, if the settings say so', async () => {
  await hop.stop()
  assert.equal(words(await rcpt('new@example.test')), '450 4.4.0 The recipient cannot be verified now; try again later')
  assert.equal(words(await rcpt('ann@example.test')), '250 2.1.5 Recipient OK')
  const settings = path.join(postern.folder, 'postern.toml')
  writeFileSync(settings, readFileSync(settings, 'utf8').replace(/^\[checks\]$/m, '[checks]\nrecipient-callout-unknown = "accept"'))
  assert.deepEqual(await postern.json(['reload']), { inForce: true, problems: [], warnings: [], afterRestart: [] })
  assert.equal(words(await rcpt('new@example.test')), '250 2.1.5 Recipient OK')
})

/** The line that says how a callout ended; lines are written in batches. */
async function logged(recipient: string): Promise<LogLine> {
  return waitFor(`a callout for ${recipient}`, () => postern.log().find(line => line['event'] === 'callout' && line['to'] === recipient), { told: postern.output })
}

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
