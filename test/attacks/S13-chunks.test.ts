/**
 * S13: BDAT. Servers have lost count of octets, of sizes and of their own state with it. Here every
 * size is read or refused, every announced octet is read over and none is taken for a command, and a
 * message is stored whole or not at all.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Conversation } from '../../src/relay/conversation.ts'
import { conversationWith } from '../support/conversations.ts'
import { play, type Cut } from '../transcripts/play.ts'
import { siteSettings } from '../transcripts/site.ts'

const HELLO = '* connected 192.0.2.7\nC: HELO mail.example.com\n'
const ENVELOPE = 'C: MAIL FROM:<ann@example.com>\nC: RCPT TO:<joe@example.org>\n'

/** What is heard, with the octets of the client whole and then cut in two at each place. */
function heard(source: string): readonly string[] {
  const answers = (cut?: Cut): readonly string[] => play(source, cut).split('\n').filter(line => /^[S*]/.test(line) && !line.startsWith('* limit'))
  const whole = answers()
  for (let at = 1; at < source.length; at++) {
    assert.deepEqual(answers(octets => [octets.subarray(0, at), octets.subarray(at)]), whole, `cut at ${at}`)
  }
  return whole
}

/** The replies to what follows the envelope, by their codes. */
function codesAfterEnvelope(source: string, before = ''): readonly string[] {
  const lines = heard(`${before}${HELLO}${ENVELOPE}${source}`)
  return lines.slice(5).map(line => (line.startsWith('S: ') ? line.slice(3, 6) : line.replace(/ from .* to <\S+>/, '')))
}

test('S13: BDAT 0 is a chunk, and BDAT 0 LAST the end, also of nothing', () => {
  assert.deepEqual(codesAfterEnvelope('C: BDAT 0\nC: BDAT 0\nC: BDAT 0 LAST\n'), ['250', '250', '* stored ""', '250'])
  assert.deepEqual(codesAfterEnvelope('C: BDAT 0 LAST\nC: NOOP\n'), ['* stored ""', '250', '250'])
})

test('S13: a size that is none ends the session, since nobody knows what follows it', () => {
  for (const size of ['-1', '+1', ' 1', '0x10', '1e3', '1.5', '1,000', '٣', '', '1 FIRST', 'LAST', '1LAST', '1 LAST 2', '184467440737095516171', '9'.repeat(600)]) {
    const told = codesAfterEnvelope(`C: BDAT ${size}\nC: RSET\nC: MAIL FROM:<eve@example.com>\n`)
    assert.deepEqual(told, ['501', '* closed'], `BDAT ${size}`)
  }
})

test('S13: a size beyond what any message may have ends the session before an octet is awaited', () => {
  for (const size of ['80001', '4294967296', '4294967301', '9007199254740993', '18446744073709551615', '18446744073709551617', '99999999999999999999']) {
    for (const source of [`C: BDAT ${size}\n`, `C: BDAT ${size} LAST\n`, `C: BDAT 0\nC: BDAT ${size}\n`]) {
      assert.deepEqual(codesAfterEnvelope(`${source}C: RSET\n`).slice(-2), ['552', '* closed'], source)
    }
    assert.deepEqual(heard(`* connected 192.0.2.7\nC: BDAT ${size}\nC: RSET\n`).slice(-2), ['S: 552 5.3.4 Messages are limited to 20000 octets', '* closed'])
  }
})

test('S13: zeros in front do not make a number octal', () => {
  assert.deepEqual(codesAfterEnvelope('C: BDAT 0010 LAST\nC~ "A: b\\r\\n\\r\\n12"\nC: NOOP\n'), ['* stored "A: b\\r\\n\\r\\n12"', '250', '250'])
})

test('S13: chunks together are limited as one message is', () => {
  const limit = '* limit messageBytes 10\n'
  assert.deepEqual(codesAfterEnvelope('C: BDAT 6\nC~ "RSET\\r\\n"\nC: BDAT 6\nC~ "QUIT\\r\\n"\nC: BDAT 6 LAST\nC~ "QUIT\\r\\n"\nC: NOOP\n', limit), ['250', '* dropped', '552', '503', '250'])
  const small = 'C: BDAT 6\nC~ "RSET\\r\\n"\n'
  assert.deepEqual(codesAfterEnvelope(small.repeat(7), limit), ['250', '* dropped', '552', '503', '503', '503', '503', '503'])
  assert.deepEqual(codesAfterEnvelope(small.repeat(9), limit).slice(-2), ['552', '* closed'], 'patience ends')
})

test('S13: DATA after BDAT is refused, and the message gone', () => {
  const lines = heard(`${HELLO}${ENVELOPE}C: BDAT 6\nC~ "A: b\\r\\n"\nS: -\nC: DATA\nS: -\nC: BDAT 6 LAST\nC~ "QUIT\\r\\n"\n${ENVELOPE}C: BDAT 0 LAST\n`)
  assert.deepEqual(lines.slice(6).map(line => line.slice(0, 6)), ['* drop', 'S: 503', 'S: 503', 'S: 250', 'S: 250', '* stor', 'S: 250'])
})

test('S13: what is pipelined behind the last chunk is commands, and the next message its own', () => {
  const message = 'C: BDAT 6 LAST\nC~ "A: b\\r\\n"\n'
  assert.deepEqual(codesAfterEnvelope(`${message}${ENVELOPE}${message}C: QUIT\n`), ['* stored "A: b\\r\\n"', '250', '250', '250', '* stored "A: b\\r\\n"', '250', '221', '* closed'])
  assert.deepEqual(codesAfterEnvelope(`${message}${message}`), ['* stored "A: b\\r\\n"', '250', '503'])
})

test('S13: RSET, EHLO and QUIT between chunks leave nothing of the message', () => {
  const chunk = 'C: BDAT 6\nC~ "A: b\\r\\n"\n'
  assert.deepEqual(codesAfterEnvelope(`${chunk}C: RSET\n${ENVELOPE}C: BDAT 0 LAST\n`), ['250', '* dropped', '250', '250', '250', '* stored ""', '250'])
  assert.deepEqual(codesAfterEnvelope(`${chunk}C: HELO again\n${ENVELOPE}C: BDAT 0 LAST\n`), ['250', '* dropped', '250', '250', '250', '* stored ""', '250'])
  assert.deepEqual(codesAfterEnvelope(`${chunk}C: QUIT\n`), ['250', '221', '* closed'])
})

test('S13: the octets of a chunk that nobody wants are no commands, whatever was refused', () => {
  const chunk = 'C: BDAT 12\nC~ "RSET\\r\\nQUIT\\r\\n"\nC: BDAT 6 LAST\nC~ "QUIT\\r\\n"\nC: NOOP\n'
  const codes = (source: string): readonly string[] => heard(source).map(line => line.slice(0, 6))
  assert.deepEqual(codes(`* connected 192.0.2.7\n${chunk}`), ['* conn', 'S: 220', 'S: 503', 'S: 503', 'S: 250'])
  assert.deepEqual(codes(`${HELLO}${chunk}`), ['* conn', 'S: 220', 'S: 250', 'S: 503', 'S: 503', 'S: 250'])
  assert.deepEqual(codes(`${HELLO}C: MAIL FROM:<refused@example.com>\nC: RCPT TO:<joe@example.org>\n${chunk}`).slice(3), ['S: 550', 'S: 503', 'S: 503', 'S: 503', 'S: 250'])
  assert.deepEqual(codes(`${HELLO}C: MAIL FROM:<ann@example.com>\nC: RCPT TO:<joe@example.net>\n${chunk}`).slice(3), ['S: 250', 'S: 550', 'S: 554', 'S: 503', 'S: 250'])
})

test('S13: a connection that ends within a chunk or between two leaves nothing', async () => {
  const envelope = 'HELO client\r\nMAIL FROM:<ann@example.com>\r\nRCPT TO:<joe@example.org>\r\n'
  for (const [last, end] of [['BDAT 20 LAST\r\nA: b\r\n', 'within the last'], ['BDAT 20\r\nA: b\r\n', 'within one'], ['BDAT 6\r\nA: b\r\n', 'between']] as const) {
    assert.deepEqual(await converse([`${envelope}${last}`]), ['opened', 'dropped'], end)
  }
  assert.deepEqual(await converse([`${envelope}BDAT 6 LAST\r\nA: b\r\n`]), ['opened', 'accepted'])
})

test('S13: a client that sends chunk upon chunk gets no message in after its certificate was revoked', async () => {
  const message = 'MAIL FROM:<ann@example.com>\r\nRCPT TO:<joe@example.org>\r\nBDAT 6 LAST\r\nA: b\r\n'
  let asked = 0
  const happened = await converse([`HELO client\r\n${message.repeat(4)}`], undefined, () => (++asked > 2 ? 'revoked' : null))
  assert.deepEqual(happened, ['opened', 'accepted', 'opened', 'accepted', 'opened', 'dropped', 'opened', 'dropped'])
})

test('S13: a chunk that nobody wants has the time of one command, however it trickles in', async () => {
  const deadlines: number[] = []
  const trickle = ['HELO client\r\n', 'BDAT 9 LAST\r\n', ...'QUIT\r\n..']
  await converse(trickle, deadline => deadlines.push(deadline))
  assert.equal(new Set(deadlines.slice(2)).size, 1, 'octets move no deadline')
  assert.equal(deadlines[2], 1000 + siteSettings.limits.commandSeconds * 1000)
})

/** A client that says something, a piece each second, and goes. What became of the drafts. */
async function converse(said: readonly string[], beforeEach = (_deadline: number): void => {}, whyWithdrawn = (): string | null => null): Promise<readonly string[]> {
  const happened: string[] = []
  const waiting = said.map(text => Buffer.from(text))
  let now = 0
  const client = {
    read: (): Promise<Uint8Array | null> => {
      beforeEach(conversation.deadline)
      now += 1000
      return Promise.resolve(waiting.shift() ?? null)
    },
  }
  const conversation: Conversation = conversationWith(client, {
    now: () => now,
    whyWithdrawn,
    accept: () => Promise.resolve(void happened.push('accepted')),
    openDraft: () => {
      happened.push('opened')
      return { sizeBytes: 0, write: () => {}, drop: () => Promise.resolve(void happened.push('dropped')) }
    },
  })
  await conversation.run({ kind: 'plaintext' })
  return happened
}
