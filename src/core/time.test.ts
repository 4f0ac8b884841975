import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { DURATION_HINT, formatDuration, formatInstant, formatSize, parseDuration, parseSize, SIZE_HINT } from './time.ts'

test('durations and sizes are a number and a unit', () => {
  assert.deepEqual(parseDuration('4h'), { ok: true, value: 14400 })
  assert.deepEqual(parseDuration('0s'), { ok: true, value: 0 })
  assert.deepEqual(parseSize('50MiB'), { ok: true, value: 52_428_800 })
})

test('anything else is refused with what would be right', () => {
  for (const text of ['', '5', 's', '-5s', '1.5h', '5 m', '1h30m', '5M', '5m ', '99999999999999999d', '900000000000000d']) {
    assert.deepEqual(parseDuration(text), { ok: false, problem: DURATION_HINT }, text)
  }
  for (const text of ['64', '64K', '64KB', '64kib', '1e3B']) assert.deepEqual(parseSize(text), { ok: false, problem: SIZE_HINT }, text)
})

test('what is formatted reads back as the same value', () => {
  const whole = fc.nat({ max: 10 ** 9 })
  fc.assert(fc.property(whole, seconds => assert.deepEqual(parseDuration(formatDuration(seconds)), { ok: true, value: seconds })))
  fc.assert(fc.property(whole, bytes => assert.deepEqual(parseSize(formatSize(bytes)), { ok: true, value: bytes })))
})

test('the largest exact unit is chosen', () => {
  assert.deepEqual([0, 90, 3600, 86400 * 5].map(formatDuration), ['0s', '90s', '1h', '5d'])
  assert.equal(formatSize(65536), '64KiB')
})

test('instants are ISO 8601 in UTC', () => assert.equal(formatInstant(1795000000123), '2026-11-18T11:06:40Z'))
