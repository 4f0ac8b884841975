/** A few thousand inputs for each target, the same ones every time. `npm run fuzz` is for millions. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../support/random.ts'
import { Fuzzing } from './fuzzing.ts'
import { cutAnywhere, type FuzzTarget } from './target.ts'
import { allTargets } from './targets.ts'

for (const target of await allTargets()) {
  test(`fuzzing ${target.name}`, () => {
    assert.ok(target.seeds.length > 0, 'there is something to begin with')
    for (const seed of target.seeds) target.check(seed, randomFrom(1))
    const finding = new Fuzzing(target, 1).run(1000)
    if (finding !== null) assert.fail(`${JSON.stringify(finding.input.toString('latin1'))}: ${String(finding.error)}`)
  })
}

test('what does not hold is found, made small, and found again by its seed', () => {
  const target: FuzzTarget = {
    name: 'example',
    seeds: [Buffer.from('MAIL FROM:<ann@example.org>\r\n')],
    check: input => assert.ok(!input.includes('\n.\n'), 'no end of message'),
  }
  const [first, again] = [new Fuzzing(target, 7).run(100_000), new Fuzzing(target, 7).run(100_000)]
  assert.equal(first?.input.toString(), '\n.\n')
  assert.deepEqual([first?.number, first?.input], [again?.number, again?.input])
})

test('pieces are the whole', () => {
  const octets = Buffer.from('every octet is in one piece, and in its place')
  for (let seed = 0; seed < 50; seed++) assert.deepEqual(Buffer.concat(cutAnywhere(octets, randomFrom(seed))), octets)
})
