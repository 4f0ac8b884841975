/** Commands that need a running Postern, against one. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startPostern, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import type { CertificateFiles } from '../support/certificates.ts'

type Entry = { readonly id: string; readonly heldBecause: string | null; readonly recipients: readonly { readonly state: string }[] }

let postern: Postern
let joe: CertificateFiles

before(async () => {
  // Nobody listens on the discard port: what is accepted stays in the queue.
  postern = await startPostern({ smarthost: 9, settings: { queue: { retry: '1h' } } })
  joe = await postern.issue('joe', '--email', 'joe@example.test')
})
after(() => postern.dispose())

/** Sends with `postern probe`, which then says what the server answered. */
async function send(to: string): Promise<string> {
  const transaction = ['--from', 'joe@example.test', '--to', to, '--send', '--json']
  const sent = await postern.command(['probe', `localhost:${postern.ports.submission}`, '--cert', joe.certificate, '--key', joe.key, ...transaction])
  assert.equal(sent.code, 0, sent.stdout + sent.stderr)
  const report = JSON.parse(sent.stdout) as { readonly sent: { readonly lines: readonly string[] } }
  return /[0-9a-z]{10,}/.exec(report.sent.lines.join(' '))?.[0] ?? ''
}

async function queue(...filters: readonly string[]): Promise<readonly Entry[]> {
  return (await postern.json(['queue', 'list', ...filters])) as readonly Entry[]
}

test('probe says what the server does, and that the certificate is accepted', async () => {
  const probed = await postern.command(['probe', `localhost:${postern.ports.submissions}`, '--implicit-tls', '--cert', joe.certificate, '--key', joe.key])
  assert.equal(probed.code, 0, probed.stderr)
  assert.match(probed.stdout, /server +trusted/)
  assert.match(probed.stdout, /certificate +accepted: AUTH EXTERNAL is offered/)
})

test('messages are listed in the shape that scripts rely on, held, released and deleted', async () => {
  const id = await send('ann@example.net')
  await send('bob@example.com')
  const attempted = async (): Promise<boolean> => (await postern.command(['queue', 'list'])).stdout.includes('next attempt in')
  await waitFor('the first attempts to fail', attempted)

  const [entry] = await queue('--domain', 'example.net')
  assert.ok(entry)
  assert.deepEqual(Object.keys(entry).sort(), ['heldBecause', 'id', 'receivedAt', 'recipients', 'sender', 'size'])
  assert.equal(entry.id, id)
  assert.deepEqual(Object.keys(entry.recipients[0] ?? {}).sort(), ['address', 'attempts', 'lastReply', 'nextAttemptAt', 'state'])

  assert.equal((await postern.command(['queue', 'release', id])).stdout, `No message was changed.\nNot held: ${id}\n`)
  assert.equal((await postern.command(['queue', 'hold', id])).stdout, '1 message held.\n')
  for (const command of ['hold', 'retry']) assert.equal((await postern.command(['queue', command, id])).stdout, `No message was changed.\nNot waiting: ${id}\n`)
  assert.deepEqual((await queue('--state', 'held')).map(({ id }) => id), [id])
  assert.match((await postern.command(['queue', 'show', id])).stdout, /held by an administrator[^]*  Received: from .*\n  \t[^]*Subject: A message from postern probe/)
  assert.equal((await postern.command(['queue', 'release', id])).stdout, '1 message released.\n')
  const asked = await postern.command(['queue', 'delete', '--all'])
  assert.deepEqual([asked.code, (await queue()).length], [2, 2], 'nothing is deleted while nobody has agreed')
  await waitFor('nothing to be under way', async () => (await queue()).every(({ recipients }) => recipients.every(({ state }) => state === 'waiting')))
  assert.equal((await postern.command(['queue', 'delete', '--all', '--yes'])).stdout, '2 messages deleted.\n')
  assert.deepEqual(await queue(), [])
  const gone = await postern.command(['queue', 'hold', id])
  assert.deepEqual([gone.code, gone.stderr], [1, `postern: no message ${id} is in the queue; "postern queue list" shows those that are\n`])
  assert.match((await postern.command(['trace', id])).stdout, /accepted +ann@example\.net[^]*cancelled/)
})

test('a flush that fails leaves the time of the next attempt as it was', async () => {
  const id = await send('dora@example.net')
  const tries = (): number => postern.log().filter(line => line['event'] === 'deferred' && line['message'] === id).length
  const next = async (): Promise<unknown> => (await queue()).find(entry => entry.id === id)?.recipients
  await waitFor('the first attempt to fail', () => tries() === 1, { told: () => postern.output() })
  const planned = await waitFor('the next to be planned', async () => (JSON.stringify(await next()).includes('"waiting"') ? next() : null))
  for (const [at, command] of [['queue', 'flush'], ['queue', 'retry', id]].entries()) {
    assert.equal((await postern.command(command)).stdout, '1 message due now.\n')
    await waitFor('the attempt', () => tries() === at + 2, { told: () => postern.output() })
    await waitFor('it to be written down', async () => JSON.stringify(await next()).includes('"waiting"'))
    assert.deepEqual(await next(), planned)
  }
  await postern.command(['queue', 'delete', id, '--yes'])
})

test('a refusal is explained by its id', async () => {
  const refused = await postern.command(['probe', `localhost:${postern.ports.mx}`, '--from', 'eve@example.com', '--to', 'ann@example.net', '--json'])
  const report = JSON.parse(refused.stdout) as { readonly rcpt: { readonly code: number; readonly lines: readonly string[] } }
  assert.equal(report.rcpt.code, 550)
  const id = /\(id (\S+)\)/.exec(report.rcpt.lines.join(' '))?.[1] ?? ''
  const explained = (await postern.json(['explain', id])) as { readonly id: string; readonly verdict: string; readonly reply: { readonly code: number } }
  assert.deepEqual([explained.id, explained.verdict, explained.reply.code], [id, 'refuse', 550])
  const unknown = await postern.command(['explain', 'nosuchid'])
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /no decision nosuchid is remembered/)
})

test('revoking holds what was accepted under the certificate', async () => {
  const id = await send('late@example.net')
  await waitFor('the first attempt to fail', async () => (await queue()).every(({ recipients }) => recipients.every(({ state }) => state === 'waiting')))
  assert.match((await postern.command(['user', 'revoke', 'joe'])).stdout, /^Revoked 1 certificate of joe:\n  [0-9a-f]{64}\n1 message of joe in the queue is held: postern queue list --state held\n$/)
  const held = await waitFor('the message to be held', async () => (await queue('--state', 'held')).find(entry => entry.id === id))
  assert.match(held.heldBecause ?? '', /certificate of joe was revoked/)
  assert.equal((await postern.command(['user', 'remove', 'joe', '--yes'])).stdout, 'Removed joe; 0 certificates revoked.\n1 message of joe in the queue is held: postern queue list --state held\n')
})

test("the relay's own certificate is revoked only on demand, is then shown as such, and can be made anew", async () => {
  const isShownRevoked = async (): Promise<readonly boolean[]> => [
    /^client .* revoked$/m.test((await postern.command(['status'])).stdout),
    /tls\/client\.pem: was revoked on .*; postern ca issue client/.test((await postern.command(['check'])).stdout),
  ]
  const revoke = ['user', 'revoke', 'relay.example.test']
  const asked = await postern.command(revoke)
  assert.equal(asked.code, 2)
  assert.match(asked.stderr, /relay\.example\.test is this relay: next hops are shown its certificate, \S+tls\/client\.pem\. Revoke it\? .* say --yes/)
  assert.deepEqual(await isShownRevoked(), [false, false])
  const revoked = await postern.command([...revoke, '--yes'])
  assert.match(revoked.stdout, /^Revoked 1 certificate of relay\.example\.test:\n {2}\S+\nMake a new one for this relay: postern ca issue client\n$/)
  assert.deepEqual(await isShownRevoked(), [true, true])
  const issued = await postern.command(['ca', 'issue', 'client'])
  assert.equal(issued.code, 0, issued.stdout + issued.stderr)
  assert.deepEqual(await isShownRevoked(), [false, false])
})

test('reload, status and stop speak to the one that runs', async () => {
  assert.equal((await postern.command(['reload'])).stdout, 'Reloaded.\n')
  const status = (await postern.json(['status'])) as { readonly hostname: string; readonly listeners: readonly { readonly name: string }[] }
  assert.equal(status.hostname, 'relay.example.test')
  assert.deepEqual(status.listeners.map(({ name }) => name), ['mx', 'submission', 'submissions'])
  assert.equal((await postern.command(['stop'])).stdout, 'Stopped.\n')
  assert.equal((await postern.command(['status'])).code, 1)
})
