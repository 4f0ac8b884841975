/**
 * What an administrator can see of a shard's queue and do with it, as functions.
 *
 * Every change goes through the recipients' lifecycle table; nothing is deleted, held or tried again
 * behind the back of an attempt that is going on.
 */

import { change } from '../core/message/lifecycle.ts'
import type { RecipientEvent } from '../core/message/lifecycle.ts'
import { startsAt } from '../core/message/notification.ts'
import type { QueuedMessage, RecipientState } from '../core/message/envelope.ts'
import type { AdminAnswers, QueueChange, QueueChanged, TraceEvent } from './admin.ts'
import type { Body, History, QueueFilter, Spool, Timers } from './ports.ts'
import type { Withdrawal } from './withdrawal.ts'

const PAGE = 500
const MOST_HEADER_BYTES = 64 * 1024

export function listQueue(spool: Spool, filter: QueueFilter, limit: number): AdminAnswers['queueList'] {
  const messages = spool.list({ filter, after: null, limit: limit + 1 })
  return { messages: messages.slice(0, limit), more: messages.length > limit }
}

/** The message and its header section; null if this shard does not have it. */
export async function showMessage(spool: Spool, id: string): Promise<AdminAnswers['queueShow']> {
  const message = spool.find(id)
  const body = spool.body(id)
  if (message === null || body === null) return null
  return { message, header: await headerOf(body) }
}

/** Changes every message that the filter finds and the change is for. */
export async function changeQueue(
  spool: Spool,
  history: History,
  request: { readonly change: QueueChange; readonly filter: QueueFilter; readonly now: number },
  whyWithdrawn: Withdrawal,
): Promise<QueueChanged> {
  const { change: wanted, now } = request
  const changed: string[] = []
  const busy: string[] = []
  const untouched: string[] = []
  for (const id of matchingIds(spool, request.filter)) {
    const found = spool.find(id)
    if (found !== null && !isFor(found, wanted, now)) {
      untouched.push(id)
      continue
    }
    const done = await spool.change(id, message => afterChange(message, wanted, now, whyWithdrawn))
    if (done) changed.push(id)
    else if (spool.find(id) !== null) busy.push(id)
    if (done) recordChange(history, id, wanted, now)
  }
  return { changed, busy, untouched }
}

/** A message under way is for any change: whoever asks is told that it is busy. */
function isFor(message: QueuedMessage, wanted: QueueChange, now: number): boolean {
  if (wanted === 'delete') return true
  // What its sender wants kept for later (RFC 4865) goes before its time only when it is asked for itself.
  if (wanted === 'wake' && startsAt(message) > now) return false
  const changes: RecipientState = wanted === 'release' ? 'held' : 'waiting'
  return message.recipients.some(({ state }) => state === changes || (state === 'leased' && wanted !== 'release'))
}

/**
 * Holds every message that came in under what does not count any more. A long queue is gone through in
 * pages, so that sessions and deliveries go on meanwhile.
 */
export async function holdWithdrawn(
  { spool, history, timers }: { readonly spool: Spool; readonly history: History; readonly timers: Timers },
  whyWithdrawn: Withdrawal,
  now: number,
): Promise<number> {
  let count = 0
  for (const page of pages(spool, {})) {
    for (const message of page) {
      const because = message.heldBecause === null ? whyWithdrawn(message) : null
      if (because !== null && (await holdMessage({ spool, history }, message.id, because, now))) count++
    }
    await new Promise<void>(resolve => timers.after(0, resolve))
  }
  return count
}

/** False if it is gone, or somebody has leased it. */
export async function holdMessage(
  { spool, history }: { readonly spool: Spool; readonly history: History },
  id: string,
  because: string,
  now: number,
): Promise<boolean> {
  const isHeld = await spool.change(id, current => held(current, because))
  if (isHeld) history.recordEvent({ at: now, messageId: id, event: 'held', recipient: null, text: because })
  return isHeld
}

function afterChange(message: QueuedMessage, wanted: QueueChange, now: number, whyWithdrawn: Withdrawal): QueuedMessage | null {
  switch (wanted) {
    case 'delete':
      return null
    case 'hold':
      return held(message, message.heldBecause ?? 'held by an administrator')
    case 'release':
      // It would be held again else, for what the administrator has just overruled.
      return { ...toAll(message, 'held', { kind: 'release', dueAt: now }), heldBecause: null, isSpared: message.isSpared || whyWithdrawn(message) !== null }
    case 'retry':
    case 'wake':
      return toAll(message, 'waiting', { kind: 'retry', dueAt: now })
  }
}

function held(message: QueuedMessage, because: string): QueuedMessage {
  return { ...toAll(message, 'waiting', { kind: 'hold' }), heldBecause: because }
}

/** The event happens to the recipients in that state; the others stay as they are. */
function toAll(message: QueuedMessage, state: RecipientState, event: RecipientEvent): QueuedMessage {
  const recipients = message.recipients.map(recipient =>
    recipient.state === state ? change(recipient, event) : recipient,
  )
  return { ...message, recipients }
}

function recordChange(history: History, messageId: string, wanted: QueueChange, at: number): void {
  const events = { hold: 'held', release: 'released', delete: 'cancelled' } as const satisfies Partial<
    Record<QueueChange, TraceEvent['event']>
  >
  if (wanted === 'retry' || wanted === 'wake') return
  history.recordEvent({ at, messageId, event: events[wanted], recipient: null, text: 'by an administrator' })
}

function* pages(spool: Spool, filter: QueueFilter): Generator<readonly QueuedMessage[]> {
  let after: string | null = null
  for (;;) {
    const page = spool.list({ filter, after, limit: PAGE })
    yield page
    if (page.length < PAGE) return
    after = page.at(-1)?.id ?? null
  }
}

/** Collected first: a change may move a message out of the filter's sight. */
function matchingIds(spool: Spool, filter: QueueFilter): readonly string[] {
  return [...pages(spool, filter)].flatMap(page => page.map(message => message.id))
}

async function headerOf(body: Body): Promise<string> {
  let text = ''
  for await (const chunk of body.chunks()) {
    text += new TextDecoder('latin1').decode(chunk)
    const end = text.indexOf('\r\n\r\n')
    if (end >= 0) return text.slice(0, end + 2)
    if (text.length > MOST_HEADER_BYTES) break
  }
  return text.slice(0, MOST_HEADER_BYTES)
}
