/**
 * S26: the way in for administrators.
 *
 * It is a socket in a folder that only the owner may enter (S24), so there is no login to attack. What is left:
 * whatever is said there is checked before anything acts on it, and whatever an administrator changes
 * is written down, by whom it may concern: the log, and the authority's own audit log.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startPostern, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'

let postern: Postern

before(async () => {
  // Nobody listens at the next hop: what is accepted waits.
  postern = await startPostern({ smarthost: 1, access: ['Connect:127.0.0.1 RELAY'] })
})

after(async () => {
  await postern?.dispose()
})

const NONSENSE: readonly (readonly [what: string, request: string])[] = [
  ['nothing', ''],
  ['no JSON', 'GET / HTTP/1.1'],
  ['no object', '7'],
  ['an unknown request', '{"do":"sell"}'],
  ['a request with a field too many', '{"do":"stop","now":true,"really":1}'],
  ['another type of field', '{"do":"queueShow","id":{"toString":"x"}}'],
  ['a change that is none', '{"do":"queueChange","change":"burn","filter":{}}'],
  ['a filter for a field that is none', '{"do":"queueChange","change":"delete","filter":{"__proto__":{"id":"x"},"all":true}}'],
  ['a name that is a path', '{"do":"authority","request":{"do":"revoke","name":"../../etc/passwd"}}'],
  ['an act that only the authority knows', '{"do":"authority","request":{"do":"exportKey"}}'],
]

for (const [what, request] of NONSENSE) {
  test(`S26: ${what} is answered with a problem, and changes nothing`, async () => {
    const answer = JSON.parse(await said(`${request}\n`)) as { readonly ok: boolean; readonly problem?: string }
    assert.equal(answer.ok, false)
    assert.ok(typeof answer.problem === 'string' && answer.problem !== '')
    assert.equal((await postern.command(['status'])).code, 0)
  })
}

test('S26: a request without an end is cut off', async () => {
  assert.equal(await said('x'.repeat(2 * 1024 * 1024)), '')
  assert.equal((await postern.command(['status'])).code, 0)
})

test('S26: what an administrator does with the queue is in the log', async () => {
  const client = await SmtpClient.connect(postern.ports.mx)
  await client.greet()
  const accepted = await client.deliver({ from: 'joe@example.test', to: 'ann@example.net', text: 'Subject: to be deleted\r\n\r\n' })
  assert.equal(accepted.code, 250, accepted.text)
  await client.quit()
  const id = /Queued as (\S+)/.exec(accepted.text)?.[1] ?? ''
  await waitFor('the first attempt to end', () => postern.log().some(line => line['event'] === 'deferred'))
  const deleted = await postern.command(['queue', 'delete', id, '--yes'])
  assert.equal(deleted.code, 0, deleted.stderr)
  const line = await waitFor('the line', () => postern.log().find(({ event, did }) => event === 'administration' && did === 'queueChange'))
  assert.deepEqual([line['change'], line['changed']], ['delete', [id]])
})

test('S26: what the authority does is in its audit log before it is done', async () => {
  await postern.issue('eve', '--email', 'eve@example.test')
  await postern.command(['user', 'revoke', 'eve'])
  const acts = readFileSync(join(postern.folder, 'ca', 'audit.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { readonly by: string; readonly act: string; readonly name: string })
    .filter(({ name }) => name === 'eve')
  assert.equal(acts.length, 2)
  assert.ok(acts.every(({ by }) => by !== ''))
})

/** Sends octets to the control socket, and returns all that it answers. */
async function said(octets: string): Promise<string> {
  const socket = connect(join(postern.folder, 'control.sock'))
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text))
  socket.on('error', () => {})
  socket.write(octets)
  await new Promise(resolve => socket.once('close', resolve))
  return answer
}
