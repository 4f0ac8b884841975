/**
 * Writes down what became of an attempt: new states into the spool, together with the bounces that
 * follow from them; events into the history; a line for the log.
 *
 * Between the 250 of the next hop and the end of `Spool.settle` lies the only window in which a crash
 * makes a message arrive twice (RFC 5321 §6.1, S29). Nothing waits in between but the spool itself.
 */

import { concludeAttempt, type Conclusion } from '../core/message/conclusion.ts'
import type { Recipient } from '../core/message/envelope.ts'
import { describeOutcome, oneLine, type AttemptProblem, type Outcome } from '../core/message/outcome.ts'
import type { TraceEvent } from './admin.ts'
import { composeNotice, type Notice } from './bouncer.ts'
import type { DeliverySettings } from './delivery-settings.ts'
import type { History, Lease, NewMessage, Spool, System, Timers } from './ports.ts'

/** Sees what becomes of deliveries, for the log; never changes it. */
export type DeliveryObserver = {
  /** One recipient's attempt is over. */
  attempted(attempt: AttemptReport): void
  /** The sender is told of failed or late recipients by the message `noticeId`. */
  notified(notice: { readonly messageId: string; readonly noticeId: string; readonly kind: Notice['kind']; readonly to: string }): void
  /** A message stays in the queue until an administrator lets it go. */
  held(messageId: string, because: string): void
  /** A next hop is left alone for a while. */
  suspended(nextHop: string, why: AttemptProblem): void
  /** Our own trouble: the spool, or a bug. */
  failed(what: string, error: unknown): void
}

export type AttemptReport = {
  readonly messageId: string
  readonly reversePath: string
  readonly nextHop: string
  readonly outcome: Outcome
  /** The recipient as it is now: its state, its attempts, when the next is due. */
  readonly recipient: Recipient
}

/** An attempt that is over: one outcome for each index. */
export type Attempt = {
  readonly lease: Lease
  readonly indices: readonly number[]
  readonly outcomes: readonly Outcome[]
  readonly nextHop: string
}

export type SettlerHost = {
  readonly spool: Spool
  readonly system: System
  readonly timers: Timers
  readonly history: History
  readonly observer: DeliveryObserver
}

/** How long to wait after the spool failed to write a result down. */
const RETRY_MILLISECONDS = 1000

export class Settler {
  readonly #host: SettlerHost
  #stopping = false

  constructor(host: SettlerHost) {
    this.#host = host
  }

  /** From now on a result that can't be written is given up: the attempt will be made again. */
  stop(): void {
    this.#stopping = true
  }

  /** Resolves when the result is written down, or nobody can write it any more. Rejects never. */
  async settle(attempt: Attempt, settings: DeliverySettings): Promise<void> {
    const { system } = this.#host
    const { lease, indices, outcomes } = attempt
    const context = { schedule: settings.retry, now: system.now(), jitter: system.random() }
    const conclusion = concludeAttempt(lease.message, indices, outcomes, context)
    this.#report(attempt, conclusion)
    for (;;) {
      const isWritten = await this.#write(lease, conclusion, settings)
      if (isWritten || this.#stopping) return
      await new Promise<void>(resolve => this.#host.timers.after(RETRY_MILLISECONDS, resolve))
      // A rejected promise promises nothing: perhaps it was written after all.
      if (!this.#isStillLeased(lease, conclusion)) return
    }
  }

  async #write(lease: Lease, conclusion: Conclusion, settings: DeliverySettings): Promise<boolean> {
    const { spool, observer } = this.#host
    const notices: { readonly kind: Notice['kind']; readonly message: NewMessage }[] = []
    try {
      for (const notice of noticesOf(conclusion)) {
        const composed = await composeNotice(notice, lease, { ...this.#host, settings })
        if (composed !== null) notices.push({ kind: notice.kind, message: composed })
      }
      await spool.settle(lease.message.id, conclusion.changes, notices.map(({ message }) => message))
    } catch (error) {
      observer.failed('settle', error)
      for (const { message } of notices) await message.draft.drop()
      return false
    }
    for (const { kind, message } of notices) this.#reportNotice(lease, message.message.id, kind)
    return true
  }

  #isStillLeased(lease: Lease, conclusion: Conclusion): boolean {
    const stored = this.#host.spool.find(lease.message.id)
    return conclusion.changes.some(({ index }) => stored?.recipients[index]?.state === 'leased')
  }

  #report(attempt: Attempt, conclusion: Conclusion): void {
    const { history, observer, system } = this.#host
    const { id, envelope } = attempt.lease.message
    const at = system.now()
    for (const [i, { recipient }] of conclusion.changes.entries()) {
      const outcome = attempt.outcomes[i]
      if (outcome === undefined) continue
      const { address, state } = recipient
      const event = state === 'waiting' ? 'deferred' : state === 'failed' ? 'failed' : 'delivered'
      const text = [`${attempt.nextHop}: ${describeOutcome(outcome)}`, ...(outcome.accessLines ?? [])].map(oneLine).join('; ')
      history.recordEvent({ at, messageId: id, event, recipient: address, text })
      observer.attempted({ messageId: id, reversePath: envelope.reversePath, nextHop: attempt.nextHop, outcome, recipient })
    }
  }

  #reportNotice(lease: Lease, noticeId: string, kind: Notice['kind']): void {
    const { history, observer, system } = this.#host
    const messageId = lease.message.id
    const to = lease.message.envelope.reversePath
    history.recordEvent({ at: system.now(), messageId, event: EVENTS[kind], recipient: to, text: `the sender is told by message ${noticeId}` })
    observer.notified({ messageId, noticeId, kind, to })
  }
}

function noticesOf({ failed, delayed, relayed }: Conclusion): readonly Notice[] {
  return [
    ...(failed.length > 0 ? [{ kind: 'failed', about: failed } as const] : []),
    ...(delayed.length > 0 ? [{ kind: 'delayed', about: delayed } as const] : []),
    ...(relayed.length > 0 ? [{ kind: 'relayed', about: relayed } as const] : []),
  ]
}

const EVENTS = { failed: 'bounced', delayed: 'warned', relayed: 'confirmed' } as const satisfies Record<Notice['kind'], TraceEvent['event']>
