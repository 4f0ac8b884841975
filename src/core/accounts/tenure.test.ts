import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heldSince } from './tenure.ts'

const cases: readonly (readonly [what: string, spans: readonly (readonly [issued: number, revoked: number | null])[], since: number | null])[] = [
  ['nothing issued', [], null],
  ['one live certificate', [[5, null]], 5],
  ['all revoked', [[5, 9], [6, 9]], null],
  ['a second one beside the first', [[5, null], [8, null]], 5],
  ['renewed before the old one was revoked', [[5, 10], [8, null]], 5],
  ['renewed over and over', [[1, 4], [3, 7], [6, 11], [10, null]], 1],
  ['revoked, and given a new one afterwards', [[5, 7], [8, null]], 8],
  ['revoked and given a new one at the same moment', [[5, 8], [8, null]], 8],
  ['a gap long ago', [[1, 2], [3, 9], [5, null]], 3],
]

for (const [what, spans, since] of cases) {
  test(`held without interruption: ${what}`, () => {
    assert.equal(heldSince(spans.map(([issuedAt, revokedAt]) => ({ issuedAt, revokedAt }))), since)
    assert.equal(heldSince(spans.map(([issuedAt, revokedAt]) => ({ issuedAt, revokedAt })).toReversed()), since)
  })
}
