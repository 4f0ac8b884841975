/**
 * Some clients end their half of the connection as soon as they have sent QUIT, while the message before
 * it is still being stored. They listen for the reply, and must hear it: without it they send again.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { showing, startPostern, type Postern } from '../support/postern.ts'
import { startSink, type Sink } from '../support/sink.ts'

let sink: Sink
let postern: Postern

before(async () => {
  sink = await startSink()
  postern = await startPostern({ smarthost: sink.port })
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

/** All that the server said, from the greeting to its own end. */
async function hear(socket: Socket): Promise<string> {
  let heard = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text
    if (!heard.startsWith('220 ') || socket.writableEnded) return
    socket.end('HELO client.example.test\r\nMAIL FROM:<joe@example.test>\r\nRCPT TO:<ann@example.test>\r\nBDAT 14 LAST\r\nSubject: a\r\n\r\nQUIT\r\n')
  })
  await once(socket, 'close')
  return heard
}

function codes(heard: string): readonly string[] {
  return heard.trimEnd().split('\r\n').map(line => line.slice(0, 3))
}

test('a client that has ended its half hears that its message is queued', async () => {
  const heard = await hear(connect(postern.ports.mx, '127.0.0.1'))
  assert.deepEqual(codes(heard), ['220', '250', '250', '250', '250', '221'])
})

test('over TLS, too', async () => {
  const joe = await postern.issue('joe', '--email', 'joe@example.test')
  const socket = connectTls({ port: postern.ports.submissions, host: '127.0.0.1', servername: 'localhost', ...showing(postern, joe) })
  assert.deepEqual(codes(await hear(socket)), ['220', '250', '250', '250', '250', '221'])
})
