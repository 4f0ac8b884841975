/** A message at the moment it comes into the queue: nothing has been tried yet. */

import type { QueuedMessage } from './envelope.ts'
import { firstDueAt } from './notification.ts'

/** `heldBecause` holds all of its recipients, until an administrator releases them. */
export function newMessage(message: Omit<QueuedMessage, 'recipients' | 'isSpared'>): QueuedMessage {
  const dueAt = firstDueAt(message)
  const state = message.heldBecause === null ? 'waiting' : 'held'
  return {
    ...message,
    isSpared: false,
    recipients: message.envelope.recipients.map(({ forwardPath }) => ({ address: forwardPath, state, attempts: 0, dueAt, plannedAt: null, lastReply: null, warned: false })),
  }
}
