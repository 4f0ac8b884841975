import assert from 'node:assert/strict'
import { test } from 'node:test'
import { envelopeTo } from '../../../test/support/queued.ts'
import { concludeAttempt } from './conclusion.ts'
import type { QueuedMessage, Recipient } from './envelope.ts'
import { outcomeOf, type AttemptProblem, type Outcome } from './outcome.ts'
import { USUAL_RETRY } from '../../../test/support/queued.ts'

const HOUR = 3_600_000
const later: AttemptProblem = { kind: 'connectionFailed', peer: 'mx', detail: 'refused' }
const never: AttemptProblem = { kind: 'remoteReply', stage: 'rcpt', peer: 'mx', reply: { code: 550, enhanced: '5.1.1', lines: ['no'] } }
const taken: Outcome = { kind: 'delivered', by: 'mx', reply: { code: 250, enhanced: null, lines: ['ok'] }, knows: { dsn: true, deliverBy: true } }

function message(reversePath: string, ...changes: Partial<Recipient>[]): QueuedMessage {
  const recipients = changes.map((change, i): Recipient => ({
    address: `r${i}@b`, state: 'leased', attempts: 0, dueAt: 0, plannedAt: null, lastReply: null, warned: false, ...change }))
  return {
    id: 'm', acceptedAt: 0, sizeBytes: 1, heldBecause: null, isSpared: false, recipients,
    envelope: envelopeTo(recipients.map(({ address }) => address), { reversePath }),
    origin: { sessionId: 's', listener: 'mx', address: '', hello: '', fingerprint: null, holder: null, passwordId: null, isKnown: true },
  }
}

const conclude = (message: QueuedMessage, outcomes: readonly Outcome[], now: number) =>
  concludeAttempt(message, [...outcomes.keys()], outcomes, { schedule: USUAL_RETRY, now, jitter: 0.5 })

test('each recipient goes its own way', () => {
  const { changes, failed, delayed } = conclude(message('a@b', {}, {}, {}), [taken, outcomeOf(never), outcomeOf(later)], HOUR)
  assert.deepEqual(changes.map(({ index, recipient: { state, attempts, lastReply } }) => [index, state, attempts, lastReply]), [
    [0, 'delivered', 1, '250 ok (mx)'],
    [1, 'failed', 1, '550 5.1.1 no (mx, after RCPT)'],
    [2, 'waiting', 1, 'no connection to mx: refused'],
  ])
  assert.equal(changes[2]?.recipient.dueAt, HOUR + 300_000)
  assert.deepEqual(failed, [{ address: 'r1@b', why: never, expired: false, originalRecipient: null }])
  assert.deepEqual(delayed, [])
})

test('a recipient that is too old fails with the last temporary problem as its reason', () => {
  const { changes, failed } = conclude(message('a@b', { attempts: 40, warned: true }), [outcomeOf(later)], 120 * HOUR)
  assert.equal(changes[0]?.recipient.state, 'failed')
  assert.deepEqual(failed, [{ address: 'r0@b', why: later, expired: true, originalRecipient: null }])
})

test('an attempt that was asked for leaves the schedule as it was, unless its time has come meanwhile', () => {
  const before = message('a@b', { attempts: 4, plannedAt: 3 * HOUR }, { attempts: 4, plannedAt: 2 * HOUR }, { attempts: 4 })
  const { changes } = conclude(before, [outcomeOf(later), outcomeOf(later), outcomeOf(later)], 2 * HOUR)
  // As without: four hours is the warning's time.
  assert.deepEqual(changes.map(({ recipient: { attempts, dueAt, plannedAt } }) => [attempts, dueAt / HOUR, plannedAt]), [
    [4, 3, null],
    [5, 4, null],
    [5, 4, null],
  ])
})

test('the sender hears of a delay once', () => {
  const first = conclude(message('a@b', { attempts: 6 }), [outcomeOf(later)], 4 * HOUR)
  assert.deepEqual(first.delayed, [{ address: 'r0@b', why: later, expired: false, originalRecipient: null }])
  assert.equal(first.changes[0]?.recipient.warned, true)
  const second = conclude(message('a@b', { attempts: 7, warned: true }), [outcomeOf(later)], 8 * HOUR)
  assert.deepEqual(second.delayed, [])
})

test('S21: nobody is warned at the null reverse-path', () => {
  const { changes, delayed } = conclude(message('', { attempts: 6 }), [outcomeOf(later)], 4 * HOUR)
  assert.deepEqual(delayed, [])
  assert.equal(changes[0]?.recipient.warned, false)
})

test('the sender hears of what it asked for, and of nothing else (RFC 3461 §4.1)', () => {
  const quiet = message('a@b', { attempts: 6 }, { attempts: 6 }, {})
  const recipients = quiet.envelope.recipients.map(recipient => ({ ...recipient, notify: [] }))
  const { changes, ...told } = conclude({ ...quiet, envelope: { ...quiet.envelope, recipients } }, [outcomeOf(never), outcomeOf(later), taken], 4 * HOUR)
  assert.deepEqual(told, { failed: [], delayed: [], relayed: [] })
  assert.deepEqual(changes.map(({ recipient }) => recipient.state), ['failed', 'waiting', 'delivered'])
})

test('who waits for success hears where no word of it will come from', () => {
  const waiting = message('a@b', {})
  const recipients = [{ forwardPath: 'r0@b', notify: ['SUCCESS'], originalRecipient: 'rfc822;x@y' }] as const
  const plain: Outcome = { ...taken, knows: { dsn: false, deliverBy: false } }
  const { relayed } = conclude({ ...waiting, envelope: { ...waiting.envelope, recipients } }, [plain], HOUR)
  assert.deepEqual(relayed, [{ address: 'r0@b', originalRecipient: 'rfc822;x@y', by: 'mx', reply: { code: 250, enhanced: null, lines: ['ok'] } }])
})

test('a message that is to be returned in time fails as late, with the last problem (RFC 2852 §4)', () => {
  const urgent = message('a@b', { attempts: 3 })
  const envelope = { ...urgent.envelope, deliverBy: { seconds: 600, mode: 'return', trace: false } } as const
  const before = conclude({ ...urgent, envelope }, [outcomeOf(later)], 599_000)
  assert.equal(before.changes[0]?.recipient.dueAt, 600_000, 'the last attempt is at the end of its time')
  const { changes, failed } = conclude({ ...urgent, envelope }, [outcomeOf(later)], 600_000)
  assert.equal(changes[0]?.recipient.state, 'failed')
  assert.deepEqual(failed[0]?.why, { kind: 'tooLate', detail: 'the time that the sender gave it is over; the last attempt: no connection to mx: refused' })
})
