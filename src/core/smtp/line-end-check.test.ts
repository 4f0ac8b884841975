import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, integer, property } from 'fast-check'
import type { DataFault } from './data-decoder.ts'
import { LineEndCheck } from './line-end-check.ts'

function faultIn(text: string, lengths: readonly number[] = [text.length || 1]): DataFault | null {
  const lineEnds = new LineEndCheck()
  for (let at = 0, piece = 0; at < text.length; piece++) {
    const length = lengths[piece % lengths.length] ?? 1
    lineEnds.check(Buffer.from(text.slice(at, at + length), 'latin1'))
    at += length
  }
  lineEnds.end()
  return lineEnds.fault
}

test('CR and LF appear only together', () => {
  for (const text of ['', 'a', '\r\n', 'a\r\nb\r\n\r\n', '\r\n.\r\n']) assert.equal(faultIn(text), null, JSON.stringify(text))
  for (const text of ['\r', '\n', 'a\nb', 'a\rb', '\r\r\n', '\r\n\n', 'a\r', '\n\r', '\r\n\r']) assert.equal(faultIn(text), 'bareLineEnd', JSON.stringify(text))
})

test('NUL is a fault, and a bare line end a worse one', () => {
  assert.equal(faultIn('a\0b\r\n'), 'nul')
  assert.equal(faultIn('a\0b\n'), 'bareLineEnd')
  assert.equal(faultIn('a\nb\0', [2]), 'bareLineEnd')
})

test('the answer is the same wherever the octets are cut', () => {
  const sent = array(constantFrom('\r\n', '\r\n', 'text', '\r', '\n', '\0', '.'), { maxLength: 20 }).map(parts => parts.join(''))
  check(
    property(sent, array(integer({ min: 1, max: 9 }), { minLength: 1 }), (sent, lengths) => {
      const fault = /\r(?!\n)|(?<!\r)\n/.test(sent) ? 'bareLineEnd' : sent.includes('\0') ? 'nul' : null
      assert.equal(faultIn(sent, lengths), fault)
    }),
    { numRuns: 500 },
  )
})
