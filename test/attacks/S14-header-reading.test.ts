/**
 * S14: malformed headers. Whatever a stranger sends, the header that goes on has one reading: our own
 * Received field ends where we ended it, every line up to the empty one belongs to a field, and no
 * field speaks in our name or for somebody else.
 *
 * The readers here are not ours: a message is taken apart as simply as a mail program might.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, oneof, property, string } from 'fast-check'
import { authorsOf } from '../../src/core/message/authors.ts'
import { formatCompletion } from '../../src/core/message/completion.ts'
import { splitFields } from '../../src/core/message/fields.ts'
import { HeaderSection, type HeaderTreatment } from '../../src/core/message/header-section.ts'

const OURS = 'mx.example.org'
const RECEIVED = `Received: from x ([192.0.2.7])\r\n\tby ${OURS} (Postern) with ESMTP id q1;\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n`

/** As it goes on, with our own field on top. */
function treated(text: string, submission: HeaderTreatment['submission']): string {
  const section = new HeaderSection({ hostname: OURS, submission, readsAuthors: false })
  const parts = [...section.take(Buffer.from(text, 'latin1')), ...section.finish()]
  const stamp = { at: 0, id: 'q1', hostname: OURS }
  return RECEIVED + parts.map(part => (part.kind === 'body' ? Buffer.from(part.bytes).toString('latin1') : formatCompletion(part.completion, stamp))).join('')
}

const part = oneof(
  constantFrom('From', 'Date', 'Received', 'Message-ID', 'Return-Path', 'Authentication-Results', 'authentication-RESULTS', 'X'),
  constantFrom(':', ': ', ' :', '\t: ', ' ', '\t', '\r\n', '\r\n', '\r\n ', '\r\n\t', '\r\n\r\n', '\x01', '\xff', '\x7f'),
  constantFrom(OURS, 'MX.EXAMPLE.ORG.', '"mx.example.org"', '(', ')', '(x)', '"', ';', ' 1;', 'joe@example.org', 'none'),
)
const message = array(part, { maxLength: 40 }).map(parts => parts.join(''))
const submitted = constantFrom(null, { author: 'joe@example.org' }, { author: null })

/** Whole fields, unfolded, up to the empty line. Null if a line is none and continues none. */
function simplyRead(text: string): readonly string[] | null {
  const [header = ''] = `${text}\r\n`.split('\r\n\r\n')
  const unfolded = header.replaceAll(/\r\n(?=[ \t])/g, '')
  const lines = unfolded.split('\r\n').filter(line => line !== '')
  return lines.every(line => /^[!-9;-~]+[ \t]*:/.test(line)) ? lines : null
}

test('S14: every line of a header belongs to a field, and our own ends where we ended it', () => {
  check(
    property(message, submitted, (text, submission) => {
      const fields = simplyRead(treated(text, submission))
      assert.ok(fields !== null, 'a line that is no field')
      assert.equal(fields[0], RECEIVED.replaceAll(/\r\n(?=\t)/g, '').trimEnd())
    }),
    { numRuns: 5000 },
  )
})

test('S14: no field says in our name what an authentication found', () => {
  check(
    property(message, submitted, (text, submission) => {
      const claims = (simplyRead(treated(text, submission)) ?? []).filter(field => /^authentication-results[ \t]*:/i.test(field))
      for (const claim of claims) assert.doesNotMatch(claim, /^[^:]*:[ \t]*(?:\([^()]*\)[ \t]*)*"?mx\.example\.org(?![\w.-])/i)
    }),
    { numRuns: 5000 },
  )
})

test('S14: a submitted message has a date, an identification and an author, and no Return-Path', () => {
  check(
    property(message, text => {
      const names = (simplyRead(treated(text, { author: 'joe@example.org' })) ?? []).map(field => field.split(':')[0]?.trim().toLowerCase())
      for (const name of ['date', 'message-id', 'from']) assert.ok(names.includes(name), name)
      assert.ok(!names.includes('return-path'))
    }),
    { numRuns: 2000 },
  )
})

test('S14: nothing but those fields is taken out or put in', () => {
  check(
    property(message, text => {
      // Without what would be taken out, and with a header that ends as it should, all of it goes on.
      const kept = text.replaceAll(/authentication-results/gi, 'X')
      const out = treated(kept, null).slice(RECEIVED.length)
      assert.ok(out === kept || out.replace('\r\n', '') === kept || withoutOneLineEnd(out, kept), JSON.stringify([kept, out]))
    }),
    { numRuns: 2000 },
  )
})

function withoutOneLineEnd(longer: string, text: string): boolean {
  for (let at = longer.indexOf('\r\n'); at !== -1; at = longer.indexOf('\r\n', at + 1)) {
    if (longer.slice(0, at) + longer.slice(at + 2) === text) return true
  }
  return false
}

const inFrom = oneof(
  constantFrom('joe@example.org', 'boss@example.org', '<joe@example.org>', '<boss@example.org>', 'Joe', '"', '""', '(', ')', '\\', ',', ';', ':', '@', '<', '>', ' ', '\r\n '),
  constantFrom('"boss@example.org"', '(boss@example.org)', 'boss@example.org (', 'Us:', '=?utf-8?q?boss?=', '.', '[', ']'),
  string({ maxLength: 3 }),
)

test('S14: an author that is read as joe is nobody else to a simple reader', () => {
  check(
    property(array(inFrom, { maxLength: 10 }), parts => {
      const text = parts.join('')
      const section = Buffer.from(`From: ${text}\r\n`)
      const { from, fault } = authorsOf(section, splitFields(section), null)
      if (fault !== null || !from.every(address => address === 'joe@example.org')) return
      const bare = text.replaceAll('\r\n', '').replaceAll(/"(?:[^"\\]|\\.)*"/g, ' "" ').replaceAll(/\((?:[^()\\]|\\.)*\)/g, ' ')
      if (/[()]/.test(bare)) return
      for (const [found] of bare.matchAll(/[^\s<>,;:@"[\]]+@[^\s<>,;:@"]+/g)) assert.equal(found.toLowerCase().replace(/\.$/, ''), 'joe@example.org', text)
    }),
    { numRuns: 20_000 },
  )
})
