import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeadlineDialer } from './deadline-dialer.ts'
import type { ClientChannel, Dialer } from './ports.ts'

const REQUEST = { address: '192.0.2.1', port: 25, timeoutSeconds: 30 }
const TOO_LATE = { failed: 'the time for it is over' }

/** A dialer whose connections are made when the test says so. */
function start() {
  const closed: string[] = []
  const waiting: (() => void)[] = []
  let strike = (): void => {}
  const dialer: Dialer = {
    connect: ({ address }) => new Promise(resolve => waiting.push(() => resolve({ close: () => void closed.push(address) } as unknown as ClientChannel))),
  }
  const after = (_: number, callback: () => void): (() => void) => ((strike = callback), () => {})
  return { dialer: new DeadlineDialer(dialer, { after }, 1000), waiting, closed, strike: () => strike() }
}

test('S19: when the time is over every connection is closed, and none is opened any more', async () => {
  const { dialer, waiting, closed, strike } = start()
  const opened = dialer.connect(REQUEST)
  waiting.shift()?.()
  assert.ok(!('failed' in (await opened)))
  strike()
  assert.deepEqual([closed, dialer.isOver], [['192.0.2.1'], true])
  assert.deepEqual(await dialer.connect(REQUEST), TOO_LATE)
  assert.equal(waiting.length, 0, 'nobody was dialled')
})

test('S19: one that is made only then is closed at once', async () => {
  const { dialer, waiting, closed, strike } = start()
  const late = dialer.connect(REQUEST)
  strike()
  waiting.shift()?.()
  assert.deepEqual(await late, TOO_LATE)
  assert.deepEqual(closed, ['192.0.2.1'])
})
