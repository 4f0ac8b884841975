/** The authority's process crashes: mail goes on, it comes back, and what it had done by then counts. */

import assert from 'node:assert/strict'
import { cpSync, renameSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import { makePostern, showing, type Postern } from '../support/postern.ts'
import { signal, waitFor } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'

let postern: Postern
let joe: ConnectionOptions

before(async () => {
  postern = await makePostern({ smarthost: 1 })
  joe = showing(postern, await postern.issue('joe', '--email', 'joe@example.test'))
  // What the folder is like when the authority ends after it has revoked and before it has said so.
  cpSync(folder('ca'), folder('ca-before'), { recursive: true })
  assert.equal((await postern.command(['user', 'revoke', 'joe', '--yes'])).code, 0)
  renameSync(folder('ca'), folder('ca-revoked'))
  renameSync(folder('ca-before'), folder('ca'))
  await postern.start()
})

after(() => postern?.dispose())

test('it comes back as soon as it can work again; until then mail is taken, and after that what it had revoked counts', async () => {
  renameSync(folder('ca'), folder('ca-before'))
  signal(authorityPid(), 'SIGKILL')
  await waitFor('two attempts to start it', () => postern.log().filter(({ event }) => event === 'authority-cannot-start').length >= 2)
  assert.equal(await mailFromJoe(), 250)
  renameSync(folder('ca-revoked'), folder('ca'))
  await waitFor('it to be back', async () => (await postern.command(['user', 'list'])).code === 0)
  await waitFor('the revocation to count', async () => (await mailFromJoe()) === 550)
})

async function mailFromJoe(): Promise<number> {
  const client = await SmtpClient.connect(postern.ports.submissions, joe)
  await client.reply()
  await client.command('EHLO laptop.example.test')
  const { code } = await client.command('MAIL FROM:<joe@example.test>')
  client.destroy()
  return code
}

function authorityPid(): number {
  return Number(postern.log().find(({ event }) => event === 'ready')?.['authority'])
}

function folder(name: string): string {
  return path.join(postern.folder, name)
}
