import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, integer, property } from 'fast-check'
import { LineReader, type Line } from './line-reader.ts'

const LIMIT = 10

/** All lines that come out, in short, when these pieces go in. Nothing is read after a bare line end. */
function read(...pieces: readonly string[]): string {
  const reader = new LineReader()
  const out: string[] = []
  for (const piece of pieces) {
    reader.push(Buffer.from(piece, 'latin1'))
    for (let line: Line | null = reader.readLine(LIMIT); line !== null; line = reader.readLine(LIMIT)) {
      out.push(line.kind === 'line' ? `(${line.text})` : line.kind)
      if (line.kind === 'bareLineEnd') return out.join(' ')
    }
    assert.ok(reader.unread.length <= LIMIT, 'no more is kept than a line may have')
  }
  return out.join(' ')
}

test('only CRLF ends a line', () => {
  assert.equal(read('one\r\n\r\ntwo\r\nthr'), '(one) () (two)')
  assert.equal(read('one\ntwo\r\n'), 'bareLineEnd')
  assert.equal(read('one\rtwo\r\n'), 'bareLineEnd')
  assert.equal(read('one\r\r\n'), 'bareLineEnd')
  assert.equal(read('\n'), 'bareLineEnd')
  assert.equal(read('one\r', '\n'), '(one)')
  assert.equal(read('one\r'), '')
})

test('the limit counts the line with its CRLF, not the packet', () => {
  assert.equal(read('12345678\r\n'), '(12345678)')
  assert.equal(read('123456789\r\n'), 'tooLong')
  assert.equal(read('12345', '678\r', '\n'), '(12345678)')
  assert.equal(read('12345', '6789\r', '\n', 'next\r\n'), 'tooLong (next)')
  assert.equal(read('x'.repeat(50), 'y\r', '\nnext\r\n'), 'tooLong (next)')
})

test('lines do not depend on how they were cut', () => {
  const text = array(constantFrom('\r\n', '\r\n', '\r', '\n', 'a', 'bcdef', 'ghijklmnop'), { maxLength: 40 }).map(parts => parts.join(''))
  check(
    property(text, array(integer({ min: 1, max: 12 }), { minLength: 1 }), (text, lengths) => {
      const pieces: string[] = []
      for (let at = 0; at < text.length; ) {
        const length = lengths[pieces.length % lengths.length] ?? 1
        pieces.push(text.slice(at, at + length))
        at += length
      }
      assert.equal(read(...pieces), read(...text))
    }),
  )
})

test('what follows a line can be taken as it is', () => {
  const reader = new LineReader()
  reader.push(Buffer.from('DATA\r\nbody and more'))
  assert.deepEqual(reader.readLine(100), { kind: 'line', text: 'DATA' })
  assert.equal(reader.unread.toString(), 'body and more')
  reader.skip(4)
  reader.push(Buffer.from('!'))
  assert.equal(reader.unread.toString(), ' and more!')
  reader.skip(10)
  assert.equal(reader.hasUnread, false)
})
