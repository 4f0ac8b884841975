import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, property, string } from 'fast-check'
import { decodeXtext, encodeXtext } from './xtext.ts'

test('xtext stands for text, and never for a line end', () => {
  assert.equal(decodeXtext('joe+2Btag+3Dx@example.org'), 'joe+tag=x@example.org')
  assert.equal(decodeXtext('J+C3+BCrgen'), 'Jürgen')
  for (const bad of ['a+0D+0Ab', 'a+00', 'a+7F', '+C3', '+E2+80+A8', '+C2+85']) assert.equal(decodeXtext(bad), null, bad)
})

test('what is encoded reads back as it was', () => {
  assert.equal(encodeXtext('joe+tag=x@example.org'), 'joe+2Btag+3Dx@example.org')
  check(property(string({ unit: 'grapheme' }), text => assert.equal(decodeXtext(encodeXtext(text)), /[\p{Cc}\u2028\u2029]/u.test(text) ? null : text.toWellFormed())))
})
