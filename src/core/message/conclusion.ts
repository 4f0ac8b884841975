/**
 * What follows from an attempt: the new state of each recipient, and whom the sender must be told of.
 *
 * Pure: the outcomes, the clock and the jitter are passed in. The states come from lifecycle.ts, the
 * times from retry.ts; here is only who gets which.
 */

import { assert } from '../result.ts'
import type { Reply } from '../smtp/reply.ts'
import type { EnvelopeRecipient, QueuedMessage, Recipient } from './envelope.ts'
import { change } from './lifecycle.ts'
import { isToldOf, isToldOfRelaying, scheduleFor, secondsLeft, startsAt } from './notification.ts'
import { describeOutcome, describeProblem, type AttemptProblem, type Outcome } from './outcome.ts'
import { isExpired, isWarningDue, nextAttemptAt, type RetrySchedule } from './retry.ts'

export type Conclusion = {
  readonly changes: readonly { readonly index: number; readonly recipient: Recipient }[]
  /** Recipients that will never be delivered, and why, as far as the sender wants to hear of them. */
  readonly failed: readonly Failure[]
  /** Recipients that are late, of which the sender hears once. */
  readonly delayed: readonly Failure[]
  /** Recipients who are with a server from which no news of success will come. */
  readonly relayed: readonly Relay[]
}

type Concerned = Pick<EnvelopeRecipient, 'originalRecipient'> & { readonly address: string }

export type Relay = Concerned & { readonly by: string; readonly reply: Reply }

export type Failure = Concerned & {
  readonly why: AttemptProblem
  /** The lifetime is over: `why` is the last of several temporary problems. */
  readonly expired: boolean
}

/** `outcomes` are those of the recipients at `indices`, in order. */
export function concludeAttempt(
  message: QueuedMessage,
  indices: readonly number[],
  outcomes: readonly Outcome[],
  context: { readonly schedule: RetrySchedule; readonly now: number; readonly jitter: number },
): Conclusion {
  assert(indices.length === outcomes.length, 'each recipient of an attempt has an outcome')
  const changes: Conclusion['changes'][number][] = []
  const failed: Failure[] = []
  const delayed: Failure[] = []
  const relayed: Relay[] = []
  for (const [i, index] of indices.entries()) {
    const before = message.recipients[index]
    const outcome = outcomes[i]
    const asked = message.envelope.recipients[index]
    assert(before !== undefined && asked !== undefined && outcome !== undefined, 'a lease names recipients of its message')
    const after = conclude(message, before, asked, outcome, context)
    changes.push({ index, recipient: after.recipient })
    const concerned = { address: before.address, originalRecipient: asked.originalRecipient }
    if (outcome.kind === 'delivered') {
      if (isToldOfRelaying(message, asked, outcome)) relayed.push({ ...concerned, by: outcome.by, reply: outcome.reply })
      continue
    }
    const failure = { ...concerned, ...failureOf(message, outcome.why, after.expired, context.now) }
    if (after.recipient.state === 'failed') {
      if (isToldOf('FAILURE', message, asked)) failed.push(failure)
    } else if (after.recipient.warned && !before.warned) delayed.push(failure)
  }
  return { changes, failed, delayed, relayed }
}

/** A message whose sender gave it less time than we would is late; others are simply old. */
function failureOf(message: QueuedMessage, why: AttemptProblem, expired: boolean, now: number): Pick<Failure, 'why' | 'expired'> {
  const left = secondsLeft(message, now)
  if (!expired || message.envelope.deliverBy?.mode !== 'return' || left === null || left > 0) return { why, expired }
  return { why: { kind: 'tooLate', detail: `the time that the sender gave it is over; the last attempt: ${describeProblem(why)}` }, expired: false }
}

function conclude(
  message: QueuedMessage,
  before: Recipient,
  asked: EnvelopeRecipient,
  outcome: Outcome,
  context: { readonly schedule: RetrySchedule; readonly now: number; readonly jitter: number },
): { readonly recipient: Recipient; readonly expired: boolean } {
  const reply = describeOutcome(outcome)
  if (outcome.kind !== 'deferred') return { recipient: change(before, { kind: outcome.kind, reply }), expired: false }

  const { now, jitter } = context
  const schedule = scheduleFor(message, context.schedule)
  const age = { acceptedAt: startsAt(message), now }
  const warn = isToldOf('DELAY', message, asked) && isWarningDue(schedule, { ...age, warned: before.warned })
  // An attempt that was asked for must not make the one that was planned later than it was.
  const planned = before.plannedAt !== null && before.plannedAt > now ? before.plannedAt : null
  const dueAt = planned ?? nextAttemptAt(schedule, { ...age, attempts: before.attempts + 1, warned: before.warned || warn, jitter })
  const waiting = change(before, { kind: 'deferred', reply, dueAt, isExtra: planned !== null })
  if (isExpired(schedule, age)) return { recipient: change(waiting, { kind: 'expired' }), expired: true }
  return { recipient: warn ? change(waiting, { kind: 'warned' }) : waiting, expired: false }
}
