import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressBlock, networkBlock } from './client-blocks.ts'
import { costOf, formatRate, hasRoom } from './rate.ts'
import { UsageTable } from './usage-table.ts'

const SIX_A_MINUTE = { amount: 6, seconds: 60 }

test('an allowance may be used at once, and comes back evenly', () => {
  let until = 0
  const take = (now: number): boolean => {
    const room = hasRoom(SIX_A_MINUTE, until, 1, now)
    if (room) until = Math.max(until, now) + costOf(SIX_A_MINUTE, 1)
    return room
  }
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(() => take(1000)), [true, true, true, true, true, true, false])
  assert.equal(take(10_999), false)
  assert.equal(take(11_000), true)
  assert.equal(take(11_000), false)
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(() => take(1_000_000)), [true, true, true, true, true, true, false])
})

test('what is charged afterwards may go over, and must be worked off', () => {
  const rate = { amount: 1000, seconds: 10 }
  assert.equal(hasRoom(rate, 0, 0, 0), true)
  const until = costOf(rate, 3000)
  assert.equal(hasRoom(rate, until, 0, 19_999), false)
  assert.equal(hasRoom(rate, until, 0, 20_001), true)
})

test('thirds add up to a whole', () => {
  const rate = { amount: 3, seconds: 1 }
  let until = 100
  for (let use = 0; use < 3; use++) {
    assert.equal(hasRoom(rate, until, 1, 100), true)
    until += costOf(rate, 1)
  }
  assert.equal(hasRoom(rate, until, 1, 100), false)
})

test('a rate is written as in the settings', () => {
  assert.equal(formatRate({ amount: 120, seconds: 60 }, false), '120/1m')
  assert.equal(formatRate({ amount: 2 * 1024 ** 3, seconds: 3600 }, true), '2GiB/1h')
})

test('one client has all of its /64; a network is a /24 or a /48', () => {
  assert.equal(addressBlock('192.0.2.7'), '192.0.2.7')
  assert.equal(addressBlock('2001:db8:1:2::1'), addressBlock('2001:db8:1:2:ffff:ffff:ffff:ffff'))
  assert.notEqual(addressBlock('2001:db8:1:2::1'), addressBlock('2001:db8:1:3::1'))
  assert.equal(networkBlock('192.0.2.7'), '192.0.2.0/24')
  assert.equal(networkBlock('2001:db8:1:2::1'), networkBlock('2001:db8:1:fff0::1'))
  assert.notEqual(networkBlock('2001:db8:1::1'), networkBlock('2001:db8:2::1'))
})

test('S18: of a million clients no more are remembered than there is room for, and those seen last stay', () => {
  const table = new UsageTable(1000, true)
  for (let client = 0; client < 1_000_000; client++) {
    table.use(`address ${client}`, 'messages', 5000, 0)
    table.use('address busy', 'messages', 1, 0)
  }
  assert.ok(table.size <= 1001, `${table.size} are remembered`)
  assert.equal(table.workedOffAt('address busy', 'messages'), 1_000_000)
  assert.equal(table.workedOffAt('address 999999', 'messages'), 5000)
  assert.equal(table.workedOffAt('address 0', 'messages'), 0)
  assert.ok(table.takeChanges(1e9).used.length <= 1001)
})

test('each process sees what the others have taken and opened', () => {
  const [one, other] = [new UsageTable(100, true), new UsageTable(100, true)]
  one.opened('a', 1)
  one.opened('a', 1)
  one.use('a', 'bytes', 700, 0)
  other.opened('a', 1)
  other.use('a', 'bytes', 40, 0)
  other.merge(0, one.takeChanges(10), 0)
  assert.deepEqual([other.open('a'), other.workedOffAt('a', 'bytes')], [3, 740])
  assert.deepEqual(one.takeChanges(10), { open: [], used: [] })

  one.opened('a', -1)
  other.merge(0, one.takeChanges(10), 0)
  assert.equal(other.open('a'), 2)

  // The first process ends, with a connection open, and its successor is told of the other's.
  other.restarted(0)
  assert.equal(other.open('a'), 1)
  assert.deepEqual(other.takeChanges(10).open, [['a', 1]])
})

test('what does not fit into one message to the others goes with the next', () => {
  const table = new UsageTable(100, true)
  for (const key of ['a', 'b', 'c']) table.opened(key, 1)
  assert.equal(table.takeChanges(2).open.length, 2)
  assert.deepEqual(table.takeChanges(2).open, [['c', 1]])
})
