import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, boolean, constantFrom, integer, property } from 'fast-check'
import { TextInput } from './text-input.ts'

function read(text: string, ignoresDots = false, length = text.length || 1): string {
  const input = new TextInput(ignoresDots)
  let out = ''
  for (let at = 0; at < text.length; at += length) out += input.take(Buffer.from(text.slice(at, at + length), 'latin1')).toString('latin1')
  return out + input.finish().toString('latin1')
}

test('LF and CRLF become CRLF, and the last line has one', () => {
  assert.equal(read('a\nb\r\nc'), 'a\r\nb\r\nc\r\n')
  assert.equal(read('\n\r\n\n'), '\r\n\r\n\r\n')
  assert.equal(read(''), '')
  assert.equal(read('\0a\0\n'), 'a\r\n')
})

test('a lone CR ends no line, and the first one is told', () => {
  assert.equal(read('50%\r100%\n'), '50% 100%\r\n')
  assert.equal(read('a\n.\rb\n\r.\n.\r\r\nc\r'), 'a\r\n. b\r\n .\r\n. \r\nc \r\n')
  const places: readonly (readonly [text: string, at: number | null])[] = [['ab\r\ncd\n', null], ['a\r', 1], ['a\nb\rc\r', 4], ['a\n\rb', 3], ['a\n.\nb\rc', null], [`From joe\n${'x'.repeat(2000)}\ry`, 2000]]
  for (const [text, at] of places) {
    for (const length of [1, 3, 5000]) {
      const input = new TextInput(false)
      for (let from = 0; from < text.length; from += length) input.take(Buffer.from(text.slice(from, from + length), 'latin1'))
      input.finish()
      assert.equal(input.loneCrAt, at, JSON.stringify(text.slice(0, 20)))
    }
  }
})

test('a line with only a dot ends the text, unless dots are ignored', () => {
  assert.equal(read('a\n.\nb'), 'a\r\n')
  assert.equal(read('a\n.\r\nb'), 'a\r\n')
  assert.equal(read('a\n.'), 'a\r\n')
  assert.equal(read('a\n.b\n..\n. \nc.\n'), 'a\r\n.b\r\n..\r\n. \r\nc.\r\n')
  assert.equal(read('a\n.\nb', true), 'a\r\n.\r\nb\r\n')
})

test("the first line of a mailbox's message is left out, and no other", () => {
  assert.equal(read('From joe Mon Nov 23\nTo: x\n\nFrom here\n'), 'To: x\r\n\r\nFrom here\r\n')
  assert.equal(read('From: joe\n'), 'From: joe\r\n')
  assert.equal(read('From'), 'From\r\n')
  assert.equal(read('\nFrom x\n'), '\r\nFrom x\r\n')
})

test('what comes out does not depend on how the octets came, and has whole lines only', () => {
  const part = constantFrom('a', '.', 'From ', '\n', '\r', '\r\n', '\0', '\xff')
  check(
    property(array(part, { maxLength: 40 }), integer({ min: 1, max: 9 }), boolean(), (parts, length, ignoresDots) => {
      const out = read(parts.join(''), ignoresDots, length)
      assert.equal(out, read(parts.join(''), ignoresDots))
      assert.match(out, /^(?:[^\r\n\0]*\r\n)*$/)
    }),
    { numRuns: 3000 },
  )
})
