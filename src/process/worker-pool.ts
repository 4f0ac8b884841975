/**
 * The workers: started, started again when they crash, asked together, drained together.
 *
 * A worker that crashes takes its sessions with it and nothing else: what it promised is in its
 * shard, and the next one goes on from there. One that crashes again and again is started less and
 * less often, so that a broken machine is not made busier by us.
 */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import path from 'node:path'
import type { Readable } from 'node:stream'
import type { UsageChanges } from '../core/limits/usage-table.ts'
import type { EtrnNode } from '../core/smtp/etrn.ts'
import type { AdminAnswers, AdminRequest, AdminResult } from '../relay/admin.ts'
import type { LogWriter } from '../io/log-writer.ts'
import { mergeAnswers } from './answers.ts'
import { Calls } from './calls.ts'
import { parseFromWorker } from './messages.ts'
import type { FromWorker, ToWorker, WorkerSettings, WorkerStart } from './messages.ts'
import { CODE_FOLDER, workerFlags } from './permissions.ts'

const FIRST_DELAY_MILLISECONDS = 200
const LONGEST_DELAY_MILLISECONDS = 30_000
/** A worker that lived this long starts its back-off anew. */
const STABLE_MILLISECONDS = 60_000

export type WorkerStatus = { readonly pid: number; readonly restarts: number }

type State =
  | { readonly is: 'starting' | 'ready'; readonly child: ChildProcess }
  | { readonly is: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly is: 'over' }

/** What one worker's doing means for the others. */
type PoolCalls = {
  readonly tellOthers: (changes: UsageChanges | null) => void
  readonly wakeAll: (node: EtrnNode) => Promise<number | null>
}

/** One worker and its successors. */
class WorkerSeat {
  readonly #start: WorkerStart
  readonly #settings: () => WorkerSettings
  readonly #log: LogWriter
  readonly #tellOthers: (changes: UsageChanges | null) => void
  readonly #wakeAll: (node: EtrnNode) => Promise<number | null>
  readonly #calls = new Calls<AdminResult>({ ok: false, problem: 'the worker ended before it answered; see the log' })
  readonly #changes = new Calls<string | null>('the worker ended; it starts again with the new settings')
  #state: State = { is: 'over' }
  #restarts = 0
  #delay = FIRST_DELAY_MILLISECONDS
  #draining = false
  #settled: (problem: string | null) => void = () => {}
  #over: () => void = () => {}

  constructor(start: WorkerStart, settings: () => WorkerSettings, log: LogWriter, pool: PoolCalls) {
    this.#start = start
    this.#tellOthers = pool.tellOthers
    this.#wakeAll = pool.wakeAll
    this.#settings = settings
    this.#log = log
  }

  get status(): WorkerStatus | null {
    return this.#state.is === 'ready' ? { pid: this.#state.child.pid ?? 0, restarts: this.#restarts } : null
  }

  /** Resolves null when the worker is ready for the first time, or with what keeps it from starting. */
  open(): Promise<string | null> {
    return new Promise(resolve => {
      this.#settled = resolve
      this.#launch()
    })
  }

  ask(request: AdminRequest): Promise<AdminResult> {
    return this.#calls.ask(requestId => this.#send({ kind: 'admin', requestId, request }))
  }

  change(message: (requestId: number) => Extract<ToWorker, { kind: 'configure' | 'index' }>): Promise<string | null> {
    return this.#changes.ask(requestId => this.#send(message(requestId)))
  }

  async #answerWake({ requestId, ...node }: Extract<FromWorker, { kind: 'wakeQueue' }>): Promise<void> {
    this.#send({ kind: 'queueWoken', requestId, messages: await this.#wakeAll(node) })
  }

  /** What clients did at another worker. */
  hearUsage(worker: number, changes: UsageChanges | null): void {
    this.#send({ kind: 'usage', worker, changes })
  }

  /** Resolves when the worker has ended. */
  drain(): Promise<void> {
    this.#draining = true
    if (this.#state.is === 'waiting') clearTimeout(this.#state.timer)
    if (this.#state.is === 'waiting' || this.#state.is === 'over') return Promise.resolve()
    this.#send({ kind: 'drain' })
    return new Promise(resolve => {
      this.#over = resolve
    })
  }

  kill(): void {
    if (this.#state.is === 'starting' || this.#state.is === 'ready') this.#state.child.kill('SIGKILL')
  }

  #launch(): void {
    const { spoolFolder, shards, listeners } = this.#start
    const main = path.join(CODE_FOLDER, 'src', 'process', 'worker-main.ts')
    const child = spawn(process.execPath, [...workerFlags(spoolFolder, shards), main], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc', ...listeners.map(listener => listener.fd)],
      cwd: spoolFolder,
      // Each shard has one commit in the thread pool at a time, and large bodies are written there, too.
      env: { UV_THREADPOOL_SIZE: '8' },
    })
    this.#state = { is: 'starting', child }
    const startedAt = Date.now()
    child.on('message', message => this.#received(child, message))
    if (child.stdout !== null) passOnLines(child.stdout, this.#log)
    child.on('error', error => {
      // What is sent to a worker that has just ended reaches nobody, and need not.
      if (!this.#draining) this.#log.error({ event: 'worker-failed', problem: error.message })
    })
    child.on('close', (code, signal) => this.#exited(signal ?? `exit code ${code}`, Date.now() - startedAt))
    // Inherited descriptors come after the three standard ones and the channel.
    const passed = listeners.map((listener, index) => ({ name: listener.name, fd: 4 + index }))
    this.#send({ kind: 'start', start: { ...this.#start, listeners: passed }, settings: this.#settings() })
  }

  #received(child: ChildProcess, message: unknown): void {
    const parsed = parseFromWorker(message)
    if (parsed === null) {
      this.#log.error({ event: 'worker-misspoke', pid: child.pid, action: 'it is started again' })
      return void child.kill('SIGKILL')
    }
    this.#act(child, parsed)
  }

  #act(child: ChildProcess, message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        this.#state = { is: 'ready', child }
        this.#tellOthers(null)
        return this.#settled(null)
      case 'cannotStart':
        this.#log.error({ event: 'worker-cannot-start', problem: message.problem })
        return this.#settled(message.problem)
      case 'done':
        return this.#changes.answered(message.requestId, message.problem)
      case 'answer':
        return this.#calls.answered(message.requestId, message.result)
      case 'wakeQueue':
        return void this.#answerWake(message)
      case 'usage':
        return this.#tellOthers(message.changes)
      case 'drained':
        return
    }
  }

  #exited(how: string, livedMilliseconds: number): void {
    this.#tellOthers(null)
    this.#calls.gone()
    this.#changes.gone()
    if (this.#draining) {
      this.#state = { is: 'over' }
      return this.#over()
    }
    this.#settled(`a worker ended before it was ready (${how}); what it said stands above`)
    if (livedMilliseconds >= STABLE_MILLISECONDS) this.#delay = FIRST_DELAY_MILLISECONDS
    this.#log.error({ event: 'worker-crashed', how, shards: this.#start.shards, restartInMilliseconds: this.#delay })
    const timer = setTimeout(() => {
      this.#restarts++
      this.#launch()
    }, this.#delay)
    this.#state = { is: 'waiting', timer }
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY_MILLISECONDS)
  }

  #send(message: ToWorker): boolean {
    if (this.#state.is !== 'starting' && this.#state.is !== 'ready') return false
    return this.#state.child.connected && (this.#state.child.send(message), true)
  }
}

/** A worker's log: whole lines only, so that they never mix with another's. */
function passOnLines(output: Readable, log: LogWriter): void {
  let rest = ''
  output.setEncoding('utf8')
  output.on('data', (text: string) => {
    const end = text.lastIndexOf('\n') + 1
    if (end > 0) log.passOn(rest + text.slice(0, end))
    rest = end > 0 ? text.slice(end) : rest + text
  })
  output.on('end', () => {
    if (rest !== '') log.passOn(`${rest}\n`)
  })
}

export class WorkerPool {
  readonly #seats: readonly WorkerSeat[]
  readonly #log: LogWriter

  constructor(starts: readonly WorkerStart[], settings: () => WorkerSettings, log: LogWriter) {
    this.#log = log
    this.#seats = starts.map((start, index) => new WorkerSeat(start, settings, log, { tellOthers: changes => this.#share(index, changes), wakeAll: node => this.#wakeAll(node) }))
  }

  /** Starts all workers; the problems of those that cannot start. */
  async open(): Promise<readonly string[]> {
    const settled = await Promise.all(this.#seats.map(seat => seat.open()))
    return settled.filter(problem => problem !== null)
  }

  get statuses(): readonly (WorkerStatus | null)[] {
    return this.#seats.map(seat => seat.status)
  }

  /** The same question to every worker; answers in the order of the workers. */
  askAll(request: AdminRequest): Promise<readonly AdminResult[]> {
    return Promise.all(this.#seats.map(seat => seat.ask(request)))
  }

  /** The same change to every worker; resolves with the problems when all have made it. */
  async changeAll(
    message: (requestId: number) => Extract<ToWorker, { kind: 'configure' | 'index' }>,
  ): Promise<readonly string[]> {
    const done = await Promise.all(this.#seats.map(seat => seat.change(message)))
    return done.filter(problem => problem !== null)
  }

  /** What a worker may ask of the others, since their clients could: to try again what waits. */
  async #wakeAll({ domain, below }: EtrnNode): Promise<number | null> {
    const woken = new Set<string>()
    for (const recipient of below ? [`@${domain}`, `.${domain}`] : [`@${domain}`]) {
      const request = { do: 'queueChange', change: 'wake', filter: { recipient, state: 'waiting' } } as const
      const result = mergeAnswers(request, await this.askAll(request))
      if (!result.ok) return null
      for (const id of (result.answer as AdminAnswers['queueChange']).changed) woken.add(id)
    }
    this.#log.info({ event: 'queue-woken', domain, below, messages: woken.size })
    return woken.size
  }

  async drain(): Promise<void> {
    await Promise.all(this.#seats.map(seat => seat.drain()))
  }

  kill(): void {
    for (const seat of this.#seats) seat.kill()
  }

  /** Limits hold over all workers: each hears what the others did, about once a second. */
  #share(worker: number, changes: UsageChanges | null): void {
    for (const [index, seat] of this.#seats.entries()) if (index !== worker) seat.hearUsage(worker, changes)
  }
}
