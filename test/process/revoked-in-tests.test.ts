/** A [[test]] case about somebody who has been revoked: a problem to be told of, and no way round the revocation. */

import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { showing, startPostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const CASES = `
[[test]]
as = "joe"
from = "joe@example.test"
to = "ann@example.net"
expect = "relay"

[[test]]
as = "ann"
from = "ann@example.test"
to = "bob@example.net"
expect = "relay"
`
const REVOKED = /joe from <joe@example\.test> to <ann@example\.net>: expected relay, and the policy says refuse .*; joe's certificate was revoked on \S+: change the case, or take it out/
const UNKNOWN = /nobody named "joe" holds a certificate/

let postern: Postern
let people: Record<'joe' | 'ann' | 'may', CertificateFiles>

before(async () => {
  postern = await startPostern()
  const issue = (name: string): Promise<CertificateFiles> => postern.issue(name, '--email', `${name}@example.test`)
  people = { joe: await issue('joe'), ann: await issue('ann'), may: await issue('may') }
  appendFileSync(path.join(postern.folder, 'postern.toml'), CASES)
  assert.deepEqual(await postern.json(['reload']), { inForce: true, problems: [], warnings: [], afterRestart: [] })
  assert.equal(await relays('joe'), 250)
})

after(() => postern?.dispose())

test('revoke: the next connection is refused, and `check` says that the case fails', async () => {
  await postern.json(['user', 'revoke', 'joe'])
  assert.equal(await relays('joe'), 550)
  const checked = await postern.command(['check'])
  assert.equal(checked.code, 1)
  assert.match(checked.stdout, REVOKED)
})

test('a reload that takes something from another is taken, and says that the case fails', async () => {
  const access = path.join(postern.folder, 'access')
  const usual = readFileSync(access, 'utf8')
  writeFileSync(access, `USER:may\tREJECT\n${usual}`)
  await reloadSays(REVOKED)
  assert.equal(await relays('may'), 550)
  writeFileSync(access, usual)
  await reloadSays(REVOKED)
  assert.equal(await relays('may'), 250)
})

test('a reload that another case keeps out undoes no revocation', async () => {
  const access = path.join(postern.folder, 'access')
  const usual = readFileSync(access, 'utf8')
  writeFileSync(access, `USER:ann\tREJECT\n${usual}`)
  await reloadSays(/ann from <ann@example\.test>/)
  assert.equal(await relays('ann'), 250, 'the old map stays')
  assert.equal(await relays('joe'), 550)
  writeFileSync(access, usual)
})

for (const { done, command, says } of [
  { done: 'revoked', command: null, says: REVOKED },
  { done: 'off the list', command: ['user', 'remove', 'joe', '--yes'], says: UNKNOWN },
]) {
  test(`with a case about somebody ${done} the relay starts, and its log says so`, async () => {
    if (command !== null) await postern.json(command)
    await postern.stop()
    await postern.start()
    const failed = postern.log().filter(line => line['event'] === 'failed-test')
    assert.equal(failed.length, 1)
    assert.match(String(failed[0]?.['problem']), says)
    assert.equal(failed[0]?.['level'], 'error')
    assert.equal(await relays('joe'), 550)
    assert.equal(await relays('ann'), 250)
  })
}

async function reloadSays(problem: RegExp): Promise<void> {
  const reloaded = await postern.command(['reload'])
  assert.equal(reloaded.code, 1)
  assert.match(`${reloaded.stdout}${reloaded.stderr}`, problem)
}

/** MAIL and RCPT to somebody elsewhere over a connection of their own: the first refusal, or 250. */
async function relays(name: keyof typeof people): Promise<number> {
  const session = await SmtpClient.connect(postern.ports.submission)
  await session.greet()
  await session.startTls(showing(postern, people[name]))
  await session.command('EHLO laptop.example.test')
  const sender = await session.command(`MAIL FROM:<${name}@example.test>`)
  const { code } = sender.code === 250 ? await session.command('RCPT TO:<someone@example.net>') : sender
  await session.quit()
  return code
}
