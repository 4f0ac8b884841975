/**
 * S4: what somebody on the path adds in the clear behind the server's reply to STARTTLS is never read
 * as if it had come through TLS.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { breakingServer, smarthost, startRelay } from '../delivery/relay.ts'

test('S4: bytes behind the reply to STARTTLS end the attempt, whatever the terms', async t => {
  for (const tls of ['opportunistic', 'encrypt', 'verify'] as const) {
    const server = await breakingServer(t, '220 go\r\n250-mx.test\r\n250 AUTH PLAIN\r\n')
    const relay = await startRelay(t, { settings: smarthost(server.port, { tls }) })
    await relay.submit('m1', 'ann@b')
    const line = (await relay.attempts(1))[0] ?? ''
    assert.match(line, /waiting: no TLS with .*: there were bytes in the clear where the handshake had to begin/)
    assert.equal(server.taken(), 0)
    assert.equal(server.lines().some(line => line.startsWith('MAIL')), false)
  }
})
