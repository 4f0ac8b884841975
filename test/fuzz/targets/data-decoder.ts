/** Dot transparency inwards: the fast path does what the table says, wherever the octets are cut. */

import assert from 'node:assert/strict'
import { DataDecoder, nextStep, type Position } from '../../../src/core/smtp/data-decoder.ts'
import { cutAnywhere, type FuzzTarget } from '../target.ts'

export const target: FuzzTarget = {
  name: 'data-decoder',
  seeds: [
    'Subject: a\r\n\r\ntext\r\n..dots\r\n.\r\nQUIT\r\n', '.\r\n', '\r\n.\r\n', 'no end', 'many\r\nlines\r\n\r\n\r\nof\r\ntext\r\nand\r\n...\r\n.\r\n', 'text\n.\nMAIL FROM:<eve@example.com>\r\n.\r\n',
  ].map(text => Buffer.from(text)),
  words: ['\r\n.', '\r\n.\r\n', '\r\n..', '\n.\n', '\r.\r', '\r\r\n', 'a line of text\r\n'],
  check(input, random) {
    const decoder = new DataDecoder()
    const texts: Buffer[] = []
    let read = 0
    for (const piece of cutAnywhere(input, random)) {
      if (decoder.ended) break
      const decoded = decoder.decode(piece)
      texts.push(decoded.text)
      read += decoded.read
    }
    assert.deepEqual({ text: Buffer.concat(texts).toString('latin1'), read, fault: decoder.fault, ended: decoder.ended }, byTable(input))
  },
}

function byTable(input: Buffer): object {
  let position: Position = 'lineStart'
  let [text, read, bare] = ['', 0, false]
  for (; read < input.length && position !== 'end'; read++) {
    const octet = input[read] ?? 0
    const step = nextStep(position, octet)
    if (step.isText) text += String.fromCharCode(octet)
    bare ||= step.bare
    position = step.to
  }
  return { text, read, fault: bare ? 'bareLineEnd' : text.includes('\0') ? 'nul' : null, ended: position === 'end' }
}
