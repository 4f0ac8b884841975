/** Limits over several connections, with several workers: they hold over all of them, and through a reload. */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { showing, startPostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'
import { signal, waitFor } from '../support/processes.ts'
import { SmtpClient, withoutId } from '../support/smtp-client.ts'

let postern: Postern
let joe: CertificateFiles

const RATES = { 'connection-rate': 'unlimited', 'error-rate': 'unlimited', 'message-rate': '3/1d' }

before(async () => {
  postern = await startPostern({
    smarthost: 1,
    settings: {
      queue: { workers: 3 },
      limits: { exempt: [], 'connections-per-address': 4, 'connections-per-network': 10_000, address: RATES, network: RATES },
    },
  })
  joe = await postern.issue('joe', '--email', 'joe@example.test')
})

after(() => postern?.dispose())

test('S18: connections from one address are limited over all workers', async () => {
  const open = await Promise.all([1, 2, 3, 4].map(() => SmtpClient.connect(postern.ports.mx, undefined, '127.0.9.1')))
  for (const client of open) assert.equal((await client.reply()).code, 220)
  const refused = await waitFor('every worker to know of all four', async () => {
    const more = await Promise.all(Array.from({ length: 8 }, () => SmtpClient.connect(postern.ports.mx, undefined, '127.0.9.1')))
    const greetings = await Promise.all(more.map(client => client.reply()))
    for (const client of more) client.destroy()
    return greetings.every(({ code }) => code === 421) && greetings[0]
  })
  assert.deepEqual(withoutId(refused), { code: 421, text: '4.7.0 relay.example.test Too many connections from your address; try again later' })
  const other = await SmtpClient.connect(postern.ports.mx, undefined, '127.0.10.1')
  assert.equal((await other.greet()).code, 250)
  for (const client of [...open, other]) client.destroy()
  const isTold = (): boolean => postern.log().some(line => line['event'] === 'turned-away' && line['why'] === 'limits.connections-per-address = 4')
  await waitFor('a line of the log', isTold)
})

test('S18: messages of one address are limited over all workers, and a reload forgets nothing', async () => {
  assert.equal((await mail('127.0.11.1')).code, 250)
  const refused = await waitFor('a message to be put off', async () => {
    const reply = await mail('127.0.11.1')
    return reply.code === 250 ? false : reply
  })
  assert.deepEqual(withoutId(refused), { code: 450, text: '4.7.1 Too many messages from your address; try again later' })
  await everyWorkerSays(450, '127.0.11.1')

  const file = path.join(postern.folder, 'postern.toml')
  writeFileSync(file, `${readFileSync(file, 'utf8').replace('message-rate = "3/1d"', 'message-rate = "2/1d"')}`)
  assert.deepEqual(await postern.json(['reload']), { inForce: true, problems: [], warnings: [], afterRestart: [] })
  await everyWorkerSays(450, '127.0.11.1')
  const isTold = (): boolean => postern.log().some(line => line['event'] === 'over-limit' && line['limit'] === 'limits.address.message-rate = 3/1d')
  await waitFor('a line of the log', isTold)

  const known = await SmtpClient.connect(postern.ports.submissions, showing(postern, joe), '127.0.11.1')
  await known.greet()
  assert.equal((await known.command('MAIL FROM:<joe@example.test>')).code, 250, 'a holder is no stranger')
  known.destroy()
})

test('a worker that crashes leaves no connections behind in the others\' books', async () => {
  const held = await Promise.all([1, 2, 3, 4].map(() => SmtpClient.connect(postern.ports.mx, undefined, '127.0.12.1')))
  for (const client of held) await client.reply()
  const { workers } = (await postern.json(['status'])) as { readonly workers: readonly { readonly pid: number }[] }
  for (const { pid } of workers) signal(pid, 'SIGKILL')
  await waitFor('a connection from the same address', async () => {
    const client = await SmtpClient.connect(postern.ports.mx, undefined, '127.0.12.1').catch(() => null)
    const greeting = await client?.reply()
    client?.destroy()
    return greeting?.code === 220
  })
})

async function mail(from: string): Promise<{ readonly code: number; readonly text: string }> {
  const client = await SmtpClient.connect(postern.ports.mx, undefined, from)
  await client.greet()
  const reply = await client.command('MAIL FROM:<ann@example.net>')
  client.destroy()
  return reply
}

/** Enough connections that all three workers have very likely had one. */
async function everyWorkerSays(code: number, from: string): Promise<void> {
  await waitFor('all workers to agree', async () => {
    const codes = await Promise.all(Array.from({ length: 3 }, async () => (await mail(from)).code))
    return codes.every(said => said === code)
  })
}

test('S18: whoever is turned away over and over does not flood the log, and no refusal goes uncounted', async t => {
  const small = await startPostern({ settings: { queue: { workers: 1 }, limits: { exempt: [], 'connections-per-address': 1 } } })
  t.after(() => small.dispose())
  const holder = await SmtpClient.connect(small.ports.mx, undefined, '127.0.12.1')
  assert.equal((await holder.reply()).code, 220)
  for (let at = 0; at < 30; at++) {
    const client = await SmtpClient.connect(small.ports.mx, undefined, '127.0.12.1')
    assert.equal((await client.reply()).code, 421)
    client.destroy()
  }
  holder.destroy()
  await small.stop()
  const lines = small.log().filter(line => line['event'] === 'turned-away')
  assert.equal(lines.length, 11)
  assert.equal(lines.at(-1)?.['unwritten'], 20)
})
