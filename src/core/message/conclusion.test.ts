import assert from 'node:assert/strict'
import { test } from 'node:test'
import { envelopeTo } from '../../../test/support/queued.ts'
import { concludeAttempt } from './conclusion.ts'
import type { QueuedMessage, Recipient } from './envelope.ts'
import { outcomeOf, type AttemptProblem, type Outcome } from './outcome.ts'
import { DEFAULT_RETRY } from './retry.ts'

const HOUR = 3_600_000
const later: AttemptProblem = { kind: 'connectionFailed', peer: 'mx', detail: 'refused' }
const never: AttemptProblem = { kind: 'remoteReply', stage: 'rcpt', peer: 'mx', reply: { code: 550, enhanced: '5.1.1', lines: ['no'] } }
const taken: Outcome = { kind: 'delivered', by: 'mx', reply: { code: 250, enhanced: null, lines: ['ok'] } }

function message(reversePath: string, ...changes: Partial<Recipient>[]): QueuedMessage {
  const recipients = changes.map((change, i): Recipient => ({
    address: `r${i}@b`, state: 'leased', attempts: 0, dueAt: 0, lastReply: null, warned: false, ...change }))
  return {
    id: 'm', acceptedAt: 0, sizeBytes: 1, heldBecause: null, recipients,
    envelope: envelopeTo(recipients.map(({ address }) => address), { reversePath }),
    origin: { sessionId: 's', listener: 'mx', address: '', hello: '', fingerprint: null, holder: null, passwordId: null },
  }
}

const conclude = (message: QueuedMessage, outcomes: readonly Outcome[], now: number) =>
  concludeAttempt(message, [...outcomes.keys()], outcomes, { schedule: DEFAULT_RETRY, now, jitter: 0.5 })

test('each recipient goes its own way', () => {
  const { changes, failed, delayed } = conclude(message('a@b', {}, {}, {}), [taken, outcomeOf(never), outcomeOf(later)], HOUR)
  assert.deepEqual(changes.map(({ index, recipient: { state, attempts, lastReply } }) => [index, state, attempts, lastReply]), [
    [0, 'delivered', 1, '250 ok (mx)'],
    [1, 'failed', 1, '550 5.1.1 no (mx, after RCPT)'],
    [2, 'waiting', 1, 'no connection to mx: refused'],
  ])
  assert.equal(changes[2]?.recipient.dueAt, HOUR + 300_000)
  assert.deepEqual(failed, [{ address: 'r1@b', why: never, expired: false }])
  assert.deepEqual(delayed, [])
})

test('a recipient that is too old fails with the last temporary problem as its reason', () => {
  const { changes, failed } = conclude(message('a@b', { attempts: 40, warned: true }), [outcomeOf(later)], 120 * HOUR)
  assert.equal(changes[0]?.recipient.state, 'failed')
  assert.deepEqual(failed, [{ address: 'r0@b', why: later, expired: true }])
})

test('the sender hears of a delay once', () => {
  const first = conclude(message('a@b', { attempts: 6 }), [outcomeOf(later)], 4 * HOUR)
  assert.deepEqual(first.delayed, [{ address: 'r0@b', why: later, expired: false }])
  assert.equal(first.changes[0]?.recipient.warned, true)
  const second = conclude(message('a@b', { attempts: 7, warned: true }), [outcomeOf(later)], 8 * HOUR)
  assert.deepEqual(second.delayed, [])
})

test('S21: nobody is warned at the null reverse-path', () => {
  const { changes, delayed } = conclude(message('', { attempts: 6 }), [outcomeOf(later)], 4 * HOUR)
  assert.deepEqual(delayed, [])
  assert.equal(changes[0]?.recipient.warned, false)
})
