/** Lines of a client: the same ones wherever they are cut, and never more kept than the limit. */

import assert from 'node:assert/strict'
import { LineReader } from '../../../src/core/smtp/line-reader.ts'
import { commandLines } from '../seeds.ts'
import { cutAnywhere, type FuzzTarget } from '../target.ts'

const LIMIT_OCTETS = 60

export const target: FuzzTarget = {
  name: 'line-reader',
  seeds: commandLines().map(line => Buffer.concat([line, Buffer.from('\r\n')])),
  words: ['\r\n', '\r\n', 'a'.repeat(57), 'a'.repeat(58), 'a'.repeat(59)],
  check(input, random) {
    const whole = linesOf([input])
    assert.deepEqual(linesOf(cutAnywhere(input, random)), whole)
    for (const line of whole) if (line.startsWith('line ')) assert.doesNotMatch(line, /[\r\n]/)
  },
}

function linesOf(pieces: readonly Buffer[]): readonly string[] {
  const reader = new LineReader()
  const lines: string[] = []
  for (const piece of pieces) {
    reader.push(piece)
    for (let line = reader.readLine(LIMIT_OCTETS); line !== null; line = reader.readLine(LIMIT_OCTETS)) {
      lines.push(line.kind === 'line' ? `line ${line.text}` : line.kind)
      // The session ends here.
      if (line.kind === 'bareLineEnd') return lines
    }
    assert.ok(reader.unread.length <= LIMIT_OCTETS, `${reader.unread.length} octets are kept`)
  }
  return lines
}
