/**
 * Decides which message goes where, when, and over how many connections.
 *
 * Messages come from two sides: just accepted, by `offer`, and due again, by `claim` from the spool.
 * Their recipients are grouped by next hop; each group is a job in the queue of its next hop. A job
 * that ends is settled at once, so that a crash repeats nothing but what a next hop took and we had
 * not yet written down (S29).
 *
 * Nothing is unbounded: connections are counted per next hop and in all, messages and bytes in memory
 * as well. What does not fit stays in the spool.
 */

import { isPermanent, outcomeOf, type AttemptProblem, type Outcome } from '../core/message/outcome.ts'
import { formatHop, hopKey, type NextHop } from '../core/message/route.ts'
import type { Connection } from './connection.ts'
import { deliverOver, openConnection } from './deliverer.ts'
import type { DeliverySettings } from './delivery-settings.ts'
import { groupByHop } from './hop-groups.ts'
import { HopQueue } from './hop-queue.ts'
import { LeaseReturns } from './lease-returns.ts'
import type { Dialer, Lease, Resolver } from './ports.ts'
import { Settler, type SettlerHost } from './settler.ts'
import type { Withdrawal } from './withdrawal.ts'

export type SchedulerOptions = SettlerHost & {
  readonly dialer: Dialer
  readonly resolver: Resolver
  readonly settings: DeliverySettings
  readonly whyWithdrawn: Withdrawal
}

/** A message with a lease, until nothing of it is under way. */
type Work = {
  readonly lease: Lease
  jobs: number
  /** Some of its recipients were not tried. */
  untried: boolean
}

/** Recipients of one message that go to one next hop in one transaction. */
type Job = { readonly work: Work; readonly indices: readonly number[] }

const TICK_MILLISECONDS = 1000
const CLAIM_LIMIT = 200
/** How long cut connections may take to be noticed. */
const CUT_SECONDS = 5

export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #settler: Settler
  readonly #returns: LeaseReturns
  #settings: DeliverySettings
  readonly #hops = new Map<string, HopQueue<Job>>()
  /** Next hops that could use a connection, in turn. */
  #line: HopQueue<Job>[] = []
  readonly #connections = new Set<Connection>()
  #active = 0
  #messages = 0
  #bytes = 0
  #phase: 'new' | 'running' | 'stopping' | 'stopped' = 'new'
  #claiming = false
  /** The spool has more that is due, as far as anybody knows: there was no room for all of it. */
  #hasBacklog = false
  #cancelTick: (() => void) | null = null
  #onQuiet: (() => void) | null = null

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#settler = new Settler(options)
    this.#returns = new LeaseReturns(options)
    this.#settings = options.settings
  }

  start(): void {
    this.#phase = 'running'
    this.#tick()
  }

  /** Messages that are ready for delivery in memory, or under way. */
  get messages(): number {
    return this.#messages
  }

  /** There is room for a message: enqueue it leased, and offer it. */
  hasRoom(): boolean {
    const { messagesInMemory, bytesInMemory } = this.#settings.limits
    return this.#phase === 'running' && this.#messages < messagesInMemory && this.#bytes < bytesInMemory
  }

  /** Takes charge of a lease. What cannot be tried now goes back to the spool. */
  offer(lease: Lease): void {
    if (lease.due.length === 0) return
    if (this.#phase !== 'running') return void this.#returns.giveBack(lease.message.id)
    const because = this.#options.whyWithdrawn(lease.message)
    if (because !== null) return void this.#returns.hold(lease.message.id, because)
    this.#take(lease)
    this.#pump()
  }

  /** Something has become due earlier than the spool said: looks at once. */
  wake(): void {
    void this.#claim()
  }

  /** As `wake`, and next hops that failed a moment ago get another chance. */
  flush(): void {
    for (const hop of this.#hops.values()) hop.resume()
    this.wake()
  }

  /** New settings, for all that has not begun: what waits in memory goes back, to be routed anew. */
  reconfigure(settings: DeliverySettings): void {
    this.#settings = settings
    this.#abandonJobs()
    this.#closeIdle(Infinity)
    this.#hops.clear()
    this.wake()
  }

  /** Gives back what waits in memory, so that it is looked at anew. Resolves when all of that is in the spool. */
  async recall(): Promise<void> {
    this.#abandonJobs()
    await this.#returns.settled()
    this.wake()
  }

  /** Lets transactions finish within a bound, then cuts them. All that is not delivered stays in the spool. */
  async stop(): Promise<void> {
    if (this.#phase !== 'running') return
    this.#phase = 'stopping'
    this.#cancelTick?.()
    this.#settler.stop()
    this.#abandonJobs()
    this.#closeIdle(Infinity)
    await this.#quietWithin(this.#settings.limits.drainSeconds)
    for (const connection of this.#connections) connection.close()
    await this.#quietWithin(CUT_SECONDS)
    this.#phase = 'stopped'
  }

  #tick(): void {
    const now = this.#options.system.now()
    this.#closeIdle(now - this.#settings.limits.idleSeconds * 1000)
    for (const [key, hop] of this.#hops) if (hop.isForgettable(now)) this.#hops.delete(key)
    void this.#claim()
    this.#pump()
    if (this.#phase === 'running') this.#cancelTick = this.#options.timers.after(TICK_MILLISECONDS, () => this.#tick())
  }

  /** Takes what is due, oldest first, as long as there is room. */
  async #claim(): Promise<void> {
    this.#hasBacklog = true
    if (this.#claiming || !this.hasRoom()) return
    const { spool, system, observer } = this.#options
    this.#claiming = true
    try {
      for (;;) {
        const now = system.now()
        const dueAt = spool.nextDueAt()
        this.#hasBacklog = dueAt !== null && dueAt <= now
        if (!this.#hasBacklog || !this.hasRoom()) break
        const limit = Math.min(CLAIM_LIMIT, this.#settings.limits.messagesInMemory - this.#messages)
        const leases = await spool.claim({ now, limit })
        if (leases.length === 0) break
        for (const lease of leases) this.offer(lease)
      }
    } catch (error) {
      observer.failed('claim', error)
    } finally {
      this.#claiming = false
    }
  }

  /** Puts the recipients of a lease into the queues of their next hops. */
  #take(lease: Lease): void {
    const work: Work = { lease, jobs: 0, untried: false }
    this.#messages++
    this.#bytes += memoryBytes(lease)
    const { groups, lost } = groupByHop(lease, this.#settings)
    // Counted before anything is tried, so that the lease does not end with the first of several.
    work.jobs = groups.length + (lost.length > 0 ? 1 : 0)
    if (lost.length > 0)
      this.#conclude({ work, indices: lost.map(({ index }) => index) }, lost.map(({ problem }) => outcomeOf(problem)), 'no route')
    for (const { hop, indices } of groups) this.#queue(hop, { work, indices })
  }

  #queue(hop: NextHop, job: Job): void {
    const key = hopKey(hop)
    let queue = this.#hops.get(key)
    if (queue === undefined) this.#hops.set(key, (queue = new HopQueue(hop)))
    const suspension = queue.suspension(this.#options.system.now())
    if (suspension !== null) return this.#concludeAll(queue, job, { kind: 'suspended', because: suspension })
    queue.push(job, job.work.lease.message.envelope.priority)
    this.#list(queue)
  }

  /** Puts a next hop into the line of those that could use a connection. */
  #list(queue: HopQueue<Job>): void {
    if (queue.isListed || !queue.isReady(this.#settings.limits.connectionsPerHop)) return
    queue.isListed = true
    this.#line.push(queue)
  }

  /** Starts what can be started. Next hops take turns, so a long queue does not starve a short one. */
  #pump(): void {
    while (this.#active < this.#settings.limits.connections) {
      const queue = this.#line.shift()
      if (queue === undefined) return
      queue.isListed = false
      if (!queue.isReady(this.#settings.limits.connectionsPerHop)) continue
      const job = queue.start()
      this.#list(queue)
      if (job === null) continue
      this.#active++
      void this.#run(queue, job)
    }
  }

  async #run(queue: HopQueue<Job>, job: Job): Promise<void> {
    try {
      if (this.#mayBegin(queue, job)) await this.#attempt(queue, job)
      else this.#leaveUntried(job)
    } catch (error) {
      // A bug of ours must not take the message along: it waits like any other that failed.
      this.#options.observer.failed('delivery', error)
      this.#concludeAll(queue, job, { kind: 'localTrouble', detail: error instanceof Error ? error.message : String(error) })
    }
    queue.finish()
    this.#active--
    this.#list(queue)
    this.#pump()
    this.#noteQuiet()
  }

  async #attempt(queue: HopQueue<Job>, job: Job): Promise<void> {
    const used = queue.takeIdle()
    if (used !== null) {
      const { outcomes, wentAway } = await this.#deliver(queue, job, used)
      if (!wentAway) return this.#concludeOver(queue, job, outcomes)
      // The server had closed a connection that waited; that says nothing about this message.
    }
    if (!this.#isOfTheseSettings(queue)) return this.#leaveUntried(job)
    const opened = await openConnection(queue.hop, this.#settings, this.#options)
    if (!opened.ok) return this.#unreachable(queue, job, opened.problem)
    this.#connections.add(opened.value)
    if (!this.#mayBegin(queue, job)) {
      this.#leave(opened.value)
      return this.#leaveUntried(job)
    }
    const { outcomes } = await this.#deliver(queue, job, opened.value)
    this.#concludeOver(queue, job, outcomes)
  }

  async #deliver(queue: HopQueue<Job>, job: Job, connection: Connection): ReturnType<typeof deliverOver> {
    try {
      const report = await deliverOver(connection, job.work.lease, job.indices, this.#options.system.now())
      if (this.#isWorthKeeping(queue, connection)) queue.putIdle(connection, this.#options.system.now())
      else this.#leave(connection)
      return report
    } catch (error) {
      connection.close()
      this.#leave(connection)
      throw error
    }
  }

  #isWorthKeeping(queue: HopQueue<Job>, connection: Connection): boolean {
    const { messagesPerConnection, connections } = this.#settings.limits
    return connection.isOpen && connection.takesMore && connection.transactions < messagesPerConnection && this.#connections.size <= connections && this.#isCurrent(queue)
  }

  /** Nobody looks after queues of former settings, and no further job begins after `stop`. */
  #isCurrent(queue: HopQueue<Job>): boolean {
    return this.#phase === 'running' && this.#isOfTheseSettings(queue)
  }

  #isOfTheseSettings(queue: HopQueue<Job>): boolean {
    return this.#hops.get(hopKey(queue.hop)) === queue
  }

  /** While a message waited for a connection, a reload may have changed what that must prove, or somebody taken away what it came in under. */
  #mayBegin(queue: HopQueue<Job>, job: Job): boolean {
    return this.#isOfTheseSettings(queue) && this.#options.whyWithdrawn(job.work.lease.message) === null
  }

  /** Says goodbye in the background; the next message does not wait for it. */
  #leave(connection: Connection): void {
    void connection.quit().finally(() => {
      this.#connections.delete(connection)
      this.#noteQuiet()
    })
  }

  #closeIdle(since: number): void {
    for (const hop of this.#hops.values()) for (const connection of hop.takeIdleSince(since)) this.#leave(connection)
  }

  #concludeOver(queue: HopQueue<Job>, job: Job, outcomes: readonly Outcome[]): void {
    queue.succeeded()
    const { work, indices } = job
    const left = indices.filter((_, i) => isLeftOver(outcomes[i]))
    // Only what comes after some of them is left over: a connection that takes nothing would go round for ever.
    if (left.length === 0 || left.length === indices.length) return this.#conclude(job, outcomes, formatHop(queue.hop))
    work.jobs++
    this.#conclude({ work, indices: indices.filter(index => !left.includes(index)) }, outcomes.filter(outcome => !isLeftOver(outcome)), formatHop(queue.hop))
    if (this.#isCurrent(queue)) this.#queue(queue.hop, { work, indices: left })
    else this.#leaveUntried({ work, indices: left })
  }

  /** No host of the next hop would talk to us. */
  #unreachable(queue: HopQueue<Job>, job: Job, problem: AttemptProblem): void {
    if (!this.#isCurrent(queue)) return this.#leaveUntried(job)
    if (queue.hasOthers()) {
      // It may allow no more connections than there are. The message waits for one of those.
      queue.shrink()
      return queue.putBack(job)
    }
    this.#concludeAll(queue, job, problem)
    if (isPermanent(problem)) return
    const { limits, retry } = this.#settings
    const seconds = Math.min(limits.suspendSeconds, ...retry.delaysSeconds)
    queue.suspend(this.#options.system.now() + seconds * 1000, problem)
    this.#options.observer.suspended(formatHop(queue.hop), problem)
    for (const waiting of queue.drain()) this.#concludeAll(queue, waiting, { kind: 'suspended', because: problem })
  }

  #concludeAll(queue: HopQueue<Job>, job: Job, problem: AttemptProblem): void {
    this.#conclude(job, job.indices.map(() => outcomeOf(problem)), formatHop(queue.hop))
  }

  #conclude(job: Job, outcomes: readonly Outcome[], nextHop: string): void {
    const { work, indices } = job
    this.#settler.settle({ lease: work.lease, indices, outcomes, nextHop }, this.#settings).then(
      () => this.#jobDone(work),
      // Only a bug comes here. The lease stays: given back, the message would come round at once, for ever.
      (error: unknown) => this.#options.observer.failed('settle', error),
    )
  }

  /** The job ends without an attempt; its recipients are due as before. */
  #leaveUntried(job: Job): void {
    job.work.untried = true
    this.#jobDone(job.work)
  }

  #jobDone(work: Work): void {
    work.jobs--
    if (work.jobs > 0) return
    const { message } = work.lease
    const because = this.#options.whyWithdrawn(message)
    if (because !== null) void this.#returns.hold(message.id, because)
    else if (work.untried) void this.#returns.giveBack(message.id)
    this.#messages--
    this.#bytes -= memoryBytes(work.lease)
    this.#noteQuiet()
    // A backlog must not wait for the tick. Without one the spool is not asked: it would be, for each message.
    if (this.#hasBacklog && this.#messages < this.#settings.limits.messagesInMemory / 2) void this.#claim()
  }

  /** Puts back into the spool whatever has not begun. */
  #abandonJobs(): void {
    for (const queue of this.#hops.values()) for (const job of queue.drain()) this.#leaveUntried(job)
  }

  /** Resolves when nothing is under way any more, or the time is over. */
  #quietWithin(seconds: number): Promise<void> {
    if (this.#isQuiet()) return Promise.resolve()
    return new Promise(resolve => {
      const cancel = this.#options.timers.after(seconds * 1000, resolve)
      this.#onQuiet = () => {
        cancel()
        resolve()
      }
    })
  }

  #isQuiet(): boolean {
    return this.#messages === 0 && this.#active === 0 && this.#connections.size === 0
  }

  #noteQuiet(): void {
    if (this.#isQuiet()) this.#onQuiet?.()
  }
}

/** RFC 9422 §4.1: it goes over another connection, at once. */
function isLeftOver(outcome: Outcome | undefined): boolean {
  return outcome?.kind === 'deferred' && outcome.why.kind === 'connectionSpent'
}

/** What a message takes up while it waits: large bodies stay in files. */
function memoryBytes(lease: Lease): number {
  return Math.min(lease.body.sizeBytes, 64 * 1024)
}
