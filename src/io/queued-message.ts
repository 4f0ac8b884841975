/**
 * What a store has to know about a queued message: what is due, what is left, what matches.
 *
 * Pure functions, shared by every spool, so that no two of them disagree. `leased` exists in memory
 * only: a store that is opened finds recipients waiting, held or finished.
 */

import type { QueuedMessage, Recipient } from '../core/message/envelope.ts'
import { change, isFinal } from '../core/message/lifecycle.ts'
import { canonicalDomain } from '../core/names/address.ts'
import { assert } from '../core/result.ts'
import type { QueueFilter, RecipientChange } from '../relay/ports.ts'

/** The recipients that an attempt made now would take, by index. */
export function dueIndices(message: QueuedMessage, now: number): readonly number[] {
  const due: number[] = []
  if (message.heldBecause !== null) return due
  for (const [index, recipient] of message.recipients.entries()) {
    if (recipient.state === 'waiting' && recipient.dueAt <= now) due.push(index)
  }
  return due
}

/** What a message is due for when it is accepted, even if the clock was set back a moment ago. */
export function dueWhenAccepted(message: QueuedMessage, now: number): readonly number[] {
  return dueIndices(message, Math.max(now, message.acceptedAt))
}

/** When the first of its waiting recipients is due; null if none waits or the message is held. */
export function earliestDueAt(message: QueuedMessage): number | null {
  if (message.heldBecause !== null) return null
  let earliest: number | null = null
  for (const { state, dueAt } of message.recipients) {
    if (state === 'waiting' && (earliest === null || dueAt < earliest)) earliest = dueAt
  }
  return earliest
}

/** The message as its lease shows it: these recipients are leased. */
export function asLeased(message: QueuedMessage, indices: readonly number[]): QueuedMessage {
  if (indices.length === 0) return message
  const recipients = message.recipients.map((recipient, index) =>
    indices.includes(index) ? change(recipient, { kind: 'lease' }) : recipient,
  )
  return { ...message, recipients }
}

/** The message with the results of an attempt written into it. */
export function afterChanges(message: QueuedMessage, changes: readonly RecipientChange[]): QueuedMessage {
  const recipients = [...message.recipients]
  for (const { index, recipient } of changes) {
    assert(recipients[index]?.address === recipient.address, 'a change keeps the address of its recipient')
    assert(recipient.state !== 'leased', 'an attempt that is over leaves nobody leased')
    recipients[index] = recipient
  }
  return { ...message, recipients }
}

/** No recipient is left to deliver to: the message has no reason to be stored any longer. */
export function isDone(message: QueuedMessage): boolean {
  return message.recipients.every(recipient => isFinal(recipient.state))
}

export function matches(message: QueuedMessage, filter: QueueFilter): boolean {
  const { id, sender, state, acceptedBefore } = filter
  if (id !== undefined && message.id !== id) return false
  if (sender !== undefined && !isAt(message.envelope.reversePath, sender)) return false
  if (acceptedBefore !== undefined && message.acceptedAt >= acceptedBefore) return false
  const error = filter.error?.toLowerCase()
  const wantsRecipient = filter.recipient !== undefined || state !== undefined || error !== undefined
  return !wantsRecipient || message.recipients.some(recipient => recipientMatches(recipient, filter, error))
}

function recipientMatches(recipient: Recipient, filter: QueueFilter, error: string | undefined): boolean {
  if (filter.recipient !== undefined && !isAt(recipient.address, filter.recipient)) return false
  if (filter.state !== undefined && recipient.state !== filter.state) return false
  return error === undefined || (recipient.lastReply ?? '').toLowerCase().includes(error)
}

/** `pattern` is a whole address, `@domain`, or `.domain` for all below it. */
function isAt(address: string, pattern: string): boolean {
  const [have, want] = [inOneSpelling(address), inOneSpelling(pattern)]
  if (want.startsWith('.')) return have.slice(have.lastIndexOf('@') + 1).endsWith(want)
  return want.startsWith('@') ? have.endsWith(want) : have === want
}

/** Addresses are compared without regard to case, and their domains as DNS has them. What has no `@` is taken for a domain. */
export function inOneSpelling(address: string): string {
  const domainAt = address.lastIndexOf('@') + 1
  return `${address.slice(0, domainAt).toLowerCase()}${canonicalDomain(address.slice(domainAt))}`
}
