import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, property } from 'fast-check'
import { tokenize } from './structured-field.ts'

function read(text: string): string {
  const tokens = tokenize(text)
  return tokens.ok ? tokens.value.map(token => `${token.kind[0]}:${token.text}`).join(' ') : `it ${tokens.problem}`
}

test('words, quoted strings, literals and specials, without blanks and comments', () => {
  assert.equal(read(' a.b\t(x (y) "\\)") c'), 'w:a.b w:c')
  assert.equal(read('"a \\"b\\" (c)"d'), 'q:a "b" (c) w:d')
  assert.equal(read('<joe@[192.0.2.1]>,;:'), 's:< w:joe s:@ l:192.0.2.1 s:> s:, s:; s::')
  assert.equal(read('grüße=?utf-8?q?x?='), 'w:grüße=?utf-8?q?x?=')
  assert.equal(read('a\\b'), 'w:a s:\\ w:b')
  assert.equal(read(''), '')
})

test('what has no end cannot be read', () => {
  assert.equal(read('(a (b)'), 'it has a comment without an end')
  assert.equal(read('(a\\)'), 'it has a comment without an end')
  assert.equal(read('"a\\"'), 'it has a quoted string without an end')
  assert.equal(read('"a\\'), 'it has a quoted string without an end')
  assert.equal(read('[a'), 'it has a bracket without its other half')
  for (const text of ['a\0', '\x7f', '\x85', 'a\rb', '(\x01)']) assert.equal(read(text), 'it has a control character', JSON.stringify(text))
  for (const text of [')', 'a ) b', ']']) assert.match(read(text), /s:[)\]]/)
})

test('S18: reading costs one pass, whatever is nested in whatever', () => {
  for (const part of ['(', '()', '"', '""', '\\', '(\\', '"\\', '[', '<', 'a ', '(")']) tokenize(part.repeat(200_000))
})

test('whatever stands in a field, it comes to an end', () => {
  const part = constantFrom('a', '.', ' ', '"', '(', ')', '[', ']', '\\', '<', '>', '@', 'é', '\u{1f600}')
  check(property(array(part, { maxLength: 40 }), parts => void tokenize(parts.join(''))), { numRuns: 2000 })
})
