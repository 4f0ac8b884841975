/**
 * One shard: its spool, its history, and the delivery from it; questions to next hops go the same way.
 *
 * What recovery found at opening is logged here, once, for the administrator.
 */

import type { Config } from '../core/config/schema.ts'
import { dialer } from '../io/dialer.ts'
import { openLmdbHistory } from '../io/lmdb-history.ts'
import { openLmdbSpool } from '../io/lmdb-spool.ts'
import type { SpoolReport } from '../io/lmdb-spool.ts'
import { CurrentResolver } from '../io/resolver.ts'
import { system } from '../io/system.ts'
import { timers } from '../io/timers.ts'
import type { Policy } from '../core/policy/policy.ts'
import { Callouts } from '../relay/callouts.ts'
import { DeliveryJournal } from '../relay/delivery-journal.ts'
import type { DeliverySettings } from '../relay/delivery-settings.ts'
import type { Meter } from '../relay/meter.ts'
import type { History, Log, NewMessage, Spool } from '../relay/ports.ts'
import { Scheduler } from '../relay/scheduler.ts'
import { deliveryFromConfig } from './delivery-from-config.ts'
import type { WorkerSettings } from './messages.ts'
import type { Withdrawal } from '../relay/withdrawal.ts'

export type ShardSettings = { readonly config: Config; readonly settings: WorkerSettings; readonly policy: Policy; readonly whyWithdrawn: Withdrawal }

export class Shard {
  readonly spool: Spool
  readonly history: History & { close(): Promise<void> }
  readonly resolver: CurrentResolver
  readonly callouts: Callouts
  readonly #scheduler: Scheduler

  static async open(folder: string, { config, settings, policy, whyWithdrawn }: ShardSettings, log: Log, meter: Meter): Promise<Shard> {
    const { spool, report } = await openLmdbSpool({
      folder,
      now: system.now,
      inlineBytes: config.queue.inlineSizeBytes,
      report: what => tellReport(folder, what, log),
    })
    if (report.resumed > 0 || report.orphanFilesRemoved > 0 || report.quarantined.length > 0) {
      log.warn({ event: 'spool-recovered', shard: folder, ...report })
    }
    const history = openLmdbHistory({ folder })
    return new Shard(spool, history, deliveryFromConfig(config, settings, policy), config.delivery.resolvers, new DeliveryJournal(log, meter), whyWithdrawn)
  }

  private constructor(spool: Spool, history: Shard['history'], settings: DeliverySettings, resolvers: Config['delivery']['resolvers'], observer: DeliveryJournal, whyWithdrawn: Withdrawal) {
    this.spool = spool
    this.history = history
    this.resolver = new CurrentResolver(resolvers)
    this.#scheduler = new Scheduler({
      spool,
      system,
      timers,
      dialer,
      resolver: this.resolver,
      history,
      observer,
      settings,
      whyWithdrawn,
    })
    this.callouts = new Callouts({ system, timers, dialer, resolver: this.resolver, observer }, settings)
    this.#scheduler.start()
  }

  /** Makes a message durable. Where there is room, it goes out from memory and is never read back. */
  readonly accept = async (message: NewMessage): Promise<void> => {
    const leased = message.message.heldBecause === null && this.#scheduler.hasRoom()
    const lease = await this.spool.enqueue(message, { leased })
    if (leased) this.#scheduler.offer(lease)
    else this.#scheduler.wake()
  }

  reconfigure(config: Config, settings: WorkerSettings, policy: Policy): void {
    const next = deliveryFromConfig(config, settings, policy)
    this.resolver.replace(config.delivery.resolvers)
    this.#scheduler.reconfigure(next)
    this.callouts.reconfigure(next)
  }

  /** What waits for a next hop in memory goes back to the spool, to be looked at anew. */
  recall(): Promise<void> {
    return this.#scheduler.recall()
  }

  /** An administrator has made something due. */
  wake(): void {
    this.#scheduler.flush()
  }

  async close(): Promise<void> {
    await this.#scheduler.stop()
    await this.spool.close()
    await this.history.close()
  }
}

function tellReport(shard: string, report: SpoolReport, log: Log): void {
  if (report.kind === 'quarantined') return log.error({ event: 'record-quarantined', shard, id: report.id, why: report.why })
  log.error({ event: 'spool-broken', shard, why: report.why, action: 'this worker ends and is started again' })
  // Its promises are on disk. Going on with a broken store might not keep the next one.
  setImmediate(() => process.exit(1))
}
