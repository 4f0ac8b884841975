/**
 * A worker's first lines: it waits to be told what to do, and ends with the supervisor.
 *
 * Without a supervisor there would be nobody to stop it, and the next Postern would find its shards
 * in use; so it ends at once when the channel closes. What it promised is on disk.
 */

import type { FromWorker, ToWorker } from './messages.ts'
import { Worker } from './worker.ts'

let worker: Worker | null = null

process.on('disconnect', () => process.exit(1))
// Signals from a terminal go to every process; the supervisor decides what they mean.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('message', (message: ToWorker) => void receive(message))

async function receive(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case 'start': {
      const started = await Worker.start(message.start, message.settings)
      if (!started.ok) return send({ kind: 'cannotStart', problem: started.problem }, () => process.exit(1))
      worker = started.value
      return send({ kind: 'ready' })
    }
    case 'configure':
      return send({ kind: 'done', requestId: message.requestId, problem: worker?.configure(message.settings) ?? null })
    case 'index':
      await worker?.replaceIndex(message.index)
      return send({ kind: 'done', requestId: message.requestId, problem: null })
    case 'admin':
      if (worker === null) return
      return send({ kind: 'answer', requestId: message.requestId, result: await worker.administer(message.request) })
    case 'drain':
      await worker?.drain()
      return send({ kind: 'drained' }, () => process.exit(0))
  }
}

function send(message: FromWorker, then: () => void = () => {}): void {
  process.send?.(message, then)
}
