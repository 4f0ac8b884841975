/**
 * What follows from an attempt: the new state of each recipient, and whom the sender must be told of.
 *
 * Pure: the outcomes, the clock and the jitter are passed in. The states come from lifecycle.ts, the
 * times from retry.ts; here is only who gets which.
 */

import { assert } from '../result.ts'
import type { QueuedMessage, Recipient } from './envelope.ts'
import { change } from './lifecycle.ts'
import { describeOutcome, type AttemptProblem, type Outcome } from './outcome.ts'
import { isExpired, isWarningDue, nextAttemptAt, type RetrySchedule } from './retry.ts'

export type Conclusion = {
  readonly changes: readonly { readonly index: number; readonly recipient: Recipient }[]
  /** Recipients that will never be delivered, and why. */
  readonly failed: readonly Failure[]
  /** Recipients that are late, of which the sender hears once. */
  readonly delayed: readonly Failure[]
}

export type Failure = {
  readonly address: string
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
  for (const [i, index] of indices.entries()) {
    const before = message.recipients[index]
    const outcome = outcomes[i]
    assert(before !== undefined && outcome !== undefined, 'a lease names recipients of its message')
    const after = conclude(message, before, outcome, context)
    changes.push({ index, recipient: after.recipient })
    if (outcome.kind === 'delivered') continue
    const failure = { address: before.address, why: outcome.why, expired: after.expired }
    if (after.recipient.state === 'failed') failed.push(failure)
    else if (after.recipient.warned && !before.warned) delayed.push(failure)
  }
  return { changes, failed, delayed }
}

function conclude(
  message: QueuedMessage,
  before: Recipient,
  outcome: Outcome,
  context: { readonly schedule: RetrySchedule; readonly now: number; readonly jitter: number },
): { readonly recipient: Recipient; readonly expired: boolean } {
  const reply = describeOutcome(outcome)
  if (outcome.kind !== 'deferred') return { recipient: change(before, { kind: outcome.kind, reply }), expired: false }

  const { schedule, now, jitter } = context
  const age = { acceptedAt: message.acceptedAt, now }
  // Nobody reads what is sent to the null reverse-path (RFC 5321 §4.5.5), so nobody is warned.
  const warn = message.envelope.reversePath !== '' && isWarningDue(schedule, { ...age, warned: before.warned })
  const dueAt = nextAttemptAt(schedule, { ...age, attempts: before.attempts + 1, warned: before.warned || warn, jitter })
  const waiting = change(before, { kind: 'deferred', reply, dueAt })
  if (isExpired(schedule, age)) return { recipient: change(waiting, { kind: 'expired' }), expired: true }
  return { recipient: warn ? change(waiting, { kind: 'warned' }) : waiting, expired: false }
}
