/** Header sections: what goes on is the same wherever it was cut, and ends with an empty line if anything follows (S14). */

import assert from 'node:assert/strict'
import { HeaderSection } from '../../../src/core/message/header-section.ts'
import { cutAnywhere, type FuzzTarget } from '../target.ts'

export const target: FuzzTarget = {
  name: 'header-section',
  seeds: [
    'Subject: a\r\nFrom: Ann <ann@example.org>\r\n folded\r\n\r\ntext\r\n', 'Authentication-Results: mx.example.org; spf=pass\r\nDate: x\r\n\r\n', 'Return-Path: <a@b>\r\nReceived : x\r\n',
    ' continues nothing\r\n', 'no field\r\nSubject: b\r\n', '\r\nbody', 'From: (a \\( comment) "q" <a@b>, c@d\r\nSender: e@f\r\n',
  ].map(text => Buffer.from(text)),
  words: ['Authentication-Results:', 'mx.example.org', 'Return-Path:', 'From:', 'Sender:', 'Received:', '\r\n ', '\r\n\t', '\r\n\r\n', '(', ')', '<>', '"'],
  check(input, random) {
    const submission = random.chance(0.5) ? { author: 'joe@example.org' } : null
    const readsAuthors = random.chance(0.5)
    const read = (pieces: readonly Buffer[]): string => {
      const section = new HeaderSection({ hostname: 'mx.example.org', submission, readsAuthors })
      const parts = [...pieces.flatMap(piece => section.take(piece)), ...section.finish()]
      const authors = JSON.stringify(section.authors)
      return authors + parts.map(part => (part.kind === 'body' ? Buffer.from(part.bytes).toString('latin1') : `(${JSON.stringify(part.completion)})`)).join('')
    }
    assert.equal(read(cutAnywhere(input, random)), read([input]))
  },
}
