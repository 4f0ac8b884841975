import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Decision, Verdict } from '../policy/decision.ts'
import { fateOf, MailTransaction, worseFate } from './mail-transaction.ts'
import type { MessageFate } from './session-events.ts'

const queue: MessageFate = { kind: 'queue' }
const hold: MessageFate = { kind: 'hold', because: 'one' }
const otherHold: MessageFate = { kind: 'hold', because: 'other' }
const discard: MessageFate = { kind: 'discard' }

function decision(verdict: Verdict, holdReason: string | null = null): Decision {
  return { id: 'D1', verdict, reply: null, holdReason, relay: false, because: [] }
}

test('a verdict says what becomes of a message', () => {
  assert.deepEqual(fateOf(decision('accept')), queue)
  assert.deepEqual(fateOf(decision('refuse')), queue)
  assert.deepEqual(fateOf(decision('quarantine', 'one')), hold)
  assert.deepEqual(fateOf(decision('quarantine')), { kind: 'hold', because: '' })
  assert.deepEqual(fateOf(decision('discard')), discard)
})

test('dropping goes before holding, and holding before queueing', () => {
  const order: readonly (readonly [MessageFate, MessageFate, MessageFate])[] = [
    [queue, queue, queue],
    [queue, hold, hold],
    [hold, queue, hold],
    [hold, otherHold, hold],
    [discard, hold, discard],
    [hold, discard, discard],
    [queue, discard, discard],
    [discard, queue, discard],
  ]
  for (const [one, other, both] of order) assert.deepEqual(worseFate(one, other), both)
})

test('the envelope is what MAIL and the accepted RCPTs said', () => {
  const transaction = new MailTransaction('ann@example.com', { sizeBytes: 12, bodyType: '8BITMIME', utf8: true, tls: 'required', returned: 'HDRS', envelopeId: 'QQ314159', deliverBy: null, hold: null, priority: 3 }, queue)
  transaction.add({ forwardPath: 'joe@example.org', notify: null, originalRecipient: null })
  transaction.add({ forwardPath: 'jane@example.org', notify: [], originalRecipient: 'rfc822;jane@example.com' })
  assert.equal(transaction.recipients, 2)
  assert.deepEqual(transaction.envelope(), {
    reversePath: 'ann@example.com',
    recipients: [
      { forwardPath: 'joe@example.org', notify: null, originalRecipient: null },
      { forwardPath: 'jane@example.org', notify: [], originalRecipient: 'rfc822;jane@example.com' },
    ],
    bodyType: '8BITMIME',
    utf8: true,
    tls: 'required',
    declaredSizeBytes: 12,
    returned: 'HDRS',
    envelopeId: 'QQ314159',
    deliverBy: null,
    hold: null,
    priority: 3,
  })
})
