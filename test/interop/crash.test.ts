/** A short run of the crash script, so that every full run of the suite kills Postern a few times. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crash } from '../crash/rounds.ts'

test('kill -9 of all processes under load loses no message that got a 250', async t => {
  const seed = Date.now() % 1_000_000
  t.diagnostic(`seed ${seed}`)
  const report = await crash({ rounds: 3, clients: 10, seed, told: line => t.diagnostic(line) })
  const accepted = report.rounds.reduce((sum, round) => sum + round.accepted, 0)
  assert.ok(accepted > 0, 'something was accepted, or nothing is shown')
  assert.deepEqual(
    report.rounds.flatMap(round => round.lost),
    [],
  )
  assert.equal(report.damaged, 0)
})
