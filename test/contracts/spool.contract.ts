/**
 * What every spool promises: the contract of `Spool` in relay/ports.ts, as tests.
 *
 * Written once and run for each implementation; a store has no contract of its own.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { change } from '../../src/core/message/lifecycle.ts'
import type { Recipient } from '../../src/core/message/envelope.ts'
import type { Lease, RecipientChange, Spool } from '../../src/relay/ports.ts'
import { claimAll, drafted, draftOf, enqueue, message, NOW, recipient, textOf } from '../support/queued.ts'

const HOUR = 3_600_000

export function spoolContract(name: string, open: (t: TestContext) => Promise<Spool>): void {
  const promise = (what: string, run: (spool: Spool) => Promise<void>): void => {
    test(`${name}: ${what}`, async t => {
      const spool = await open(t)
      try {
        await run(spool)
      } finally {
        await spool.close()
      }
    })
  }
  promisesOnAccepting(promise)
  promisesOnLeasing(promise)
  promisesOnSettling(promise)
  promisesToAdministrators(promise)
  promisesOnBodies(promise)
}

type Promiser = (what: string, run: (spool: Spool) => Promise<void>) => void

function promisesOnAccepting(promise: Promiser): void {
  promise('what was enqueued is found, byte for byte', async spool => {
    const recipients = [recipient(), recipient({ address: '"a b"@xn--bcher-kva.example', dueAt: NOW + HOUR })]
    await enqueue(spool, 'm1', { recipients, heldBecause: null }, 'Subject: é\r\n\r\n.\r\n')
    const sizeBytes = Buffer.byteLength('Subject: é\r\n\r\n.\r\n')
    assert.deepEqual(spool.find('m1'), message('m1', { recipients, sizeBytes }))
    assert.equal(await textOf(spool.body('m1')), Buffer.from('Subject: é\r\n\r\n.\r\n').toString('latin1'))
    assert.deepEqual(spool.stats(), { messages: 1, leased: 0, quarantinedRecords: 0 })
  })

  promise('nothing of a draft counts until it is enqueued', async spool => {
    const { draft } = await drafted(spool, 'm1')
    assert.equal(spool.find('m1'), null)
    assert.equal(spool.nextDueAt(), null)
    await draft.drop()
    await draft.drop()
    assert.deepEqual(spool.stats(), { messages: 0, leased: 0, quarantinedRecords: 0 })
  })

  promise('dropping the draft of an enqueued message does nothing', async spool => {
    const added = await drafted(spool, 'm1', 'x'.repeat(300_000))
    await spool.enqueue(added, { leased: false })
    await added.draft.drop()
    assert.equal((await textOf(spool.body('m1')))?.length, 300_000)
  })

  promise('an id is used once', async spool => {
    await enqueue(spool, 'm1')
    await assert.rejects(enqueue(spool, 'm1'))
    assert.equal(spool.stats().messages, 1)
  })

  promise('a message enqueued as leased is the caller’s from the start', async spool => {
    const recipients = [recipient(), recipient({ address: 'later@example.net', dueAt: NOW + HOUR })]
    const lease = await spool.enqueue(await drafted(spool, 'm1', 'body', { recipients }), { leased: true })
    assert.deepEqual(lease.due, [0])
    assert.deepEqual(statesOf(lease.message.recipients), ['leased', 'waiting'])
    assert.equal(await textOf(lease.body), 'body')
    assert.deepEqual(await claimAll(spool), [])
    assert.equal(spool.nextDueAt(), null)
    assert.equal(spool.stats().leased, 1)
  })

  promise('a message of which nobody is due is enqueued, and leased by nobody', async spool => {
    const later = [recipient({ dueAt: NOW + HOUR })]
    const lease = await spool.enqueue(await drafted(spool, 'm1', 'body', { recipients: later }), { leased: true })
    assert.deepEqual(lease.due, [])
    assert.equal(spool.stats().leased, 0)
    assert.equal(spool.nextDueAt(), NOW + HOUR)
  })
}

function promisesOnLeasing(promise: Promiser): void {
  promise('a leased recipient is nobody else’s', async spool => {
    for (let i = 0; i < 50; i++) await enqueue(spool, `m${i}`)
    const claims = await Promise.all(Array.from({ length: 10 }, () => claimAll(spool, NOW, 7)))
    const ids = claims.flat().map(lease => lease.message.id)
    assert.equal(new Set(ids).size, ids.length)
    assert.equal(ids.length, 50)
    assert.deepEqual(await claimAll(spool), [])
    assert.equal(spool.nextDueAt(), null)
  })

  promise('claims come earliest first, and only what is due', async spool => {
    await enqueue(spool, 'c', { recipients: [recipient({ dueAt: NOW - 1 })] })
    await enqueue(spool, 'a', { recipients: [recipient({ dueAt: NOW - 2 })] })
    await enqueue(spool, 'd', { recipients: [recipient({ dueAt: NOW + 1 })] })
    await enqueue(spool, 'b', { recipients: [recipient({ dueAt: NOW + HOUR }), recipient({ address: 'x@example.net', dueAt: NOW - 3 })] })
    assert.equal(spool.nextDueAt(), NOW - 3)
    assert.deepEqual(idsOf(await claimAll(spool, NOW, 0)), [])
    const leases = await claimAll(spool, NOW, 2)
    assert.deepEqual(idsOf(leases), ['b', 'a'])
    assert.deepEqual(leases[0]?.due, [1])
    assert.deepEqual(idsOf(await claimAll(spool)), ['c'])
    assert.equal(spool.nextDueAt(), NOW + 1)
    assert.deepEqual(idsOf(await claimAll(spool, NOW + 1)), ['d'])
  })

  promise('what is given back is free again, due as before', async spool => {
    for (const id of ['a', 'b', 'c']) await enqueue(spool, id)
    assert.deepEqual(idsOf(await claimAll(spool)), ['a', 'b', 'c'])
    await spool.giveBack('b')
    assert.equal(spool.nextDueAt(), NOW)
    assert.deepEqual(spool.find('b')?.recipients, [recipient()])
    assert.deepEqual(idsOf(await claimAll(spool)), ['b'])
    await spool.giveBack('nobody’s')
  })

  promise('held messages and held recipients are not due', async spool => {
    await enqueue(spool, 'a', { heldBecause: 'policy' })
    await enqueue(spool, 'b', { recipients: [recipient({ state: 'held' })] })
    await enqueue(spool, 'c', { recipients: [recipient({ state: 'held' }), recipient({ address: 'x@example.net' })] })
    const leases = await claimAll(spool)
    assert.deepEqual(idsOf(leases), ['c'])
    assert.deepEqual(leases[0]?.due, [1])
  })

  promise('S29: a clock that jumps loses nothing', async spool => {
    await enqueue(spool, 'a')
    assert.deepEqual(await claimAll(spool, NOW - 10 * 365 * 24 * HOUR), [])
    assert.deepEqual(await claimAll(spool, 0), [])
    assert.deepEqual(idsOf(await claimAll(spool, NOW + 10 * 365 * 24 * HOUR)), ['a'])
    await spool.giveBack('a')
    assert.deepEqual(idsOf(await claimAll(spool, NOW)), ['a'])
  })

  promise('S29: a clock that is set back while a message is accepted changes nothing', async spool => {
    const later = { acceptedAt: NOW + HOUR, recipients: [recipient({ dueAt: NOW + HOUR })] }
    const lease = await spool.enqueue(await drafted(spool, 'm1', 'body', later), { leased: true })
    assert.deepEqual(lease.due, [0])
  })
}

function promisesOnSettling(promise: Promiser): void {
  promise('a message with no recipient left is removed, body and all', async spool => {
    await enqueue(spool, 'm1', {}, 'x'.repeat(300_000))
    const [lease] = await claimAll(spool)
    await spool.settle('m1', delivered(lease), [])
    assert.equal(spool.find('m1'), null)
    assert.equal(spool.body('m1'), null)
    assert.deepEqual(spool.stats(), { messages: 0, leased: 0, quarantinedRecords: 0 })
    assert.equal(spool.nextDueAt(), null)
  })

  promise('what was deferred is due again at its time, and not before', async spool => {
    await enqueue(spool, 'm1')
    const [lease] = await claimAll(spool)
    await spool.settle('m1', deferred(lease, NOW + HOUR), [])
    assert.equal(spool.nextDueAt(), NOW + HOUR)
    assert.deepEqual(await claimAll(spool), [])
    const [again] = await claimAll(spool, NOW + HOUR)
    assert.deepEqual(again?.message.recipients, [
      recipient({ state: 'leased', attempts: 1, dueAt: NOW + HOUR, lastReply: '451 4.3.0 later' }),
    ])
  })

  promise('results come one by one, and the lease ends with the last', async spool => {
    const recipients = ['a', 'b', 'c'].map(name => recipient({ address: `${name}@example.net` }))
    await enqueue(spool, 'm1', { recipients })
    const [lease] = await claimAll(spool)
    await spool.settle('m1', delivered(lease, [0]), [])
    assert.deepEqual(statesOf(spool.find('m1')?.recipients), ['delivered', 'leased', 'leased'])
    assert.deepEqual(await claimAll(spool, NOW + HOUR), [])
    // Two next hops end in the same moment.
    await Promise.all([spool.settle('m1', deferred(lease, NOW + 5, [1]), []), spool.settle('m1', delivered(lease, [2]), [])])
    assert.deepEqual(statesOf(spool.find('m1')?.recipients), ['delivered', 'waiting', 'delivered'])
    assert.equal(spool.nextDueAt(), NOW + 5)
    const [last] = await claimAll(spool, NOW + 5)
    assert.deepEqual(last?.due, [1])
    await spool.settle('m1', delivered(last, [1]), [])
    assert.equal(spool.stats().messages, 0)
  })

  promise('giving back what is left keeps the results so far', async spool => {
    await enqueue(spool, 'm1', { recipients: [recipient(), recipient({ address: 'x@example.net' })] })
    const [lease] = await claimAll(spool)
    await spool.settle('m1', delivered(lease, [0]), [])
    await spool.giveBack('m1')
    const [rest] = await claimAll(spool)
    assert.deepEqual(rest?.due, [1])
    assert.deepEqual(statesOf(rest?.message.recipients), ['delivered', 'leased'])
  })

  promise('bounces are there when the message is gone', async spool => {
    await enqueue(spool, 'm1')
    const [lease] = await claimAll(spool)
    const bounces = [await drafted(spool, 'b1', 'small'), await drafted(spool, 'b2', 'x'.repeat(300_000))]
    await spool.settle('m1', refused(lease), bounces)
    assert.equal(spool.find('m1'), null)
    assert.equal(await textOf(spool.body('b1')), 'small')
    assert.deepEqual(idsOf(await claimAll(spool)), ['b1', 'b2'])
  })

  promise('only the holder of a lease settles, and only what it holds', async spool => {
    await enqueue(spool, 'm1', { recipients: [recipient(), recipient({ address: 'x@example.net', dueAt: NOW + HOUR })] })
    const outside: RecipientChange[] = [{ index: 0, recipient: recipient({ state: 'delivered' }) }]
    await assert.rejects(spool.settle('m1', outside, []))
    await claimAll(spool)
    await assert.rejects(spool.settle('m1', [{ index: 1, recipient: recipient({ address: 'x@example.net', state: 'delivered' }) }], []))
    await assert.rejects(spool.settle('m1', [{ index: 0, recipient: recipient({ address: 'eve@example.net', state: 'delivered' }) }], []))
    await spool.settle('m1', outside, [])
    await assert.rejects(spool.settle('m1', outside, []))
    assert.deepEqual(statesOf(spool.find('m1')?.recipients), ['delivered', 'waiting'])
  })
}

function promisesToAdministrators(promise: Promiser): void {
  promise('a change is seen by claims at once', async spool => {
    for (const id of ['a', 'b']) await enqueue(spool, id)
    assert.equal(await spool.change('a', found => ({ ...found, heldBecause: 'asked for' })), true)
    assert.deepEqual(idsOf(await claimAll(spool)), ['b'])
    assert.equal(spool.find('a')?.heldBecause, 'asked for')
    assert.equal(await spool.change('a', found => ({ ...found, heldBecause: null })), true)
    assert.deepEqual(idsOf(await claimAll(spool)), ['a'])
  })

  promise('a message that is being changed is nobody’s to lease', async spool => {
    await enqueue(spool, 'a')
    const [isChanged, leases] = await Promise.all([spool.change('a', found => ({ ...found, heldBecause: 'asked for' })), claimAll(spool)])
    assert.deepEqual([isChanged, leases], [true, []])
    assert.equal(spool.find('a')?.heldBecause, 'asked for')
  })

  promise('retry makes a message due, ahead of what was', async spool => {
    await enqueue(spool, 'a', { recipients: [recipient({ dueAt: NOW + HOUR })] })
    await enqueue(spool, 'b')
    await claimAll(spool)
    await spool.change('a', found => ({ ...found, recipients: [recipient({ dueAt: NOW - 5 })] }))
    assert.equal(spool.nextDueAt(), NOW - 5)
    assert.deepEqual(idsOf(await claimAll(spool)), ['a'])
  })

  promise('what is leased is not changed, nor what is gone', async spool => {
    await enqueue(spool, 'a')
    await claimAll(spool)
    assert.equal(await spool.change('a', () => null), false)
    assert.equal(await spool.change('gone', () => null), false)
    assert.equal(spool.stats().messages, 1)
  })

  promise('a message is removed by a change to nothing, or to nobody left', async spool => {
    for (const id of ['a', 'b']) await enqueue(spool, id, {}, 'x'.repeat(300_000))
    assert.equal(await spool.change('a', () => null), true)
    await spool.change('b', found => ({ ...found, recipients: [recipient({ state: 'failed' })] }))
    assert.deepEqual(spool.stats(), { messages: 0, leased: 0, quarantinedRecords: 0 })
    assert.deepEqual(await claimAll(spool), [])
  })

  promise('a listing comes page by page, in order of ids', async spool => {
    for (const id of ['c', 'a', 'd', 'b']) await enqueue(spool, id)
    await spool.claim({ now: NOW, limit: 1 })
    const first = spool.list({ filter: {}, after: null, limit: 3 })
    assert.deepEqual(first.map(({ id }) => id), ['a', 'b', 'c'])
    assert.deepEqual(spool.list({ filter: {}, after: 'c', limit: 3 }).map(({ id }) => id), ['d'])
    assert.deepEqual(spool.list({ filter: {}, after: 'd', limit: 3 }), [])
    assert.equal(spool.list({ filter: { state: 'leased' }, after: null, limit: 9 }).length, 1)
  })

  promise('a listing is filtered by every field of a filter', async spool => {
    const bob = recipient({ address: 'Bob@Example.Net', lastReply: '450 4.2.0 Mailbox busy' })
    await enqueue(spool, 'a', { recipients: [bob, recipient({ address: 'eve@example.com', state: 'held' })], acceptedAt: NOW - 1 })
    await enqueue(spool, 'b')
    const ids = (filter: Parameters<Spool['list']>[0]['filter']): string[] =>
      spool.list({ filter, after: null, limit: 9 }).map(({ id }) => id)
    assert.deepEqual(ids({ sender: '@EXAMPLE.org' }), ['a', 'b'])
    assert.deepEqual(ids({ sender: 'ann@example.com' }), [])
    assert.deepEqual(ids({ recipient: 'bob@example.net' }), ['a', 'b'])
    assert.deepEqual(ids({ recipient: '@example.com' }), ['a'])
    assert.deepEqual(ids({ recipient: '@ample.com' }), [])
    assert.deepEqual(ids({ state: 'held' }), ['a'])
    assert.deepEqual(ids({ acceptedBefore: NOW }), ['a'])
    assert.deepEqual(ids({ error: 'MAILBOX BUSY' }), ['a'])
    // All of it about the same recipient.
    assert.deepEqual(ids({ recipient: '@example.com', error: 'busy' }), [])
    assert.deepEqual(ids({ id: 'b' }), ['b'])
    assert.deepEqual(ids({ id: 'b', state: 'held' }), [])
  })
}

function promisesOnBodies(promise: Promiser): void {
  promise('a body is the same however it was cut', async spool => {
    const whole = Buffer.from(Array.from({ length: 500_000 }, (_, i) => i * 31))
    const cuts = [0, 1, 2, 65_535, 65_536, 65_537, 131_072, 300_000, whole.length]
    const draft = await draftOf(spool, cuts.map((cut, i) => whole.subarray(cuts[i - 1] ?? 0, cut)))
    const lease = await spool.enqueue({ message: message('m1', { sizeBytes: draft.sizeBytes }), draft }, { leased: true })
    for (const body of [lease.body, spool.body('m1')]) {
      assert.equal(body?.sizeBytes, whole.length)
      assert.equal(await textOf(body), whole.toString('latin1'))
      assert.equal(await textOf(body), whole.toString('latin1'))
      for await (const chunk of body?.chunks() ?? []) assert.ok(chunk.length <= 64 * 1024)
    }
  })

  promise('an empty body is a body', async spool => {
    await enqueue(spool, 'm1', {}, '')
    const [lease] = await claimAll(spool)
    assert.equal(await textOf(lease?.body ?? null), '')
  })

  promise('a message says how long its body is', async spool => {
    const { draft } = await drafted(spool, 'm1', 'four')
    await assert.rejects(spool.enqueue({ message: message('m1', { sizeBytes: 5 }), draft }, { leased: false }))
  })
}

function statesOf(recipients: readonly Recipient[] | undefined): readonly string[] {
  return (recipients ?? []).map(({ state }) => state)
}

function idsOf(leases: readonly Lease[]): readonly string[] {
  return leases.map(lease => lease.message.id)
}

function delivered(lease: Lease | undefined, indices?: readonly number[]): RecipientChange[] {
  return changes(lease, indices, leased => change(leased, { kind: 'delivered', reply: '250 2.0.0 OK' }))
}

function refused(lease: Lease | undefined): RecipientChange[] {
  return changes(lease, undefined, leased => change(leased, { kind: 'refused', reply: '550 5.1.1 nobody' }))
}

function deferred(lease: Lease | undefined, dueAt: number, indices?: readonly number[]): RecipientChange[] {
  return changes(lease, indices, leased => change(leased, { kind: 'deferred', reply: '451 4.3.0 later', dueAt, isExtra: false }))
}

function changes(lease: Lease | undefined, indices: readonly number[] | undefined, change: (leased: Recipient) => Recipient): RecipientChange[] {
  assert.ok(lease !== undefined, 'a lease was given')
  return (indices ?? lease.due).map(index => ({ index, recipient: change(lease.message.recipients[index] ?? recipient()) }))
}
