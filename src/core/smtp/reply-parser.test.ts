import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Reply } from './reply.ts'
import { ReplyParser } from './reply-parser.ts'

function parse(text: string, size = text.length): unknown[] {
  const parser = new ReplyParser()
  const bytes = Buffer.from(text, 'latin1')
  const seen: unknown[] = []
  for (let at = 0; at < bytes.length; at += size) {
    parser.feed(bytes.subarray(at, at + size))
    for (let reply = parser.take(); reply !== null; reply = parser.take()) {
      seen.push(reply.ok ? reply.value : reply.problem.detail)
      if (!reply.ok) return seen
    }
  }
  return seen
}

test('replies of one and of several lines, in one packet or many (RFC 5321 §4.2.1)', () => {
  const text = '250-mx.example.net\r\n250-SIZE 1000\r\n250 8BITMIME\r\n354 go on\r\n221\r\n'
  const replies = [
    { code: 250, enhanced: null, lines: ['mx.example.net', 'SIZE 1000', '8BITMIME'] },
    { code: 354, enhanced: null, lines: ['go on'] },
    { code: 221, enhanced: null, lines: [''] },
  ]
  for (const size of [text.length, 1, 2, 7]) assert.deepEqual(parse(text, size), replies)
})

test('the enhanced status is taken from each line, if it fits the code (RFC 2034 §4)', () => {
  assert.deepEqual(parse('550-5.1.1 No such\r\n550 5.1.1 user\r\n'), [{ code: 550, enhanced: '5.1.1', lines: ['No such', 'user'] }])
  assert.deepEqual(parse('250 2.0.0\r\n'), [{ code: 250, enhanced: '2.0.0', lines: [''] }])
  assert.deepEqual(parse('250 5.0.0 odd\r\n'), [{ code: 250, enhanced: null, lines: ['5.0.0 odd'] }])
})

test('what is no reply is a problem, and says what was seen', () => {
  assert.deepEqual(parse('SSH-2.0-OpenSSH_9\r\n'), ['"SSH-2.0-OpenSSH_9" is no reply'])
  assert.deepEqual(parse('250-a\r\n251 b\r\n'), ['a reply with two codes, 250 and 251'])
  assert.deepEqual(parse('2500 a\r\n'), ['"2500 a" is no reply'])
  assert.deepEqual(parse('100 a\r\n'), ['"100 a" is no reply'])
})

test('S19: only CRLF ends a line', () => {
  for (const text of ['220 a\n', '220 a\n\r\n', '\r\n', '\n'])
    assert.equal(typeof parse(text)[0], 'string', JSON.stringify(text))
})

test('S19: an endless line and an endless reply end', () => {
  for (const size of [1000, 100_000]) {
    assert.deepEqual(parse(`220 ${'x'.repeat(100_000)}`, size), ['a reply line of more than 2048 octets'])
    assert.deepEqual(parse('250-more\r\n'.repeat(1000), size), ['a reply of more than 128 lines'])
  }
})

test('S10, S19: any bytes give replies without control characters, or a problem', () => {
  const line = fc.tuple(fc.constantFrom('250 ', '250-', '550 ', ''), fc.uint8Array({ maxLength: 50 }))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), fc.integer({ min: 1, max: 20 }), (lines, size) => {
      const bytes = lines.map(([code, text]) => code + Buffer.from(text).toString('latin1') + '\r\n').join('')
      for (const seen of parse(bytes, size)) {
        const texts = typeof seen === 'string' ? [seen] : (seen as Reply).lines
        for (const text of texts) assert.doesNotMatch(text, /\p{Cc}/u)
      }
    }),
  )
})

test('bytes behind a reply are seen to be there (S4)', () => {
  const parser = new ReplyParser()
  parser.feed(Buffer.from('220 go\r\n250'))
  parser.take()
  assert.equal(parser.hasUnread(), true)
})
