/**
 * Some work for a spool, and what must be true of the spool after a crash in the middle of it.
 *
 * Whoever works says what it is about to ask for, and what it was promised. A crash may come anywhere
 * between two sayings; `checkAfterCrash` then holds the spool to all that was said.
 */

import assert from 'node:assert/strict'
import { change } from '../../src/core/message/lifecycle.ts'
import type { Lease, RecipientChange, Spool } from '../../src/relay/ports.ts'
import { draftOf, message, textOf } from '../support/queued.ts'

export type Say = (line: string) => void

/** Inline, in a page of its own, in a file, in a file written in several steps. */
const SIZES = [100, 3_000, 70_000, 300_000]

/** Several messages at a time: one is left waiting, one held, one delivered, one bounced. */
export async function work(spool: Spool, say: Say, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const size = (fate: number): number => SIZES[(round + fate) % SIZES.length] ?? 0
    await Promise.all([
      accept(spool, say, `waits-${round}`, size(0)),
      acceptAndHold(spool, say, `held-${round}`, size(1)),
      acceptAndSettle(spool, say, `delivered-${round}`, size(2), null),
      acceptAndSettle(spool, say, `failed-${round}`, size(3), `bounce-${round}`),
    ])
  }
}

async function accept(spool: Spool, say: Say, id: string, size: number): Promise<Lease> {
  say(`accepting ${id}`)
  const draft = await draftOf(spool, inChunks(bodyOf(id, size)))
  const lease = await spool.enqueue({ message: message(id, { sizeBytes: size }), draft }, { leased: !id.startsWith('held') })
  say(`accepted ${id}`)
  return lease
}

async function acceptAndHold(spool: Spool, say: Say, id: string, size: number): Promise<void> {
  await accept(spool, say, id, size)
  assert.ok(await spool.change(id, found => ({ ...found, heldBecause: 'policy' })))
  say(`held ${id}`)
}

async function acceptAndSettle(spool: Spool, say: Say, id: string, size: number, bounceId: string | null): Promise<void> {
  const lease = await accept(spool, say, id, size)
  const reply = bounceId === null ? { kind: 'delivered' as const, reply: '250 OK' } : { kind: 'refused' as const, reply: '550 no' }
  const changes: RecipientChange[] = lease.message.recipients.map((recipient, index) => ({ index, recipient: change(recipient, reply) }))
  const bounces = bounceId === null ? [] : [{ message: message(bounceId, { sizeBytes: size }), draft: await draftOf(spool, inChunks(bodyOf(bounceId, size))) }]
  say(`settling ${id} ${bounceId ?? ''}`)
  await spool.settle(id, changes, bounces)
  say(`settled ${id}`)
}

export async function checkAfterCrash(spool: Spool, said: readonly string[]): Promise<void> {
  const was = (what: string): boolean => said.includes(what)
  for (const line of said) {
    const [what, id = '', bounceId = ''] = line.split(' ')
    const isThere = spool.find(id) !== null
    if (what === 'accepted' && !said.some(other => other.startsWith(`settling ${id}`))) assert.ok(isThere, `${id} was promised`)
    if (what === 'held') assert.equal(spool.find(id)?.heldBecause, 'policy', `the hold on ${id} was promised`)
    if (what !== 'settling') continue
    if (was(`settled ${id}`)) assert.ok(!isThere, `${id} was settled`)
    if (bounceId !== '') assert.notEqual(isThere, spool.find(bounceId) !== null, `${id} and ${bounceId} change places in one step`)
  }
  for (const found of spool.list({ filter: {}, after: null, limit: 1000 })) {
    assert.equal(await textOf(spool.body(found.id)), bodyOf(found.id, found.sizeBytes).toString('latin1'), `${found.id} is whole`)
    assert.equal(found.recipients[0]?.state, 'waiting')
  }
}

/** Bytes that belong to this message and no other. */
function bodyOf(id: string, size: number): Buffer {
  return Buffer.alloc(size, `this is a line of ${id}\r\n`)
}

function inChunks(body: Buffer): Buffer[] {
  const chunks: Buffer[] = []
  for (let start = 0; start < body.length; start += 50_000) chunks.push(body.subarray(start, start + 50_000))
  return chunks
}
