import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, integer, property } from 'fast-check'
import { HeaderScanner } from './header.ts'

type Counts = { readonly fields: number; readonly received: number; readonly octets: number; readonly ended: boolean }

function scan(text: string, length = text.length || 1): Counts {
  const scanner = new HeaderScanner()
  for (let at = 0; at < text.length; at += length) scanner.scan(Buffer.from(text.slice(at, at + length), 'latin1'))
  return { fields: scanner.fields, received: scanner.receivedFields, octets: scanner.sizeBytes, ended: scanner.ended }
}

test('fields are counted, and the header ends at the empty line', () => {
  assert.deepEqual(scan('A: 1\r\nB: 2\r\n  more\r\n\tand more\r\n\r\nC: 3\r\n'), { fields: 2, received: 0, octets: 33, ended: true })
  assert.deepEqual(scan('A: 1\r\nB: 2\r\n'), { fields: 2, received: 0, octets: 12, ended: false })
  assert.deepEqual(scan('\r\ntext: 1\r\n'), { fields: 0, received: 0, octets: 2, ended: true })
  assert.deepEqual(scan(''), { fields: 0, received: 0, octets: 0, ended: false })
})

test('Received fields are known by name, in any case, with or without blanks before the colon', () => {
  const text = 'Received: a\r\nRECEIVED:b\r\nreceived \t: c\r\nX-Received: d\r\nReceived-By: e\r\nReceive: f\r\nReceivedX: g\r\nRe ceived: h\r\n'
  assert.equal(scan(text).received, 3)
})

test('a line that is no field ends the header', () => {
  for (const line of ['text without colon', ' continues nothing', 'two words: x', ': no name', 'n\xe4me: x', 'A', '\x01: x']) {
    assert.deepEqual(scan(`${line}\r\nReceived: x\r\n`).received, 0, line)
  }
  assert.equal(scan('A: 1\r\nnot a field\r\nB: 2\r\n').fields, 1)
})

test('S14: octets that folding or odd names hide are counted all the same', () => {
  const folded = `A: 1\r\n${' x\r\n'.repeat(1000)}`
  assert.deepEqual(scan(folded), { fields: 1, received: 0, octets: folded.length, ended: false })
})

test('what is counted does not depend on how the octets were cut', () => {
  const part = constantFrom('Received', 'received', 'X', ':', ' ', '\t', '\r\n', '\r\n', '\r', '\n', 'value', '\xff')
  check(
    property(array(part, { maxLength: 60 }), integer({ min: 1, max: 20 }), (parts, length) => {
      const text = parts.join('')
      assert.deepEqual(scan(text, length), scan(text))
    }),
    { numRuns: 1000 },
  )
})
