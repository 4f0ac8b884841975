import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { USUAL_RETRY } from '../../../test/support/queued.ts'
import { isExpired, isWarningDue, nextAttemptAt } from './retry.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const quiet = { ...USUAL_RETRY, warnAfterSeconds: null }

function waits(attempts: number): number {
  return nextAttemptAt(quiet, { acceptedAt: 0, now: HOUR, attempts, warned: false, jitter: 0.5 }) - HOUR
}

test('the waits grow as scheduled and the last one repeats', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 99].map(waits).map(wait => wait / MINUTE), [5, 15, 30, 60, 120, 240, 240, 240])
})

test('a message that was never tried waits as after its first attempt', () => {
  assert.equal(waits(0), 5 * MINUTE)
})

test('jitter stretches and shrinks a wait by a fifth at most', () => {
  const at = (jitter: number): number => nextAttemptAt(quiet, { acceptedAt: 0, now: 0, attempts: 1, warned: false, jitter })
  assert.equal(at(0), 4 * MINUTE)
  assert.ok(at(0.999_999) <= 6 * MINUTE && at(0.999_999) > 5.99 * MINUTE)
})

test('an attempt falls on the warning and on the end of the lifetime, whichever comes first', () => {
  const state = { acceptedAt: 0, now: 3.9 * HOUR, attempts: 6, warned: false, jitter: 0.5 }
  assert.equal(nextAttemptAt(USUAL_RETRY, state), 4 * HOUR)
  assert.equal(nextAttemptAt(USUAL_RETRY, { ...state, warned: true }), 7.9 * HOUR)
  assert.equal(nextAttemptAt(USUAL_RETRY, { ...state, warned: true, now: 119 * HOUR }), 120 * HOUR)
})

test('a message expires at its lifetime and not before', () => {
  assert.equal(isExpired(USUAL_RETRY, { acceptedAt: 7, now: 7 + 120 * HOUR - 1 }), false)
  assert.equal(isExpired(USUAL_RETRY, { acceptedAt: 7, now: 7 + 120 * HOUR }), true)
})

test('the sender is warned once, and never if so configured', () => {
  assert.equal(isWarningDue(USUAL_RETRY, { acceptedAt: 0, now: 4 * HOUR - 1, warned: false }), false)
  assert.equal(isWarningDue(USUAL_RETRY, { acceptedAt: 0, now: 4 * HOUR, warned: false }), true)
  assert.equal(isWarningDue(USUAL_RETRY, { acceptedAt: 0, now: 9 * HOUR, warned: true }), false)
  assert.equal(isWarningDue(quiet, { acceptedAt: 0, now: 9 * HOUR, warned: false }), false)
})

test('the next attempt is always in the future, whatever the clock did', () => {
  const instant = fc.integer({ min: 0, max: 2 ** 41 })
  const state = fc.record({
    acceptedAt: instant,
    now: instant,
    attempts: fc.nat(50),
    warned: fc.boolean(),
    jitter: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  })
  fc.assert(fc.property(state, state => nextAttemptAt(USUAL_RETRY, state) > state.now))
})
