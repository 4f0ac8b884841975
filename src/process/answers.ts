/** One answer out of the workers' answers to the same question: each knows its own shard. */

import type { AdminAnswers, AdminRequest, AdminResult, QueueChanged } from '../relay/admin.ts'

type WorkerRequest = Exclude<AdminRequest, { do: 'status' | 'reload' | 'stop' | 'authority' | 'passwords' }>

export function mergeAnswers(request: WorkerRequest, results: readonly AdminResult[]): AdminResult {
  const failed = results.find(result => !result.ok)
  if (failed !== undefined) return failed
  const answers = results.flatMap(result => (result.ok ? [result.answer] : []))
  return { ok: true, answer: merged(request, answers) }
}

export function mergeChanges(changes: readonly QueueChanged[]): QueueChanged {
  return {
    changed: changes.flatMap(({ changed }) => changed),
    busy: changes.flatMap(({ busy }) => busy),
    untouched: changes.flatMap(({ untouched }) => untouched),
  }
}

function merged(request: WorkerRequest, answers: readonly unknown[]): AdminAnswers[WorkerRequest['do']] {
  switch (request.do) {
    case 'queueList': {
      const pages = answers as readonly AdminAnswers['queueList'][]
      const messages = pages.flatMap(page => page.messages).sort((a, b) => a.acceptedAt - b.acceptedAt)
      return { messages: messages.slice(0, request.limit), more: messages.length > request.limit || pages.some(page => page.more) }
    }
    case 'queueShow':
      return (answers as readonly AdminAnswers['queueShow'][]).find(answer => answer !== null) ?? null
    case 'queueChange':
      return mergeChanges(answers as readonly QueueChanged[])
    case 'explain':
      return (answers as readonly AdminAnswers['explain'][]).find(answer => answer !== null) ?? null
    case 'trace': {
      const traces = answers as readonly AdminAnswers['trace'][]
      return { events: traces.flatMap(({ events }) => events).sort((a, b) => a.at - b.at) }
    }
  }
}
