/** Messages outwards, by DATA and by BDAT: no CR or LF of its own leaves (S2), and our decoder gets back what was meant. */

import assert from 'node:assert/strict'
import { ChunkEncoder } from '../../../src/core/smtp/chunk-encoder.ts'
import { DataDecoder } from '../../../src/core/smtp/data-decoder.ts'
import { DataEncoder } from '../../../src/core/smtp/data-encoder.ts'
import { cutAnywhere, type FuzzTarget } from '../target.ts'

export const target: FuzzTarget = {
  name: 'data-encoder',
  seeds: ['Subject: a\r\n\r\n.dots\r\n.\r\n..\r\nend\r\n', 'a\nb\rc\r\r\n\n.\n', '.', '\r', '\r\n.\r\n'].map(text => Buffer.from(text)),
  words: ['\r\n.', '\n.\n', '\r.\r', '\r\r\n', 'a line of text\r\n'],
  check(input, random) {
    const text = input.toString('latin1').replaceAll(/\r(?!\n)|(?<!\r)\n/g, ' ')
    const dotted = encoded(new DataEncoder(), cutAnywhere(input, random))
    assert.doesNotMatch(dotted.toString('latin1'), /\r(?!\n)|(?<!\r)\n/)
    const decoder = new DataDecoder()
    const decoded = decoder.decode(dotted)
    assert.deepEqual([decoder.ended, decoded.read], [true, dotted.length])
    if (!text.includes('\0')) assert.equal(decoder.fault, null)
    assert.equal(decoded.text.toString('latin1'), text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`)

    assert.equal(encoded(new ChunkEncoder(input.length, false), cutAnywhere(input, random)).toString('latin1'), text)
    assert.ok(encoded(new ChunkEncoder(input.length, true), cutAnywhere(input, random)).equals(input))
  },
}

function encoded(encoder: DataEncoder | ChunkEncoder, pieces: readonly Buffer[]): Buffer {
  return Buffer.concat([...pieces.map(piece => Buffer.from(encoder.encode(piece))), Buffer.from(encoder.end(), 'latin1')])
}
