/**
 * Mail of somebody whose certificate or password has been taken away: wherever it is by then, waiting for a
 * connection, being tried, or in the queue of a Postern that does not run, it stays until an administrator
 * lets it go.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { showing, startPostern, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { authPlain, connectToLogIn } from '../support/sasl-client.ts'
import { startSink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

type Queued = { readonly from: string; readonly heldBecause: string | null }

for (const answer of [null, '451 4.3.0 later'] as const) {
  test(`mail that waits for a connection, and mail that is being tried: ${answer ?? 'it arrives'}`, async t => {
    let open = (): void => {}
    const opened = new Promise<void>(resolve => (open = resolve))
    let tried = 0
    const { postern, sink } = await start(t, async () => {
      tried++
      await opened
      return answer
    })
    await sendByCertificate(postern, 5)
    await waitFor('an attempt', () => tried === 1)
    await postern.json(['user', 'revoke', 'joe'])
    await waitFor('what is not being tried to be held', async () => (await held(postern)).length === 4)
    open()
    await waitFor('the last one to be through', async () => (await held(postern)).length === (answer === null ? 4 : 5))
    assert.equal(sink.messages.length, answer === null ? 1 : 0)
    assert.equal((await queue(postern)).length, answer === null ? 4 : 5)
    if (answer === null) await letGo(postern, 4, () => sink.messages.length === 5)
  })
}

test('mail in the queue of a Postern that does not run', async t => {
  let later = true
  const { postern, sink } = await start(t, () => (later ? '451 4.3.0 later' : null))
  const { password } = (await postern.json(['user', 'passwd', 'ann', '--device', 'phone'])) as { readonly password: string }
  await sendByCertificate(postern, 1)
  const client = await connectToLogIn(postern)
  assert.equal((await authPlain(client, 'ann', password)).code, 235)
  assert.equal((await client.deliver({ from: 'ann@example.test', to: 'a@example.net', text: 'Subject: by password\r\n\r\n' })).code, 250)
  await client.quit()
  await postern.stop()
  await postern.json(['user', 'revoke', 'joe'])
  await postern.json(['user', 'passwd', 'ann', '--device', 'phone', '--remove'])
  later = false
  await postern.start()
  await postern.command(['queue', 'retry', '--all'])
  await waitFor('both to be held', async () => (await held(postern)).length === 2)
  assert.deepEqual((await held(postern)).map(({ heldBecause }) => heldBecause).toSorted(), [
    'the certificate of joe was revoked after this message was accepted',
    'the password of ann was taken away after this message was accepted',
  ])
  assert.equal(sink.messages.length, 0)
  await letGo(postern, 2, () => sink.messages.length === 2)
})

async function start(t: TestContext, atMail: () => Promise<string | null> | string | null) {
  const sink = await startSink({ answer: ({ at }) => (at === 'mail' ? atMail() : null) })
  t.after(() => sink.stop())
  const postern = await startPostern({ smarthost: sink.port, settings: { delivery: { concurrency: 1 }, queue: { workers: 1 } } })
  t.after(() => postern.dispose())
  await postern.issue('ann', '--email', 'ann@example.test')
  return { postern, sink }
}

async function sendByCertificate(postern: Postern, count: number): Promise<void> {
  const joe = await postern.issue('joe', '--email', 'joe@example.test')
  const client = await SmtpClient.connect(postern.ports.submissions, showing(postern, joe))
  await client.greet()
  for (let at = 0; at < count; at++) {
    assert.equal((await client.deliver({ from: 'joe@example.test', to: 'a@example.net', text: `Subject: ${at}\r\n\r\n` })).code, 250)
  }
  await client.quit()
}

/** An administrator's word is the last: what was let go is not held again for the same. */
async function letGo(postern: Postern, count: number, isThere: () => boolean): Promise<void> {
  assert.equal((await held(postern)).length, count)
  await postern.command(['queue', 'release', '--all'])
  await waitFor('what was released', isThere)
}

async function queue(postern: Postern): Promise<readonly Queued[]> {
  return (await postern.json(['queue', 'list'])) as readonly Queued[]
}

async function held(postern: Postern): Promise<readonly Queued[]> {
  return (await queue(postern)).filter(({ heldBecause }) => heldBecause !== null)
}
