/** S18: clients that hold a connection by being busy: a message that never ends, a thousand commands at once. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Conversation } from '../../src/relay/conversation.ts'
import { Visit } from '../../src/relay/limiter.ts'
import type { Draft } from '../../src/relay/ports.ts'
import { conversationWith, turn, type PlayedClient } from '../support/conversations.ts'
import { anyVisit, limiterWith, noRates, noTerms } from '../support/visits.ts'
import { siteSettings } from '../transcripts/site.ts'

const { dataSeconds, messageSeconds } = siteSettings.limits

test('S18: a message that trickles in steadily has a time in all', async () => {
  const client = start()
  await client.send('HELO slow.example.com\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<joe@example.org>\r\n')
  await client.send('DATA\r\n')
  const openedAt = client.now
  while (client.now - openedAt < (messageSeconds - dataSeconds) * 1000) {
    assert.ok(client.conversation.deadline > client.now, 'each line comes in time')
    client.now += (dataSeconds - 60) * 1000
    await client.send('another line\r\n')
  }
  assert.equal(client.conversation.deadline, openedAt + messageSeconds * 1000)
  client.conversation.timeOut(client.conversation.deadline + 1)
  await turn()
  assert.match(client.written.join(''), /354 [^\r\n]*\r\n421 4\.4\.2 [^\r\n]*\r\nclosed$/)
  assert.equal(client.dropped(), 1)
})

test('S18: a command that comes byte by byte has no more time than one that does not come', async () => {
  const client = start()
  await turn()
  const { deadline } = client.conversation
  for (const byte of 'NOOP\r') {
    client.now += 1000
    await client.send(byte)
    assert.equal(client.conversation.deadline, deadline)
  }
  await client.send('\n')
  assert.equal(client.conversation.deadline, deadline + client.now)
})

test('S18: one that sends a thousand commands at once stands back for others', async () => {
  const client = start()
  await client.send(`HELO busy.example.com\r\n${'MAIL FROM:<a@example.com>\r\nRSET\r\n'.repeat(500)}`)
  assert.equal((client.written.join('').match(/^250 2\.1\.0/gm) ?? []).length, 50, 'as many as one connection may have')
  assert.ok(client.stoodBack() >= 1, `it stood back ${client.stoodBack()} times`)
})

test('S18: it stands back for others between packets of commands that need nobody', async () => {
  const client = start()
  const packets = 20
  for (let sent = 0; sent < packets; sent++) client.queue('NOOP\r\n'.repeat(100))
  await client.send('HELO busy.example.com\r\n')
  assert.equal((client.written.join('').match(/^250 2\.0\.0 OK/gm) ?? []).length, packets * 100)
  assert.ok(client.stoodBack() >= packets - 1, `it stood back ${client.stoodBack()} times in ${packets} packets`)
})

test('S18: octets of a message that is never finished are charged like any others', async () => {
  const visit = limiterWith({ address: { ...noRates, bytes: { amount: 1000, seconds: 60 } } }).admit('192.0.2.7', noTerms, 0)
  assert.ok(visit instanceof Visit)
  const client = start(visit)
  await client.send('HELO rude.example.com\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<joe@example.org>\r\n')
  await client.send('DATA\r\n')
  await client.send(`Subject: x\r\n\r\n${'x'.repeat(5000)}\r\n`)
  client.leave()
  await turn()
  assert.equal(client.dropped(), 1)
  assert.equal(visit.excess('bytes', 0)?.what, 'bytes')
})

/** A client that sends what the test says. */
function start(visit: Visit = anyVisit()) {
  const written: string[] = []
  const waiting: Uint8Array[] = []
  let answer: ((bytes: Uint8Array | 'woken' | null) => void) | null = null
  let [stoodBack, dropped, woken] = [0, 0, false]
  const played: PlayedClient = {
    standBack: () => Promise.resolve(void stoodBack++),
    read: () => {
      const bytes = waiting.shift()
      if (bytes !== undefined) return bytes
      if (woken) return Promise.resolve('woken')
      return new Promise(resolve => (answer = resolve))
    },
    wake: () => {
      woken = answer === null
      answer?.('woken')
    },
    write: bytes => void written.push(String(bytes)),
    close: () => {
      if (written.at(-1) !== 'closed') written.push('closed')
      answer?.(null)
    },
  }
  const draft: Draft = { sizeBytes: 0, write: () => {}, drop: () => Promise.resolve(void dropped++) }
  const client = { now: 0, written, stoodBack: () => stoodBack, dropped: () => dropped, send, queue, leave: () => answer?.(null), conversation: null as unknown as Conversation }
  client.conversation = conversationWith(played, { now: () => client.now, openDraft: () => draft, visit })
  void client.conversation.run({ kind: 'plaintext' })
  return client

  function queue(text: string): void {
    waiting.push(Buffer.from(text))
  }

  async function send(text: string): Promise<void> {
    await turn()
    const bytes = Buffer.from(text)
    if (answer === null) waiting.push(bytes)
    else answer(bytes)
    answer = null
    await turn()
  }
}
