import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, boolean, constantFrom, integer, property } from 'fast-check'
import type { Reply } from '../smtp/reply.ts'
import { LocalSession } from './local-session.ts'

type Held = { readonly groups: readonly string[]; readonly status: number; readonly problem: string | null; readonly unheard: number }

/**
 * The input in pieces of that length, to a relay that gives those replies, one for each group of octets
 * it gets, and `250` when they are used up; after `null` it is gone.
 */
function hold(input: string, replies: readonly (string | null)[], length = input.length || 1): Held {
  const session = new LocalSession()
  const waiting = [...replies]
  const groups: string[] = []
  let group = ''
  let unheard = 0
  for (let at = 0; session.turn !== 'nobody'; ) {
    const octets = session.next().toString('latin1')
    group += octets
    if (octets !== '') continue
    if (session.turn === 'relay') {
      groups.push(group)
      group = ''
      const reply = waiting.length === 0 ? '250 2.0.0 OK' : (waiting.shift() ?? null)
      if (!session.isHeard) unheard++
      if (reply === null) session.relayIsGone()
      else session.replied(asReply(reply))
    } else if (at < input.length) {
      session.feed(Buffer.from(input.slice(at, at + length), 'latin1'))
      at += length
    } else {
      session.end()
    }
  }
  if (group !== '') groups.push(group)
  return { groups, ...session.ending, unheard }
}

function asReply(text: string): Reply {
  const [code = '', enhanced = null, ...words] = text.split(' ')
  return { code: Number(code), enhanced, lines: [words.join(' ')] }
}

const ENVELOPE = ['EHLO me', 'MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.net>', 'DATA']
const TEXT = ['Subject: x', '', '..', '.']
const WHOLE = [...ENVELOPE, ...TEXT, 'QUIT', '']
const TAKEN = ['250', '250', '250', '354', '250', '221']

test('of a whole session, one command goes at a time, and the text as one', () => {
  const groups = ['EHLO me\r\n', 'MAIL FROM:<a@example.org>\r\n', 'RCPT TO:<b@example.net>\r\n', 'DATA\r\n', 'Subject: x\r\n\r\n..\r\n.\r\n', 'QUIT\r\n']
  for (const lineEnd of ['\r\n', '\n'])
    for (let length = 1; length < 40; length++)
      assert.deepEqual(hold(WHOLE.join(lineEnd), TAKEN, length), { groups, status: 0, problem: null, unheard: 0 })
})

test('where lines end with CRLF, a lone LF ends neither a line nor a message', () => {
  const smuggled = [...ENVELOPE, 'text\n.\nMAIL FROM:<c@example.org>', '.', 'NOOP\nRSET', 'QUIT', ''].join('\r\n')
  for (let length = 1; length < 40; length++) {
    const { groups } = hold(smuggled, ['250', '250', '250', '354', '550 5.6.0', '500'], length)
    assert.deepEqual(groups.slice(4), ['text\n.\nMAIL FROM:<c@example.org>\r\n.\r\n', 'NOOP\nRSET\r\n', 'QUIT\r\n'])
  }
})

test('chunks are octets whatever is in them, and each has one reply', () => {
  const input = 'EHLO me\nMAIL FROM:<>\nRCPT TO:<b@example.net>\nBDAT 7\na\r\nb\n.\nBDAT 0 LAST\nDATA\nx\n.\nBDAT 3\n\n\n\nQUIT'
  const expected = ['BDAT 7\r\na\r\nb\n.\n', 'BDAT 0 LAST\r\n', 'DATA\r\n', 'x\r\n.\r\n', 'BDAT 3\r\n\n\n\n', 'QUIT\r\n']
  for (let length = 1; length < 40; length++)
    assert.deepEqual(hold(input, ['250', '250', '250', '250', '250', '354', '250', '503', '221'], length).groups.slice(3), expected)
})

test('a response of AUTH is no command, whatever it looks like', () => {
  assert.deepEqual(hold('AUTH PLAIN\r\nBDAT 5\r\nQUIT\r\n', ['334', '535 5.7.8', '221']).groups, ['AUTH PLAIN\r\n', 'BDAT 5\r\n', 'QUIT\r\n'])
})

test('a line without end is not kept', () => {
  const long = `NOOP ${'x'.repeat(50_000)}`
  const session = new LocalSession()
  session.feed(Buffer.from(long))
  assert.ok(session.next().length > 50_000)
  assert.equal(session.turn, 'caller')
  for (const length of [1000, 20_000, 100_000]) assert.deepEqual(hold(`${long}\r\nQUIT\r\n`, ['500', '221'], length).groups, [`${long}\r\n`, 'QUIT\r\n'])
})

test('a caller that ends without QUIT has it said, and does not hear the reply', () => {
  const { groups, status, unheard } = hold([...ENVELOPE, ...TEXT, ''].join('\n'), TAKEN)
  assert.deepEqual([groups.at(-1), status, unheard], ['QUIT\r\n', 0, 1])
})

test('the exit code is 0 only if the relay has all that it was given', () => {
  const message = `${[...ENVELOPE, ...TEXT].join('\r\n')}\r\n`
  // prettier-ignore
  const cases: readonly (readonly [status: number, input: string, replies: readonly (string | null)[]])[] = [
    [0, 'EHLO me\r\nQUIT\r\n', []],
    [0, 'HELLO me\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n.\r\n', ['500 5.5.1', '250', '250', '354', '250']],
    // Nothing, or nothing whole, was given.
    [65, '', []], [65, 'EHLO me\r\n', []],
    [65, 'EHLO me\r\nMAIL FROM:<>\r\nQUIT\r\n', []],
    [65, message.slice(0, -5), TAKEN], [65, 'EHLO me\r\nMAIL FROM:<>\r\nBDAT 9\r\n12345678', []],
    // All of it was refused, or a part.
    [69, 'hello\r\n', ['500 5.5.1']],
    [77, message, ['250', '550 5.7.1']],
    [67, message, ['250', '250', '550 5.1.1', '554 5.5.1']],
    [75, message, ['250', '250', '250', '354', '451 4.3.0']],
    [69, message, ['250', '250', '451 4.3.0', '354', '554 5.6.0']],
    [67, message + message, ['250', '250', '550 5.1.1', '354', '250']],
    // The relay went away.
    [75, message, [null]], [75, message, ['421 4.3.2']], [75, message, ['250', '250', '250', '354', null]],
    [75, message + message, [...TAKEN.slice(0, 5), null]],
    [0, message + 'QUIT\r\n', [...TAKEN.slice(0, 5), null]], [0, message, [...TAKEN.slice(0, 5), null]],
  ]
  for (const [status, input, replies] of cases) assert.equal(hold(input, replies).status, status, JSON.stringify([input, replies]))
})

test('what goes to the relay does not depend on how the input came', () => {
  const part = constantFrom('EHLO me', 'DATA', 'BDAT 4', 'BDAT 2 LAST', 'QUIT', '.', 'text', '\r\n', '\n', '\r', '\r\n.\r\n')
  const reply = constantFrom('250', '354', '334', '550 5.7.1', '451', '421', null)
  check(
    property(array(part, { maxLength: 30 }), array(reply, { maxLength: 8 }), integer({ min: 1, max: 9 }), boolean(), (parts, replies, length, isCrlf) => {
      const input = `NOOP${isCrlf ? '\r\n' : '\n'}${parts.join('')}`
      const held = hold(input, ['250', ...replies], length)
      assert.deepEqual(held, hold(input, ['250', ...replies]))
      if (!isCrlf) assert.ok(held.groups.every(group => group.startsWith('BDAT') || !/[^\r]\n/.test(group)))
    }),
    { numRuns: 3000 },
  )
})
