import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, integer, property } from 'fast-check'
import { ChunkEncoder } from './chunk-encoder.ts'

function encode(message: string, { isBinary = false, cut = 1000, announced = message.length } = {}): string {
  const encoder = new ChunkEncoder(announced, isBinary)
  let sent = ''
  for (let at = 0; at < message.length; at += cut) {
    sent += Buffer.from(encoder.encode(Buffer.from(message.slice(at, at + cut), 'latin1'))).toString('latin1')
  }
  return sent + encoder.end()
}

test('dots stay, and a last line without an end gets none', () => {
  assert.equal(encode('.a\r\n.\r\n..b'), '.a\r\n.\r\n..b')
})

test('S2: in text a CR or LF that stands alone leaves as a space, and the length stays', () => {
  assert.equal(encode('a\nb\rc\r\r\n\n\r'), 'a b c \r\n  ')
  const message = array(constantFrom('\r\n', '\r', '\n', 'text', '.', '\0'), { maxLength: 20 }).map(parts => parts.join(''))
  check(
    property(message, integer({ min: 1, max: 9 }), (message, cut) => {
      assert.equal(encode(message, { cut }), message.replaceAll(/\r(?!\n)|(?<!\r)\n/g, ' '))
    }),
    { numRuns: 500 },
  )
})

test('binary octets leave as they are', () => {
  assert.equal(encode('a\0\n.\n\r\xff\r', { isBinary: true, cut: 2 }), 'a\0\n.\n\r\xff\r')
})

test('octets that were not announced are never given out, and missing ones are noticed', () => {
  for (const isBinary of [true, false]) {
    assert.throws(() => encode('four\r', { isBinary, announced: 4 }), /more octets/)
    assert.throws(() => encode('four', { isBinary, announced: 5 }), /1 octets are missing/)
  }
})
