/** Log lines and counts about deliveries: one for each attempt for a recipient, one for each notice, suspension and callout. */

import { describeOutcome, describeProblem } from '../core/message/outcome.ts'
import type { AttemptProblem } from '../core/message/outcome.ts'
import type { CalloutAnswer } from '../core/policy/decision.ts'
import type { CalloutObserver } from './callouts.ts'
import type { Meter } from './meter.ts'
import type { Log } from './ports.ts'
import type { AttemptReport, DeliveryObserver } from './settler.ts'

export class DeliveryJournal implements DeliveryObserver, CalloutObserver {
  readonly #log: Log
  readonly #meter: Meter

  constructor(log: Log, meter: Meter) {
    this.#log = log
    this.#meter = meter
  }

  attempted(attempt: AttemptReport): void {
    const { messageId, reversePath, recipient, nextHop, outcome } = attempt
    const isWaiting = recipient.state === 'waiting'
    this.#meter.count('postern_attempts_total', { outcome: isWaiting ? 'deferred' : recipient.state })
    const fields = {
      event: isWaiting ? 'deferred' : recipient.state,
      message: messageId,
      from: reversePath,
      to: recipient.address,
      nextHop,
      attempts: recipient.attempts,
      said: describeOutcome(outcome),
      ...(outcome.accessLines === undefined ? {} : { accessLines: outcome.accessLines }),
      ...(isWaiting ? { nextAttempt: new Date(recipient.dueAt).toISOString() } : {}),
    }
    if (recipient.state === 'delivered') this.#log.info(fields)
    else this.#log.warn(fields)
  }

  notified(notice: Parameters<DeliveryObserver['notified']>[0]): void {
    const { messageId, noticeId, kind, to } = notice
    this.#meter.count('postern_notices_total', { kind })
    this.#log.info({ event: 'notice', kind, message: messageId, notice: noticeId, to })
  }

  held(messageId: string, because: string): void {
    this.#log.warn({ event: 'held', message: messageId, why: because })
  }

  suspended(nextHop: string, why: AttemptProblem): void {
    this.#log.warn({ event: 'next-hop-suspended', nextHop, why: describeProblem(why) })
  }

  calledOut(recipient: string, nextHop: string, { says, detail }: CalloutAnswer): void {
    this.#meter.count('postern_callouts_total', { answer: says })
    this.#log.info({ event: 'callout', to: recipient, nextHop, answer: says, said: detail })
  }

  failed(what: string, error: unknown): void {
    this.#meter.count('postern_failures_total', { what: 'delivery' })
    this.#log.error({ event: 'failed', what, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}
