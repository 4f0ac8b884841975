/** ETRN (RFC 1985): what waits in the shards of all workers is tried at once, for the domain's holder. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { showing, startPostern, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

let branch: Sink
let postern: Postern
let holder: Awaited<ReturnType<Postern['issue']>>
let isThere = false

before(async () => {
  branch = await startSink({ answer: ({ at }) => (at === 'rcpt' && !isThere ? '451 4.3.0 Come back when I ask' : null) })
  postern = await startPostern({
    smarthost: branch.port,
    settings: {
      relay: { domains: ['example.test', 'branch.example.test', 'north.depot.example.test'] },
      queue: { workers: 2, retry: '1h' },
      etrn: [
        { domain: 'branch.example.test', for: ['branch1'] },
        { domain: 'depot.example.test', for: ['branch1'] },
        { domain: '.depot.example.test', for: ['branch1'] },
      ],
    },
  })
  holder = await postern.issue('branch1', '--machine')
})

after(async () => {
  await postern?.dispose()
  await branch?.stop()
})

/** One connection for each message, so that both workers have some. */
async function queue(to: string, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const client = await SmtpClient.connect(postern.ports.mx)
    await client.greet()
    const queued = await client.deliver({ from: 'ann@example.com', to, text: `Subject: for ${to}\r\n\r\nHello.\r\n` })
    assert.equal(queued.code, 250, queued.text)
    await client.quit()
  }
}

test('the holder wakes its own domains, at every worker', async () => {
  await queue('joe@branch.example.test', 8)
  await queue('jim@north.depot.example.test', 1)
  await queue('joe@example.test', 1)
  await waitFor('all to be put off', () => postern.log().filter(line => line['event'] === 'deferred').length === 10)
  isThere = true

  const client = await SmtpClient.connect(postern.ports.mx)
  await client.greet()
  await client.startTls(showing(postern, holder))
  assert.match((await client.command('EHLO branch.example.test')).text, /^ETRN$/m)
  assert.equal((await client.command('ETRN example.test')).code, 459)
  const woken = await client.command('ETRN branch.example.test')
  assert.deepEqual([woken.code, /OK, 8 pending/.test(woken.text)], [253, true], woken.text)
  await waitFor('the eight to arrive', () => branch.messages.length === 8)
  assert.match((await client.command('ETRN @depot.example.test')).text, /OK, 1 pending/)
  await branch.messageWith('for jim@north.depot.example.test')
  assert.equal((await client.command('ETRN branch.example.test')).code, 251)
  await client.quit()
  assert.equal(branch.messages.length, 9, 'what waits for others goes on waiting')
})

test('what its sender wants kept for later goes on waiting, for ETRN and for flush', async () => {
  const client = await SmtpClient.connect(postern.ports.submissions, showing(postern, holder))
  await client.greet()
  assert.equal((await client.command('MAIL FROM:<joe@branch.example.test> HOLDFOR=3600')).code, 250)
  assert.equal((await client.command('RCPT TO:<later@branch.example.test>')).code, 250)
  await client.command('DATA')
  const queued = await client.command('Subject: for later\r\n\r\nHello.\r\n.')
  const id = /Queued as (\S+)/.exec(queued.text)?.[1]
  assert.ok(id, queued.text)

  assert.equal((await client.command('ETRN branch.example.test')).code, 251)
  assert.match((await postern.command(['queue', 'flush'])).stdout, /^1 message due now/, 'that for joe@example.test')
  assert.match((await postern.command(['queue', 'show', id])).stdout, /next attempt in (1 h|59 min|60 min)/)

  assert.match((await postern.command(['queue', 'retry', id])).stdout, /^1 message due now/)
  await branch.messageWith('for later')
  await client.quit()
})

test('to others it is not offered, and they learn nothing', async () => {
  const other = await postern.issue('branch2', '--machine')
  const client = await SmtpClient.connect(postern.ports.submissions, showing(postern, other))
  const hello = await client.greet()
  assert.doesNotMatch(hello.text, /ETRN/)
  for (const domain of ['branch.example.test', 'example.test', 'nowhere.example']) assert.equal((await client.command(`ETRN ${domain}`)).code, 459)
  client.destroy()
})
