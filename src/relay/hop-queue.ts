/**
 * One next hop: the work that waits for it, and the connections to it.
 *
 * A next hop that nobody could reach is left alone for a while, and whatever waits for it is put off
 * with the same reason: a dead server must not cost every message of the queue a timeout.
 */

import type { AttemptProblem } from '../core/message/outcome.ts'
import type { NextHop } from '../core/message/route.ts'
import type { Connection } from './connection.ts'

/** Connections that a next hop gets at first; each success allows one more, up to its limit. */
const FIRST_WINDOW = 5
/** Once it refused one, a further one is tried only now and then. */
const CAREFUL_STEP = 0.05
const OVERTAKEN_EACH_LEVEL = 50

type Waiting<Job> = { readonly job: Job; readonly place: number }

export class HopQueue<Job> {
  readonly hop: NextHop
  /** Stands in the scheduler's line of next hops that could use a connection. */
  isListed = false
  /** Sorted by place; almost always a job belongs at the end. */
  #jobs: Waiting<Job>[] = []
  #pushed = 0
  /** Jobs before this one are done: an array is a queue as long as nobody shifts it. */
  #head = 0
  #active = 0
  #window = FIRST_WINDOW
  #step = 1
  #idle: { readonly connection: Connection; readonly since: number }[] = []
  #suspended: { readonly until: number; readonly because: AttemptProblem } | null = null

  constructor(hop: NextHop) {
    this.hop = hop
  }

  /**
   * A job overtakes so many others for each level of its priority (RFC 6710 §5), and no more: who goes last
   * goes in the end.
   */
  push(job: Job, priority: number): void {
    const place = this.#pushed++ - priority * OVERTAKEN_EACH_LEVEL
    let at = this.#jobs.length
    while (at > this.#head && (this.#jobs[at - 1]?.place ?? -Infinity) >= place) at--
    if (at === this.#jobs.length) this.#jobs.push({ job, place })
    else this.#jobs.splice(at, 0, { job, place })
  }

  /** Can start a job now, within `limit` connections. */
  isReady(limit: number): boolean {
    return this.#head < this.#jobs.length && this.#active < Math.min(limit, Math.floor(this.#window))
  }

  /** Takes the first job; `finish` must follow. */
  start(): Job | null {
    const first = this.#jobs[this.#head]
    if (first === undefined) return null
    this.#head++
    if (this.#head > 1024 && this.#head * 2 > this.#jobs.length) {
      this.#jobs = this.#jobs.slice(this.#head)
      this.#head = 0
    }
    this.#active++
    return first.job
  }

  finish(): void {
    this.#active--
  }

  /** Puts a job that was started, and could not be tried, back to the front. */
  putBack(job: Job): void {
    const first = { job, place: this.#jobs[this.#head]?.place ?? this.#pushed }
    if (this.#head > 0) this.#jobs[--this.#head] = first
    else this.#jobs.unshift(first)
  }

  /** Takes all jobs that nobody has started. */
  drain(): readonly Job[] {
    const jobs = this.#jobs.slice(this.#head).map(({ job }) => job)
    this.#jobs = []
    this.#head = 0
    return jobs
  }

  /** The connection that was used last: the others can then grow old and be closed. */
  takeIdle(): Connection | null {
    return this.#idle.pop()?.connection ?? null
  }

  putIdle(connection: Connection, now: number): void {
    this.#idle.push({ connection, since: now })
  }

  /** Takes the connections that have been idle since before `instant`. */
  takeIdleSince(instant: number): readonly Connection[] {
    const old = this.#idle.filter(idle => idle.since <= instant)
    if (old.length > 0) this.#idle = this.#idle.filter(idle => idle.since > instant)
    return old.map(idle => idle.connection)
  }

  /** A connection was opened or used with success. */
  succeeded(): void {
    this.#window += this.#step
    this.#suspended = null
  }

  /** A further connection was refused while others work: go on with as many as there are. */
  shrink(): void {
    this.#window = Math.max(1, this.#active - 1 + this.#idle.length)
    this.#step = CAREFUL_STEP
  }

  /** Jobs under way beside the one that asks, or connections that wait for one. */
  hasOthers(): boolean {
    return this.#active > 1 || this.#idle.length > 0
  }

  suspend(until: number, because: AttemptProblem): void {
    this.#suspended = { until, because }
    this.#window = FIRST_WINDOW
    this.#step = 1
  }

  resume(): void {
    this.#suspended = null
  }

  /** Why nothing is to be tried now; null if it is. */
  suspension(now: number): AttemptProblem | null {
    if (this.#suspended !== null && this.#suspended.until <= now) this.#suspended = null
    return this.#suspended?.because ?? null
  }

  /** Nothing would be lost by forgetting it. */
  isForgettable(now: number): boolean {
    return this.#head >= this.#jobs.length && this.#active === 0 && this.#idle.length === 0 && this.suspension(now) === null
  }
}
