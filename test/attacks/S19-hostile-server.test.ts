/**
 * S19: a next hop that is broken or means harm. Whatever it does, the process lives, its memory stays
 * bounded, the attempt is reported, and the message waits for another one.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { dialer } from '../../src/io/dialer.ts'
import { smarthost, startRawServer, startRelay } from '../delivery/relay.ts'

type Test = Parameters<typeof startRelay>[0]
type OnLine = Parameters<typeof startRawServer>[1]

/** Delivers one message to a server that does as told; returns what became of it. */
async function deliverTo(t: Test, onLine: OnLine, greeting?: string): Promise<string> {
  const server = await startRawServer(t, onLine, greeting)
  const relay = await startRelay(t, { settings: smarthost(server.port) })
  await relay.submit('m1', 'ann@b')
  const line = (await relay.attempts(1))[0] ?? ''
  await relay.idle()
  assert.deepEqual(relay.troubles, [])
  const isThere = relay.spool.find('m1')?.recipients[0]?.state === 'waiting'
  assert.equal(isThere, !line.includes('delivered'), 'a message is delivered or waits')
  return line
}

const verbs = ['EHLO', 'MAIL', 'RCPT', 'DATA', '.'] as const

/** A server that works until it sees `verb`, and then does its worst. */
function until(verb: string, worst: (socket: net.Socket) => void): OnLine {
  return (line, socket) => {
    if (line.startsWith(verb)) worst(socket)
    else if (verbs.some(known => line.startsWith(known))) socket.write(line === 'DATA' ? '354 go\r\n' : '250 ok\r\n')
  }
}

for (const verb of verbs) {
  test(`S19: the server closes after ${verb}`, async t => {
    assert.match(await deliverTo(t, until(verb, socket => socket.end())), /waiting: connection to .* lost/)
  })
  test(`S19: the server resets the connection after ${verb}`, async t => {
    assert.match(await deliverTo(t, until(verb, socket => socket.resetAndDestroy())), /waiting: connection to .* lost/)
  })
  for (const [what, bytes] of [
    ['bytes that are no UTF-8', '250 \xff\xfe\xc0\x80\r\n\xff\xff\r\n'],
    ['NUL and escape sequences', '4\x0051 \x1b[2J\r\n'],
    ['a line that only LF ends', '250 ok\n250 ok\n'],
    ['two codes in one reply', '250-a\r\n550 b\r\n'],
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ] as const)
    test(`S19: the server answers ${verb} with ${what}`, async t => {
      const line = await deliverTo(t, until(verb, socket => socket.write(Buffer.from(bytes, 'latin1'))))
      assert.doesNotMatch(line, /\p{Cc}/u)
      // Bytes that are no UTF-8 make a reply like any other, as long as its code is one.
      if (verb !== '.' || !what.includes('UTF-8')) assert.match(line, /waiting: /)
    })
}

/** Writes for ever, as fast as it is read, until the connection is gone. */
function flood(bytes: string): (socket: net.Socket) => void {
  return socket => {
    const write = (): void => {
      while (!socket.destroyed && socket.writable) if (!socket.write(bytes)) return void socket.once('drain', write)
    }
    write()
  }
}

test('S19: a greeting without an end', async t => {
  const server = net.createServer(socket => {
    socket.on('error', () => {})
    flood('x'.repeat(64 * 1024))(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  const relay = await startRelay(t, { settings: smarthost((server.address() as net.AddressInfo).port) })
  await relay.submit('m1', 'ann@b')
  assert.match((await relay.attempts(1))[0] ?? '', /waiting: .* does not speak SMTP, in its greeting: a reply line of more than 2048 octets/)
})

test('S19: a reply without a last line', async t => {
  const line = await deliverTo(t, until('EHLO', flood('250-and another thing\r\n'.repeat(1000))))
  assert.match(line, /waiting: .* does not speak SMTP, after EHLO: a reply of more than 128 lines/)
})

test('S19: replies that nobody asked for take up no memory', async t => {
  const server = await startRawServer(t, until('EHLO', flood('250 ok\r\n'.repeat(8192))))
  const channel = await dialer.connect({ address: '127.0.0.1', port: server.port, timeoutSeconds: 5 })
  assert.ok(!('failed' in channel))
  await channel.write('EHLO us\r\n')
  await channel.read()
  // Nobody reads: the socket has to stop, and the server with it.
  const before = process.memoryUsage().arrayBuffers
  await new Promise(resolve => setTimeout(resolve, 300))
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024)
  channel.close()
})

test('S19: silence ends with the deadline, however steadily bytes trickle in', async t => {
  let trickling: NodeJS.Timeout | null = null
  const server = await startRawServer(t, (_, socket) => {
    trickling = setInterval(() => socket.write('2'), 50)
  })
  t.after(() => {
    if (trickling !== null) clearInterval(trickling)
  })
  const channel = await dialer.connect({ address: '127.0.0.1', port: server.port, timeoutSeconds: 5 })
  assert.ok(!('failed' in channel))
  await channel.write('EHLO us\r\n')
  channel.setDeadline(0.2)
  while ((await channel.read()) !== null);
  assert.equal(channel.lostBecause(), 'it was silent for too long')
})

test('S19: a server that reads nothing is given up with the deadline', async t => {
  const server = net.createServer({ pauseOnConnect: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  const channel = await dialer.connect({ address: '127.0.0.1', port: (server.address() as net.AddressInfo).port, timeoutSeconds: 5 })
  assert.ok(!('failed' in channel))
  channel.setDeadline(0.2)
  await channel.write(Buffer.alloc(64 * 1024 * 1024))
  assert.equal(await channel.read(), null)
})

test('S19: a next hop that is not there says so', async () => {
  const nobody = await dialer.connect({ address: 'mx.test', port: 25, timeoutSeconds: 1 })
  assert.deepEqual(nobody, { failed: '"mx.test" is no address' })
})
