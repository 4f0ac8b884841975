/** Replies of other servers: bounded, without control characters, and the same wherever they are cut. */

import assert from 'node:assert/strict'
import { parseExtensions } from '../../../src/core/smtp/extensions.ts'
import { ReplyParser } from '../../../src/core/smtp/reply-parser.ts'
import { cutAnywhere, type FuzzTarget } from '../target.ts'

export const target: FuzzTarget = {
  name: 'reply-parser',
  seeds: [
    '220 mx.example.net ESMTP\r\n', '250-mx.example.net\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-AUTH PLAIN\r\n250 CHUNKING\r\n', '250 2.1.0 OK\r\n354 go\r\n',
    '550-5.1.1 No such user\r\n550 5.1.1 here\r\n', '421\r\n', '250-one\r\n251 two\r\n',
  ].map(text => Buffer.from(text)),
  words: ['250-', '250 ', '550-5.7.1 ', '\r\n250 ', '4.0.0', '250-SIZE ', '250-LIMITS RCPTMAX=', 'a'.repeat(2040)],
  check(input, random) {
    const whole = repliesIn([input])
    const [cut, last] = [repliesIn(cutAnywhere(input, random)), whole.at(-1)]
    // What a broken line begins with is told as far as it has come; that it is broken is the same.
    assert.deepEqual(cut.filter(isReply), whole.filter(isReply))
    if (last !== undefined && !isReply(last)) assert.equal(cut.filter(reply => !isReply(reply)).length, 1)
  },
}

function isReply(text: string): boolean {
  return text.startsWith('{')
}

function repliesIn(pieces: readonly Buffer[]): readonly string[] {
  const parser = new ReplyParser()
  const replies: string[] = []
  for (const piece of pieces) {
    parser.feed(piece)
    for (let taken = parser.take(); taken !== null; taken = parser.take()) {
      if (!taken.ok) return [...replies, taken.problem.detail]
      const { code, lines } = taken.value
      assert.ok(code >= 200 && code < 600 && lines.length >= 1 && lines.length <= 128)
      for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u)
      parseExtensions(taken.value)
      replies.push(JSON.stringify(taken.value))
    }
  }
  return replies
}
