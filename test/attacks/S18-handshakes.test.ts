/** S18: TLS handshakes that are begun and not ended, and a process that is too busy. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EventLoopLag } from '../../src/io/event-loop-lag.ts'
import { HandshakeRoom } from '../../src/io/handshake-room.ts'
import { showing, startPostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { SmtpClient, withoutId } from '../support/smtp-client.ts'

let postern: Postern

before(async () => {
  const limits = { handshakes: 3, 'handshake-timeout': '1s', exempt: [], address: { 'error-rate': '8/1d' } }
  postern = await startPostern({ smarthost: 1, settings: { queue: { workers: 1 }, limits } })
})

after(() => postern?.dispose())

test('S18: the handshake that has taken longest gives way when there are too many', () => {
  const room = new HandshakeRoom(2)
  const cut: string[] = []
  const enter = (name: string): (() => void) => room.enter(() => cut.push(name))
  const leaveFirst = enter('first')
  enter('second')
  leaveFirst()
  enter('third')
  assert.deepEqual(cut, [])
  enter('fourth')
  enter('fifth')
  assert.deepEqual(cut, ['second', 'third'])
  assert.equal(room.size, 2)
})

test('S18: clients that only begin a handshake keep nobody else out', async () => {
  const stalled = await Promise.all(Array.from({ length: 6 }, (_, at) => stall(`127.0.30.${at + 1}`)))
  const honest = await SmtpClient.connect(postern.ports.mx, undefined, '127.0.31.1')
  await honest.greet()
  await honest.startTls(showing(postern, null))
  assert.equal((await honest.command('EHLO mail.example.com')).code, 250)
  honest.destroy()
  for (const client of stalled) assert.equal((await client.reply()).code, 0, 'cut off, by the others or by the clock')
  const reasons = (): readonly string[] => postern.log().filter(line => line['event'] === 'handshake-failed' && line['level'] === 'warn').map(line => String(line['why']))
  await waitFor('both reasons in the log', () => reasons().some(why => why.startsWith('limits.handshakes = 3')) && reasons().some(why => /timeout/i.test(why)))
})

test('S18: handshakes that fail count as errors, and too many of them close the door', async () => {
  const refusal = await waitFor('the address to be turned away', async () => {
    const client = await SmtpClient.connect(postern.ports.mx, undefined, '127.0.32.1')
    const greeting = await client.reply()
    if (greeting.code === 220) {
      await client.command('STARTTLS')
      client.send('this is no handshake\r\n')
      await client.reply()
    }
    client.destroy()
    return greeting.code === 220 ? false : greeting
  })
  assert.deepEqual(withoutId(refusal), { code: 421, text: '4.7.0 relay.example.test Too many errors from your address; try again later' })
})

test('S18: an event loop that stood still says for how long', () => {
  return new Promise<void>((resolve, reject) => {
    const lag = new EventLoopLag()
    assert.equal(lag.tick(1000), null, 'nothing has been measured yet')
    // The first beat of its timer must have come before it can be late.
    setTimeout(() => {
      const until = performance.now() + 300
      while (performance.now() < until);
      setTimeout(() => {
        try {
          assert.equal(lag.tick(10_999), null, 'the window is not over')
          const late = lag.tick(11_000)
          assert.ok(late !== null && late.maxSeconds > 0.1 && late.maxSeconds < 60, `${late?.maxSeconds} s late`)
          assert.deepEqual(lag.last, late)
          resolve()
        } catch (error) {
          reject(error as Error)
        }
      }, 100)
    }, 100)
  })
})

async function stall(from: string): Promise<SmtpClient> {
  const client = await SmtpClient.connect(postern.ports.mx, undefined, from)
  await client.greet()
  assert.equal((await client.command('STARTTLS')).code, 220)
  return client
}
