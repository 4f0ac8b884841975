/**
 * S30: pipelining abuse. What arrives before the reply that decides what may come next was not said
 * to us in this dialogue: it is refused, and the connection closed.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServerSession } from '../../src/core/smtp/server-session.ts'
import type { SessionInput } from '../../src/core/smtp/session-events.ts'
import { conversationWith, type PlayedClient } from '../support/conversations.ts'
import { play, whole } from '../transcripts/play.ts'
import { siteSettings } from '../transcripts/site.ts'

const accepted: Extract<SessionInput, { kind: 'decided' }> = {
  kind: 'decided',
  decision: { id: 'D1', verdict: 'accept', reply: null, holdReason: null, relay: false, because: [] },
  host: { address: '192.0.2.7', name: null },
}

test('S30: data before the banner', () => {
  const session = new ServerSession(siteSettings)
  session.handle({ kind: 'connected', address: '192.0.2.7', identity: { kind: 'plaintext' } })
  session.handle({ kind: 'bytes', bytes: Buffer.from('EHLO bot.example.com\r\nMAIL FROM:<a@example.com>\r\n') })
  const [reply, close] = session.handle(accepted)
  assert.equal(reply?.kind === 'reply' && reply.reply.code, 554)
  assert.equal(close?.kind, 'close')
})

test('S30: a conversation hands over what came before the banner, and says no more', async () => {
  const written: string[] = []
  const client: PlayedClient = {
    early: () => Promise.resolve(Buffer.from('EHLO bot.example.com\r\n')),
    read: () => Promise.resolve(null),
    write: bytes => void written.push(String(bytes)),
    close: () => void written.push('closed'),
  }
  await conversationWith(client).run({ kind: 'plaintext' })
  assert.match(written.join(''), /^554 5\.5\.0 [^\r\n]*\r\nclosed$/)
})

const early: readonly (readonly [after: string, before: readonly string[], line: string])[] = [
  ['EHLO', [], 'EHLO bot.example.com'],
  ['DATA', ['EHLO bot.example.com', 'MAIL FROM:<a@example.com>', 'RCPT TO:<joe@example.org>'], 'DATA'],
  ['DATA, even if DATA is refused', ['EHLO bot.example.com'], 'DATA'],
]

for (const [after, before, line] of early) {
  test(`S30: data after ${after} without waiting`, () => {
    const waited = before.map(command => `C: ${command}\nS: -\n`).join('')
    const written = play(`* connected 192.0.2.7\n${waited}C: ${line}\nC: Subject: not a command\nC: .\nC: MAIL FROM:<eve@example.com>\n`, whole)
    assert.match(written, /C: MAIL FROM:<eve@example\.com>\nS: 503 5\.5\.0 Wait for the reply to (EHLO|DATA) before you go on\n\* closed\n$/)
  })
}

test('S30: data after AUTH without waiting', () => {
  const written = play('* connected 192.0.2.7 as joe\nC: EHLO bot.example.com\nS: -\nC: AUTH EXTERNAL\nC: =\nC: MAIL FROM:<joe@example.org>\n', whole)
  assert.match(written, /S: 503 5\.5\.0 Wait for the reply to AUTH before you go on\n\* closed\n$/)
})
