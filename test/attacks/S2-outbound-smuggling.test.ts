/**
 * S2: no bare CR or LF ever leaves, and every line is dot-stuffed: whatever a stored message holds, the
 * next server reads one message, and reads it as it was stored.
 */

import assert from 'node:assert/strict'
import { deliveryTo } from '../support/client-scripts.ts'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { BodyType } from '../../src/core/message/envelope.ts'
import type { GreetingPlan } from '../../src/core/smtp/client-greeting.ts'
import { Connection } from '../../src/relay/connection.ts'
import type { Body } from '../../src/relay/ports.ts'
import { channelToServer, type Stored } from '../delivery/halves.ts'
import { policyWith } from '../support/policies.ts'

const NO_TLS = { serverName: 'mx.test', trustedPem: null, certificatePem: null, keyPem: null, options: 0, ciphers: null }

const PLAN: GreetingPlan = {
  peer: 'mx.test', server: { name: 'mx.test', address: '192.0.2.7' }, helloName: 'us', ownNames: new Set(), ignoredKeywords: [], tls: 'none', requireTls: false, implicitTls: false, fallsBack: false,
  tlsLine: null, clearBecause: null,
}

/** Sends messages over one connection, cut as `cuts` say. */
async function send(
  messages: readonly Buffer[],
  chunkSize: number,
  cuts: readonly number[],
  bodyType: BodyType = '8BITMIME',
): Promise<readonly Stored[]> {
  let at = 0
  const { channel, stored } = channelToServer(() => cuts[at++ % cuts.length] ?? 1)
  const connection = new Connection(channel, NO_TLS, policyWith(''))
  const ready = await connection.greet(PLAN)
  assert.ok(ready.ok)
  for (const message of messages) {
    const delivery = deliveryTo(['c@d.test'], { reversePath: 'a@b.test', bodyType, sizeBytes: message.length })
    const { outcomes } = await connection.deliver(delivery, bodyOf(message, chunkSize))
    assert.equal(outcomes[0]?.kind, 'delivered', JSON.stringify(outcomes))
  }
  await connection.quit()
  return stored
}

function bodyOf(message: Buffer, chunkSize: number): Body {
  return {
    sizeBytes: message.length,
    *chunks() {
      for (let at = 0; at < message.length; at += chunkSize) yield message.subarray(at, at + chunkSize)
    },
  }
}

/** CR and LF together only, and the length the same. */
function asText(message: Buffer): string {
  return message.toString('latin1').replaceAll(/\r(?!\n)|(?<!\r)\n/g, ' ')
}

/** What the other side must have by DATA: the last line ended, too. */
function expected(message: Buffer): string {
  const text = asText(message)
  return text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`
}

const pieces = fc.constantFrom(
  '\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r\n', '\r\n.\r', '\r.\r', '\r\n.\r\n', '\r\n..\r\n', '.\r\n', '\r', '\n', '.', '..', 'text', '\r\n', '\xff',
  '\r\n.\r\nMAIL FROM:<evil@x>\r\nRCPT TO:<v@y>\r\nDATA\r\nFrom: ceo\r\n\r\npay\r\n.\r\n',
)
const message = fc.array(pieces, { maxLength: 30 }).map(parts => Buffer.from(`Subject: s2\r\n\r\n${parts.join('')}`, 'latin1'))

test('S2: a stored message is one message at the next server, however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 80 }), fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 }),
      async (messages, chunkSize, cuts) => {
        const stored = await send(messages, chunkSize, cuts)
        assert.deepEqual(stored.map(({ bytes }) => bytes.toString('latin1')), messages.map(expected))
      }),
    { numRuns: 300 },
  )
})

const chunkSizes = fc.integer({ min: 1, max: 80 })
const cutLengths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 })

test('S2: a binary message is one message at the next server, octet by octet the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 3 }), chunkSizes, cutLengths, async (messages, chunkSize, cuts) => {
      const stored = await send(messages, chunkSize, cuts, 'BINARYMIME')
      assert.deepEqual(stored.map(({ bytes }) => bytes.toString('latin1')), messages.map(message => message.toString('latin1')))
      assert.ok(stored.every(({ envelope }) => envelope.bodyType === 'BINARYMIME'))
    }),
    { numRuns: 300 },
  )
})

test('S2: text that is large enough for BDAT has no CR or LF of its own either', async () => {
  const padding = Buffer.from(`Subject: s2\r\n\r\n${'a line of text\r\n'.repeat(4096)}`)
  await fc.assert(
    fc.asyncProperty(message, chunkSizes, fc.integer({ min: 200, max: 70_000 }), async (message, chunkSize, cut) => {
      const large = Buffer.concat([padding, message])
      const stored = await send([large, message], chunkSize * 100, [cut])
      assert.deepEqual(stored.map(({ bytes }) => bytes.toString('latin1')), [asText(large), expected(message)])
    }),
    { numRuns: 50 },
  )
})

test('S2: each known form of a false end arrives as text', async () => {
  for (const end of ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r\n', '\r\n.\r', '\r.\r', '\r\n.\r\n', '\r\n \n.\r\n']) {
    const text = Buffer.from(`Subject: s2\r\n\r\nbefore${end}MAIL FROM:<evil@x>\r\nafter\r\n`, 'latin1')
    const stored = await send([text], text.length, [text.length * 3])
    assert.equal(stored.length, 1, JSON.stringify(end))
    assert.equal(stored[0]?.bytes.toString('latin1'), expected(text))
  }
})

test('an envelope arrives as it was meant, however it is cut', async () => {
  const forwardPaths = ['ann@b.test', '"quoted @ local"@b.test', 'c@[192.0.2.1]']
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }), async cuts => {
      let at = 0
      const { channel, stored } = channelToServer(() => cuts[at++ % cuts.length] ?? 1)
      const connection = new Connection(channel, NO_TLS, policyWith(''))
      await connection.greet(PLAN)
      const delivery = deliveryTo(forwardPaths, { reversePath: '', sizeBytes: 3 })
      await connection.deliver(delivery, bodyOf(Buffer.from('A: b\r\n\r\n'), 100))
      assert.deepEqual([stored[0]?.envelope.reversePath, stored[0]?.envelope.recipients.map(({ forwardPath }) => forwardPath)], ['', forwardPaths])
    }),
    { numRuns: 100 },
  )
})
