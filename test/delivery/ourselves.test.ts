/** A next hop that is this very server: nothing is handed to it, and nothing is lost. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dns, smarthost, startRawServer, startRelay } from './relay.ts'

type Test = Parameters<typeof startRelay>[0]

/** It takes everything, under the name that the relay of these tests has. */
function namesake(t: Test): ReturnType<typeof startRawServer> {
  return startRawServer(t, (line, socket) => {
    if (line.startsWith('EHLO')) socket.write('250 relay.test\r\n')
    else if (line === 'DATA') socket.write('354 Go on\r\n')
    else if (/^(MAIL|RCPT|\.$|QUIT)/.test(line)) socket.write('250 Fine\r\n')
  })
}

test('mail for a host that has our name on port 25 waits, and nothing of it is said', async t => {
  const server = await namesake(t)
  const relay = await startRelay(t, {
    dns: dns({ b: [[10, 'mx.test']] }, { 'mx.test': ['192.0.2.1'] }),
    network: new Map([['192.0.2.1', server.port]]),
  })
  await relay.submit('m1', 'ann@b')
  assert.match((await relay.attempts(1))[0] ?? '', /^m1 ann@b waiting: mx\.test\[192\.0\.2\.1\]:25 answers with our own name, so that mail would go in circles/)
  assert.ok(!server.lines().some(line => line.startsWith('MAIL')), server.lines().join('\n'))
})

test('on another port it is another program of this host', async t => {
  const server = await namesake(t)
  const relay = await startRelay(t, { settings: smarthost(server.port) })
  await relay.submit('m1', 'ann@b')
  assert.match((await relay.attempts(1))[0] ?? '', /^m1 ann@b delivered: 250 Fine/)
})
