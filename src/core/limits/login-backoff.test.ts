import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LoginBackOff } from './login-backoff.ts'

const HOME = '192.0.2.0/24'
const AWAY = '198.51.100.0/24'
/** Four failures, of which one is worked off each minute. */
const rate = { amount: 4, seconds: 240 }

function backOff(): LoginBackOff {
  return new LoginBackOff(rate, 1000)
}

test('each failure makes the next login of that name wait twice as long, up to eight seconds, from anywhere', () => {
  const table = backOff()
  const delays = Array.from({ length: 8 }, () => {
    const delay = table.delayMilliseconds('joe', AWAY, 0)
    table.failed('joe', HOME, 0)
    return delay
  })
  assert.deepEqual(delays, [0, 250, 500, 1000, 2000, 4000, 8000, 8000])
})

test('and so does each failure of its network, for any name', () => {
  const table = backOff()
  table.failed('joe', HOME, 0)
  assert.equal(table.delayMilliseconds('jane', HOME, 0), 250)
  assert.equal(table.delayMilliseconds('jane', AWAY, 0), 0)
})

test('a network that has used up its allowance is shut, and opens as time passes', () => {
  const table = backOff()
  for (const name of ['a', 'b', 'c']) table.failed(name, HOME, 0)
  assert.equal(table.isShut(HOME, 0), false)
  table.failed('d', HOME, 0)
  assert.equal(table.isShut(HOME, 0), true)
  assert.equal(table.isShut(HOME, 59_999), true)
  assert.equal(table.isShut(HOME, 60_000), false)
  assert.equal(table.isShut(AWAY, 0), false)
})

test('a name is never shut: nobody can lock another out', () => {
  const table = backOff()
  for (let at = 0; at < 1000; at++) table.failed('joe', `10.0.${at}.0/24`, 0)
  assert.equal(table.isShut(AWAY, 0), false)
  assert.equal(table.delayMilliseconds('joe', AWAY, 0), 8000)
  assert.equal(table.delayMilliseconds('joe', AWAY, 6 * 60_000), 0)
})

test('what is remembered is bounded, and the newest is kept', () => {
  const table = new LoginBackOff(rate, 100)
  for (let at = 0; at < 10_000; at++) table.failed(`name ${at}`, `network ${at}`, 0)
  assert.equal(table.delayMilliseconds('name 9999', AWAY, 0), 250)
  assert.equal(table.delayMilliseconds('name 0', AWAY, 0), 0)
})

test('without a rate nothing waits', () => {
  const table = new LoginBackOff(null, 100)
  for (let at = 0; at < 100; at++) table.failed('joe', HOME, 0)
  assert.deepEqual([table.delayMilliseconds('joe', HOME, 0), table.isShut(HOME, 0)], [0, false])
})
