/**
 * S2, on the way back: a next hop that says more than it was asked. Its stray reply must not be taken for
 * the one to a command of the next message: that message would count as delivered, or be returned, for what
 * was said about another.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smarthost, startRawServer, startRelay } from '../delivery/relay.ts'

type Stray = 'with the reply' | 'a moment later' | 'with the reply to EHLO'

for (const stray of ['with the reply', 'a moment later', 'with the reply to EHLO'] as const satisfies readonly Stray[]) {
  for (const chunking of [false, true]) {
    test(`S2: a second reply to a message, ${stray}, ${chunking ? 'and the next by BDAT' : 'and the next by DATA'}`, async t => {
      let [messages, hellos] = [0, 0]
      let octetsLeft = 0
      const server = await startRawServer(t, (line, socket) => {
        if (octetsLeft > 0) {
          octetsLeft -= line.length + 2
          if (octetsLeft <= 0) socket.write('554 5.7.1 no\r\n')
          return
        }
        const [, size] = /^BDAT (\d+) LAST$/.exec(line) ?? []
        if (size !== undefined) octetsLeft = Number(size)
        else if (line.startsWith('EHLO')) socket.write(`250-mx.test\r\n250-PIPELINING\r\n250 ${chunking ? 'CHUNKING' : 'HELP'}\r\n${stray === 'with the reply to EHLO' && ++hellos === 2 ? '250 stray\r\n' : ''}`)
        else if (line.startsWith('RCPT TO:<gone')) socket.write('550 5.1.1 no such user\r\n')
        else if (line === 'DATA') socket.write('354 go\r\n')
        else if (line === '.') {
          const reply = messages++ === 0 ? '250 2.0.0 for one\r\n' : '554 5.7.1 no\r\n'
          socket.write(messages === 1 && stray === 'with the reply' ? `${reply}250 2.0.0 for two\r\n` : reply)
          if (messages === 1 && stray === 'a moment later') setImmediate(() => socket.write('250 2.0.0 for two\r\n'))
        } else if (/^(?:MAIL|RCPT|QUIT)/.test(line)) socket.write('250 ok\r\n')
      })
      const relay = await startRelay(t, { settings: smarthost(server.port) })
      await relay.submit('m1', ['one@b', 'two@b'])
      await relay.idle()
      await relay.submit('m2', ['good@b', 'gone@b'], {}, `Subject: second\r\n\r\n${'x'.repeat(70).concat('\r\n').repeat(chunking ? 1000 : 1)}`)
      assert.deepEqual((await relay.attempts(4)).slice(2).map(text => text.replace(/ \(.*/, '')), [
        'm2 good@b failed: 554 5.7.1 no',
        'm2 gone@b failed: 550 5.1.1 no such user',
      ])
    })
  }
}
