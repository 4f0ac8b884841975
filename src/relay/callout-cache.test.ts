import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CalloutCache } from './callout-cache.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

// prettier-ignore
const HOLDS = [
  ['yes', 6 * HOUR], ['cannotAsk', HOUR], ['no', 10 * MINUTE], ['unknown', MINUTE],
] as const

for (const [says, milliseconds] of HOLDS) {
  test(`a ${says} is given again for ${milliseconds / MINUTE} minutes, with its age`, () => {
    const cache = new CalloutCache()
    cache.remember('joe', { says, detail: 'words' }, 0)
    assert.deepEqual(cache.find('joe', milliseconds), { says, detail: `words, ${milliseconds / 1000} seconds ago` })
    assert.equal(cache.find('joe', milliseconds + 1), null)
    assert.equal(cache.find('ann', 0), null)
  })
}

test('who existed counts as existing for a week without an answer, and not after a no', () => {
  const cache = new CalloutCache()
  cache.remember('joe', { says: 'yes', detail: 'ok' }, 0)
  cache.remember('joe', { says: 'unknown', detail: 'gone' }, 7 * HOUR)
  assert.equal(cache.find('joe', 7 * HOUR)?.says, 'unknown')
  assert.equal(cache.lastYes('joe', 7 * 24 * HOUR)?.says, 'yes')
  assert.equal(cache.lastYes('joe', 7 * 24 * HOUR + 1), null)
  cache.remember('joe', { says: 'no', detail: 'left' }, 8 * HOUR)
  assert.equal(cache.lastYes('joe', 8 * HOUR), null)
  cache.remember('joe', { says: 'yes', detail: 'back' }, 9 * HOUR)
  assert.equal(cache.find('joe', 9 * HOUR)?.says, 'yes')
})

test('what strangers make up takes no room from those who exist, and neither grows over its limit', () => {
  const cache = new CalloutCache(3)
  for (const name of ['a', 'b', 'c', 'd']) cache.remember(name, { says: 'yes', detail: '' }, 0)
  for (let n = 0; n < 1000; n++) cache.remember(`nobody${n}`, { says: n % 2 === 0 ? 'no' : 'unknown', detail: '' }, 0)
  assert.equal(cache.size, 6)
  assert.deepEqual(['a', 'b', 'd', 'nobody0', 'nobody999'].map(name => cache.find(name, 0)?.says), [undefined, 'yes', 'yes', undefined, 'unknown'])
})

test('a reload forgets all but who exists', () => {
  const cache = new CalloutCache()
  cache.remember('joe', { says: 'yes', detail: '' }, 0)
  cache.remember('ann', { says: 'no', detail: '' }, 0)
  cache.forgetAllButYes()
  assert.deepEqual([cache.find('joe', 0)?.says, cache.find('ann', 0)], ['yes', null])
})
