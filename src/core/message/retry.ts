/**
 * When to try again, when to tell the sender of a delay, when to give up (RFC 5321 §4.5.4.1).
 *
 * Pure arithmetic on instants that are passed in: milliseconds since 1970.
 */

export type RetrySchedule = {
  /** Waits after the first, second, … attempt; the last repeats. */
  readonly delaysSeconds: readonly number[]
  /** Age at which an undelivered message bounces. */
  readonly lifetimeSeconds: number
  /** Age at which the sender is told of a delay; null: never. */
  readonly warnAfterSeconds: number | null
}

/** Each wait is up to this fraction shorter or longer, so that a queue does not come due all at once. */
const JITTER = 0.2

export type Age = {
  readonly acceptedAt: number
  readonly now: number
}

/**
 * The instant of the next attempt. `attempts` counts those made, `jitter` is uniform in [0, 1).
 *
 * The wait is cut short where something is due before its end: the warning, and the last attempt
 * when the lifetime is over. Else a message could be kept hours beyond either.
 */
export function nextAttemptAt(
  schedule: RetrySchedule,
  state: Age & { readonly attempts: number; readonly warned: boolean; readonly jitter: number },
): number {
  const { delaysSeconds } = schedule
  const seconds = delaysSeconds[Math.min(state.attempts, delaysSeconds.length) - 1] ?? delaysSeconds[0] ?? MINUTE
  const planned = state.now + seconds * 1000 * (1 + JITTER * (2 * state.jitter - 1))
  const ends = [state.acceptedAt + schedule.lifetimeSeconds * 1000]
  if (schedule.warnAfterSeconds !== null && !state.warned) ends.push(state.acceptedAt + schedule.warnAfterSeconds * 1000)
  return Math.round(Math.min(planned, ...ends.filter(end => end > state.now)))
}

/** The message is too old for another attempt: what is not delivered bounces. */
export function isExpired(schedule: RetrySchedule, age: Age): boolean {
  return age.now >= age.acceptedAt + schedule.lifetimeSeconds * 1000
}

/** The sender is to be told that the message is late. */
export function isWarningDue(schedule: RetrySchedule, state: Age & { readonly warned: boolean }): boolean {
  if (state.warned || schedule.warnAfterSeconds === null) return false
  return state.now >= state.acceptedAt + schedule.warnAfterSeconds * 1000
}

/** Without any delay, which the settings do not permit. */
const MINUTE = 60
