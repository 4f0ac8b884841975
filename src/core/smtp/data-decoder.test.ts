import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, integer, property } from 'fast-check'
import { DataDecoder, nextStep, type DataFault, type Position } from './data-decoder.ts'
import { DataEncoder } from './data-encoder.ts'

type Decoded = { readonly text: string; readonly rest: string; readonly fault: DataFault | null; readonly ended: boolean }

function decode(sent: string, lengths: readonly number[] = [sent.length || 1]): Decoded {
  const decoder = new DataDecoder()
  let text = ''
  let at = 0
  for (let piece = 0; at < sent.length && !decoder.ended; piece++) {
    const decoded = decoder.decode(Buffer.from(sent.slice(at, at + (lengths[piece % lengths.length] ?? 1)), 'latin1'))
    text += decoded.text.toString('latin1')
    at += decoded.read
  }
  return { text, rest: sent.slice(at), fault: decoder.fault, ended: decoder.ended }
}

/** The table and nothing but the table. */
function decodeByTable(sent: string): Decoded {
  let position: Position = 'lineStart'
  let [text, at, bare] = ['', 0, false]
  for (; at < sent.length && position !== 'end'; at++) {
    const step = nextStep(position, sent.charCodeAt(at))
    if (step.isText) text += sent[at]
    bare ||= step.bare
    position = step.to
  }
  return { text, rest: sent.slice(at), fault: bare ? 'bareLineEnd' : text.includes('\0') ? 'nul' : null, ended: position === 'end' }
}

function whole(text: string, rest = ''): Decoded {
  return { text, rest, fault: null, ended: true }
}

test('a line with only a dot ends the message, and what follows is not read', () => {
  assert.deepEqual(decode('one\r\ntwo\r\n.\r\nQUIT\r\n'), whole('one\r\ntwo\r\n', 'QUIT\r\n'))
  assert.deepEqual(decode('.\r\n'), whole(''))
})

test('a dot at the start of a line is taken off, and only there', () => {
  assert.deepEqual(decode('..\r\n...\r\n.x\r\nx.\r\n .\r\n.\r\n'), whole('.\r\n..\r\nx\r\nx.\r\n .\r\n'))
})

for (const end of ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r\n', '\r\n.\r', '\r.\r', '\n.\r', '\r\r\n.\r\n', '\r\n.\r\r\n', '\n\n.\r\n', '\r\n\n.\r\n']) {
  test(`${JSON.stringify(end)} is a fault and not an end`, () => {
    const { ended, fault } = decode(`text${end}more`)
    assert.equal(fault, 'bareLineEnd')
    // CRLF . CRLF in it is the real end; whatever else was there makes the message refused.
    assert.equal(ended, end.includes('\r\n.\r\n'))
  })
}

test('NUL is a fault, and a bare line end a worse one', () => {
  assert.equal(decode('a\0b\r\n.\r\n').fault, 'nul')
  assert.equal(decode('a\0b\n\r\n.\r\n').fault, 'bareLineEnd')
  assert.equal(decode('a\0b\n\r\n.\r\n', [2]).fault, 'bareLineEnd')
  assert.equal(decode('a\n\0\r\n.\r\n', [2]).fault, 'bareLineEnd')
})

test('octets behind the end of the message are no part of it', () => {
  assert.equal(decode('a\r\n.\r\n\0\n').fault, null)
})

test('the fast path does what the table says, wherever the octets are cut', () => {
  const parts = constantFrom('\r\n', '\r\n', '\r\n.', '.', '\r', '\n', '\0', 'a', 'some text', '\xff', '\r\n.\r\n')
  const wellFormed = constantFrom('\r\n', '\r\n.', 'x', 'some text', '.', '\r\n..\r\n')
  for (const part of [parts, wellFormed]) {
    const sent = array(part, { maxLength: 40 }).map(some => some.join(''))
    check(
      property(sent, array(integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, lengths) => {
        assert.deepEqual(decode(sent, lengths), decodeByTable(sent))
      }),
      { numRuns: 500 },
    )
  }
})

test('what our client encodes our server decodes', () => {
  const line = constantFrom('', '.', '..', '.x', 'text', 'x.', '\xe4')
  check(
    property(array(line), integer({ min: 1, max: 9 }), (lines, cut) => {
      const message = lines.map(text => `${text}\r\n`).join('')
      const encoder = new DataEncoder()
      const sent = Buffer.from(encoder.encode(Buffer.from(message, 'latin1'))).toString('latin1') + encoder.end()
      assert.deepEqual(decode(sent, [cut]), whole(message))
    }),
  )
})
