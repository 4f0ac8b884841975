/**
 * S18, the session's part: what one client can make us keep, and how long it can go on, is bounded.
 * Limits that transcripts cross are in test/transcripts; here is what they cannot show.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeaderScanner } from '../../src/core/message/header.ts'
import { HeaderSection, type HeaderTreatment, type MessagePart } from '../../src/core/message/header-section.ts'
import { IncomingMessage } from '../../src/core/smtp/incoming-message.ts'
import { LineReader } from '../../src/core/smtp/line-reader.ts'
import { ServerSession } from '../../src/core/smtp/server-session.ts'
import type { SessionInput } from '../../src/core/smtp/session-events.ts'
import { play, whole } from '../transcripts/play.ts'
import { siteSettings } from '../transcripts/site.ts'

const CHUNK = Buffer.alloc(64 * 1024, 'x')

test('S18: of a command line without end no more is kept than a line may have', () => {
  const reader = new LineReader()
  for (let chunk = 0; chunk < 100; chunk++) {
    reader.push(CHUNK)
    assert.equal(reader.readLine(512), null)
    assert.ok(reader.unread.length <= 512)
  }
  reader.push(Buffer.from('\r\nNOOP\r\n'))
  assert.deepEqual(reader.readLine(512), { kind: 'tooLong' })
  assert.deepEqual(reader.readLine(512), { kind: 'line', text: 'NOOP' })
})

test('S18: a line that trickles in octet by octet costs no more than its length', () => {
  const session = new ServerSession(siteSettings)
  session.handle({ kind: 'connected', address: '192.0.2.7', identity: { kind: 'plaintext' } })
  session.handle(accepted)
  for (let octet = 0; octet < 20_000; octet++) assert.deepEqual(session.handle({ kind: 'bytes', bytes: Buffer.from('x') }), [])
  assert.equal(session.handle({ kind: 'bytes', bytes: Buffer.from('\r\n') }).length, 1)
})

test('S18: a million header fields are counted, not kept, and the message is refused', () => {
  const message = new IncomingMessage({ ...siteSettings.limits, messageBytes: 1e9 }, RELAYED)
  const fields = Buffer.from('X: y\r\n'.repeat(1000))
  let stored = 0
  for (let thousand = 0; thousand < 1000; thousand++) stored += octetsOf(message.read(fields).store)
  message.read(Buffer.from('\r\n.\r\n'))
  assert.equal(message.ended, true)
  assert.equal(message.refusal()?.code, 552)
  assert.ok(stored < siteSettings.limits.headerBytes, 'nothing was stored after the limit was passed')
})

test('S18: a header that trickles in octet by octet is held in one buffer, and let go once it is refused', () => {
  const section = new HeaderSection(RELAYED)
  const before = process.memoryUsage().arrayBuffers
  for (let octet = 0; octet < 300_000; octet++) assert.equal(section.take(Buffer.from('X')).length, 0)
  assert.ok(process.memoryUsage().arrayBuffers - before < 8e6)
  section.forget()
  assert.equal(octetsOf(section.take(Buffer.from('\r\n'))), 2, 'nothing is held any more')
})

test('S18: a header line of many megabytes is one field', () => {
  const scanner = new HeaderScanner()
  scanner.scan(Buffer.from('Subject: '))
  for (let chunk = 0; chunk < 100; chunk++) scanner.scan(CHUNK)
  assert.deepEqual([scanner.fields, scanner.sizeBytes], [1, 9 + 100 * CHUNK.length])
})

test('S18: a message without end is cut off, and stored no further than the limit', () => {
  const limits = { ...siteSettings.limits, messageBytes: 1_000_000 }
  const message = new IncomingMessage(limits, RELAYED)
  let [stored, sent] = [0, 0]
  const line = Buffer.from(`${'x'.repeat(998)}\r\n`)
  message.read(Buffer.from('\r\n'))
  while (!message.isEndless) {
    stored += octetsOf(message.read(line).store)
    sent += line.length
  }
  assert.ok(stored <= limits.messageBytes)
  assert.ok(sent <= 4 * limits.messageBytes + line.length)
})

test('S18: text that begins with dots in every line is given out in one piece a chunk', () => {
  const message = new IncomingMessage({ ...siteSettings.limits, messageBytes: 1e9 }, RELAYED)
  message.read(Buffer.from('\r\n'))
  const { store } = message.read(Buffer.from('..\r\n'.repeat(10_000)))
  assert.deepEqual([store.length, octetsOf(store)], [1, 30_000])
})

test('S18: a flood of RCPT ends the session, refused or not', () => {
  const site = '* limit recipients 3\n* limit errors 4\n* connected 192.0.2.7\nC: HELO mail.example.com\nS: -\nC: MAIL FROM:<ann@example.com>\nS: -\n'
  const flood = (domain: string) => Array.from({ length: 1000 }, (_, at) => `C: RCPT TO:<a${at}@${domain}>`).join('\n')
  for (const domain of ['example.org', 'example.net']) {
    const written = play(`${site}${flood(domain)}\n`, whole)
    assert.match(written, /S: 421 4\.7\.0 mx\.example\.org Too many errors\n\* closed\n$/)
    assert.ok((written.match(/^S: /gm) ?? []).length < 15)
  }
})

const RELAYED: HeaderTreatment = { hostname: 'mx.example.org', submission: null, readsAuthors: false }

function octetsOf(parts: readonly MessagePart[]): number {
  return parts.reduce((sum, part) => sum + (part.kind === 'body' ? part.bytes.length : 0), 0)
}

const accepted: SessionInput = {
  kind: 'decided',
  decision: { id: 'D1', verdict: 'accept', reply: null, holdReason: null, relay: false, because: [] },
  host: { address: '192.0.2.7', name: null },
}
