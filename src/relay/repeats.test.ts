import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Repeats } from './repeats.ts'

const MINUTE = 60_000

test('the first lines of a kind are written, and of the rest how many there were', () => {
  const repeats = new Repeats<string>(100)
  const written = Array.from({ length: 25 }, (_, at) => repeats.counts('a', 'first', at))
  assert.equal(written.filter(Boolean).length, 10)
  assert.equal(repeats.counts('b', 'other', 30), true)
  assert.deepEqual(repeats.takeOver(MINUTE - 1), [])
  assert.deepEqual(repeats.takeOver(MINUTE), [{ line: 'first', unwritten: 15 }])
  assert.equal(repeats.counts('a', 'again', MINUTE), true, 'a new minute')
  assert.deepEqual(repeats.takeOver(3 * MINUTE), [], 'what was written needs no count')
})

test('at the end, and after the clock was set back, nothing is left unsaid', () => {
  for (const now of [Infinity, -MINUTE]) {
    const repeats = new Repeats<string>(100)
    for (let time = 0; time < 12; time++) repeats.counts('a', 'line', 0)
    assert.deepEqual(repeats.takeOver(now), [{ line: 'line', unwritten: 2 }])
  }
})

test('S18: kinds beyond what is remembered end the oldest counts', () => {
  const repeats = new Repeats<string>(2)
  for (const kind of ['a', 'b', 'c', 'd']) for (let time = 0; time < 11; time++) repeats.counts(kind, kind, 0)
  assert.deepEqual(repeats.takeOver(1), [{ line: 'a', unwritten: 1 }, { line: 'b', unwritten: 1 }])
})
