import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { DataEncoder } from './data-encoder.ts'

function encode(message: Uint8Array | string, cuts: readonly number[] = []): string {
  const bytes = Buffer.from(message as string, 'latin1')
  const encoder = new DataEncoder()
  const places = [0, ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const pieces = places.slice(1).map((end, i) => Buffer.from(encoder.encode(bytes.subarray(places[i], end))))
  return Buffer.concat(pieces).toString('latin1') + encoder.end()
}

/** The rules once more, said another way: replace, then double the dots. */
function expected(message: string): string {
  const lines = message.split('\r\n').map(line => line.replaceAll(/[\r\n]/g, ' ').replace(/^\./, '..'))
  const last = lines.pop()
  return [...lines, ...(last === '' ? [] : [last]), '.', ''].join('\r\n')
}

test('a message of whole lines passes as it is', () => {
  const bytes = Buffer.from('Subject: a\r\n\r\nb.c\r\n')
  assert.equal(new DataEncoder().encode(bytes), bytes)
  assert.equal(encode('Subject: a\r\n\r\nb.c\r\n'), 'Subject: a\r\n\r\nb.c\r\n.\r\n')
})

test('a line that starts with a dot gets another one (RFC 5321 §4.5.2)', () => {
  assert.equal(encode('.a\r\n..\r\nb.\r\n.\r\n'), '..a\r\n...\r\nb.\r\n..\r\n.\r\n')
})

test('a last line without an end gets one, and an empty message is its end alone', () => {
  assert.equal(encode('a'), 'a\r\n.\r\n')
  assert.equal(encode('a\r\n.'), 'a\r\n..\r\n.\r\n')
  assert.equal(encode(''), '.\r\n')
})

test('S2: a CR or LF that stands alone never leaves', () => {
  for (const [message, sent] of [
    ['a\n.\nb\r\n', 'a . b\r\n.\r\n'],
    ['a\r.\rb\r\n', 'a . b\r\n.\r\n'],
    ['a\r\n.\nb\r\n', 'a\r\n.. b\r\n.\r\n'],
    ['a\n.\r\nb\r\n', 'a .\r\nb\r\n.\r\n'],
    ['a\r\r\n.\r\r\nb', 'a \r\n.. \r\nb\r\n.\r\n'],
    ['a\r', 'a \r\n.\r\n'],
  ] as const)
    assert.equal(encode(message), sent, JSON.stringify(message))
})

const nasty = fc.array(fc.constantFrom('\r', '\n', '\r\n', '.', 'a', '\r\n.\r\n', '\0', '\xff', 'some text'), { maxLength: 40 })
const cuts = fc.array(fc.nat(200), { maxLength: 8 })

test('S2: however a message is cut, what leaves is the same, and has CR and LF only together', () => {
  fc.assert(
    fc.property(nasty, cuts, (parts, cuts) => {
      const message = parts.join('')
      const sent = encode(message, cuts)
      assert.equal(sent, expected(message))
      assert.doesNotMatch(sent, /\r(?!\n)|(?<!\r)\n/)
      assert.equal(sent.indexOf('\r\n.\r\n') === -1 ? sent : sent.slice(sent.indexOf('\r\n.\r\n')), sent === '.\r\n' ? sent : '\r\n.\r\n')
    }),
    { numRuns: 2000 },
  )
})
