/**
 * What a sender wants to hear of a recipient (RFC 3461 §4.1), and by when (RFC 2852, RFC 4865).
 */

import type { EnvelopeRecipient, NotifyOn, QueuedMessage } from './envelope.ts'
import type { Outcome } from './outcome.ts'
import type { RetrySchedule } from './retry.ts'

/**
 * RFC 3461 §5.2.1, §5.2.5: who did not say is told of failure and delay. Nobody reads what goes to the null
 * reverse-path (RFC 5321 §4.5.5). Of success we tell nobody for a stranger, who would choose whom.
 */
export function isToldOf(condition: NotifyOn, message: QueuedMessage, { notify }: Pick<EnvelopeRecipient, 'notify'>): boolean {
  if (message.envelope.reversePath === '' || (condition === 'SUCCESS' && !message.origin.isKnown)) return false
  return notify === null ? condition !== 'SUCCESS' : notify.includes(condition)
}

/**
 * RFC 3461 §5.2.2, RFC 2852 §4: whoever waits for news of success, or of time kept, hears from us that there will
 * be none from the server that has the message now.
 */
export function isToldOfRelaying(message: QueuedMessage, recipient: EnvelopeRecipient, { knows }: Extract<Outcome, { kind: 'delivered' }>): boolean {
  const { deliverBy } = message.envelope
  if (!message.origin.isKnown) return false
  if (isToldOf('SUCCESS', message, recipient) && !knows.dsn) return true
  const hearsNothing = message.envelope.reversePath === '' || recipient.notify?.length === 0
  return deliverBy !== null && !hearsNothing && (deliverBy.trace || !knows.deliverBy)
}

/** When delivery may begin, in milliseconds since 1970; from then on a message grows old, and uses up the time of BY. */
export function startsAt({ acceptedAt, envelope: { hold } }: Pick<QueuedMessage, 'acceptedAt' | 'envelope'>): number {
  if (hold === null) return acceptedAt
  return Math.max(acceptedAt, hold.kind === 'until' ? hold.at : acceptedAt + hold.seconds * 1000)
}

/**
 * When the first attempt of a message is due. A higher priority stands as far ahead in the queue as if it had come
 * a minute earlier for each level (RFC 6710 §5), so that nobody waits for ever behind those who go first. What is
 * held goes out no earlier for it.
 */
export function firstDueAt(message: Pick<QueuedMessage, 'acceptedAt' | 'envelope'>): number {
  const start = startsAt(message)
  return start > message.acceptedAt ? start : start - Math.max(0, message.envelope.priority) * 60_000
}

/** RFC 2852 §4: what the sender's own time makes of the schedule. */
export function scheduleFor(message: QueuedMessage, schedule: RetrySchedule): RetrySchedule {
  const { deliverBy } = message.envelope
  if (deliverBy === null) return schedule
  if (deliverBy.mode === 'notify') return { ...schedule, warnAfterSeconds: Math.max(0, deliverBy.seconds) }
  return { ...schedule, lifetimeSeconds: Math.min(schedule.lifetimeSeconds, deliverBy.seconds) }
}

/** The seconds of `deliverBy` that are left: all of them, while the message is held. */
export function secondsLeft(message: QueuedMessage, now: number): number | null {
  const { deliverBy } = message.envelope
  return deliverBy === null ? null : deliverBy.seconds - Math.max(0, Math.floor((now - startsAt(message)) / 1000))
}
