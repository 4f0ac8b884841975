/**
 * A worker's first lines: it waits to be told what to do, and ends with the supervisor.
 *
 * Without a supervisor there would be nobody to stop it, and the next Postern would find its shards
 * in use; so it ends at once when the channel closes. What it promised is on disk.
 */

import type { EtrnNode } from '../core/smtp/etrn.ts'
import { Calls } from './calls.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { Worker } from './worker.ts'

/** How long the workers may differ about what a client has used. */
const SHARE_MILLISECONDS = 1000

const wakeCalls = new Calls<number | null>(null)

/** Settled when the worker has started; what is asked of it meanwhile waits. */
let started: Promise<Worker | null> = Promise.resolve(null)

// Nothing that a worker makes is for other accounts.
process.umask(0o077)
process.on('disconnect', () => process.exit(1))
// Signals from a terminal go to every process; the supervisor decides what they mean.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('message', (message: ToWorker) => void receive(message))

async function receive(message: ToWorker): Promise<void> {
  if (message.kind === 'start') {
    started = start(message)
    return
  }
  const worker = await started
  if (worker === null) return
  switch (message.kind) {
    case 'queueWoken':
      return wakeCalls.answered(message.requestId, message.messages)
    case 'configure':
      return send({ kind: 'done', requestId: message.requestId, problem: worker.configure(message.settings) })
    case 'index':
      await worker.replaceIndex(message.index, message.accounts)
      return send({ kind: 'done', requestId: message.requestId, problem: null })
    case 'admin':
      return send({ kind: 'answer', requestId: message.requestId, result: await worker.administer(message.request) })
    case 'usage':
      return worker.mergeUsage(message.worker, message.changes)
    case 'drain':
      await worker.drain()
      return send({ kind: 'drained' }, () => process.exit(0))
  }
}

async function start({ start, settings }: Extract<ToWorker, { kind: 'start' }>): Promise<Worker | null> {
  const opened = await Worker.start(start, settings, wakeQueue)
  if (!opened.ok) {
    send({ kind: 'cannotStart', problem: opened.problem }, () => process.exit(1))
    return null
  }
  send({ kind: 'ready' })
  if (start.workers > 1) setInterval(() => shareUsage(opened.value), SHARE_MILLISECONDS).unref()
  return opened.value
}

/** The queue is in all workers' shards: the supervisor asks each of them. */
function wakeQueue({ domain, below }: EtrnNode): Promise<number | null> {
  return wakeCalls.ask(requestId => {
    send({ kind: 'wakeQueue', requestId, domain, below })
    return true
  })
}

function shareUsage(worker: Worker): void {
  const changes = worker.takeUsage()
  if (changes !== null) send({ kind: 'usage', changes })
}

function send(message: FromWorker, then: () => void = () => {}): void {
  process.send?.(message, then)
}
