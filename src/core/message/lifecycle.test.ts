import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Recipient, RecipientState } from './envelope.ts'
import { change, isFinal, stateAfter, type RecipientEvent } from './lifecycle.ts'

const waiting: Recipient = {
  address: 'ann@example.net',
  state: 'waiting',
  attempts: 0,
  dueAt: 1000,
  plannedAt: null,
  lastReply: null,
  warned: false,
}

test('a recipient that is delivered has been leased, tried once, and stays delivered', () => {
  const delivered = change(change(waiting, { kind: 'lease' }), { kind: 'delivered', reply: '250 2.0.0 OK' })
  assert.deepEqual(delivered, { ...waiting, state: 'delivered', attempts: 1, lastReply: '250 2.0.0 OK' })
  assert.throws(() => change(delivered, { kind: 'lease' }), /broken invariant/)
})

test('a deferred recipient waits until its next attempt, which counts', () => {
  const deferred = change({ ...waiting, state: 'leased', attempts: 2 }, { kind: 'deferred', reply: '451 later', dueAt: 9000, isExtra: false })
  assert.deepEqual(deferred, { ...waiting, attempts: 3, dueAt: 9000, lastReply: '451 later' })
})

test('an attempt that was asked for remembers when it was planned, however often it is asked for, and does not count', () => {
  const asked = change(change({ ...waiting, attempts: 2 }, { kind: 'retry', dueAt: 5 }), { kind: 'retry', dueAt: 6 })
  assert.deepEqual(asked, { ...waiting, attempts: 2, dueAt: 6, plannedAt: 1000 })
  const deferred = change(change(asked, { kind: 'lease' }), { kind: 'deferred', reply: '451 later', dueAt: 1000, isExtra: true })
  assert.deepEqual(deferred, { ...waiting, attempts: 2, dueAt: 1000, lastReply: '451 later' })
})

test('a recipient whose lifetime ends keeps the reason of its last attempt', () => {
  const failed = change({ ...waiting, lastReply: '451 later' }, { kind: 'expired' })
  assert.equal(failed.state, 'failed')
  assert.equal(failed.lastReply, '451 later')
})

test('what an administrator holds is not leased until it is released', () => {
  const held = change(waiting, { kind: 'hold' })
  assert.equal(stateAfter(held.state, 'lease'), null)
  assert.deepEqual(change(held, { kind: 'release', dueAt: 5 }), { ...waiting, dueAt: 5, plannedAt: 1000 })
})

test('a leased recipient is nobody else\'s: it can be neither held nor leased again', () => {
  for (const kind of ['hold', 'lease', 'retry', 'expired'] as const) assert.equal(stateAfter('leased', kind), null)
})

test('nothing follows a final state', () => {
  const states: RecipientState[] = ['waiting', 'leased', 'held', 'delivered', 'failed']
  const events: RecipientEvent['kind'][] = ['lease', 'delivered', 'deferred', 'refused', 'expired', 'warned', 'hold', 'release', 'retry']
  for (const state of states) {
    const leadsSomewhere = events.some(event => stateAfter(state, event) !== null)
    assert.equal(leadsSomewhere, !isFinal(state), state)
  }
})
