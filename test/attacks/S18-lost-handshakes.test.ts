/**
 * S18: a client that resets its connection before anybody has looked at it.
 *
 * Its address cannot be asked for any more, so that many such connections look the same. Each handshake ends
 * all the same, and gives its place back: one that did not would count until the end of the process.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { USUAL_TERMS } from '../../src/core/policy/session-terms.ts'
import { HandshakeRoom } from '../../src/io/handshake-room.ts'
import { makeGate } from '../support/handshakes.ts'
import { startPostern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'

const MANY = 5

test('S18: handshakes with clients that have reset their connections all end', async t => {
  const room = new HandshakeRoom(100)
  const gate = makeGate([], room, ({ tls }) => ({ kind: 'anonymous', tls }))
  const accepted: Socket[] = []
  const listener = createServer({ pauseOnConnect: true }, socket => void accepted.push(socket)).listen(0, '127.0.0.1')
  t.after(() => listener.close())
  await once(listener, 'listening')
  const clients = Array.from({ length: MANY }, () => connect((listener.address() as AddressInfo).port, '127.0.0.1'))
  await waitFor('all connections', () => accepted.length === MANY)
  for (const client of clients) client.resetAndDestroy()
  await waitFor('the resets to arrive', () => accepted.every(socket => socket.remoteAddress === undefined))

  let ended = 0
  for (const socket of accepted) void gate.handshake(socket, USUAL_TERMS.handshake).then(({ kind }) => kind === 'failed' && ended++)
  await waitFor('every handshake to end', () => ended === MANY, { timeoutSeconds: 10, told: () => `${ended} of ${MANY} ended` })
  assert.equal(room.size, 0)
})

test('S18: nothing is left of connections that were reset at once', async t => {
  const postern = await startPostern()
  t.after(() => postern.dispose())
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 50 }, () => reset(postern.ports.submissions)))
  }
  const sessions = async (): Promise<number> => {
    const { workers } = (await postern.json(['status'])) as { readonly workers: readonly { readonly sessions: number }[] }
    return workers.reduce((sum, worker) => sum + worker.sessions, 0)
  }
  await waitFor('all sessions to be over', async () => (await sessions()) === 0, { timeoutSeconds: 15, told: () => postern.output().slice(-2000) })
})

function reset(port: number): Promise<void> {
  return new Promise(resolve => {
    const client = connect(port, '127.0.0.1', () => client.resetAndDestroy())
    client.on('error', () => {}).on('close', () => resolve())
  })
}
