/** The commands that change queued messages are one command with different words. */

import type { QueueChange, QueueChanged } from '../relay/admin.ts'
import type { QueueFilter } from '../relay/ports.ts'
import { Problem } from './command.ts'
import { plural, type Look } from './output.ts'
import { askRunning } from './running.ts'

/** Throws a Problem if a message that was named is not there. */
export async function changeQueue(directory: string, change: QueueChange, filters: readonly QueueFilter[]): Promise<QueueChanged> {
  const changed: string[] = []
  const busy: string[] = []
  const untouched: string[] = []
  for (const filter of filters) {
    const answer = await askRunning(directory, { do: 'queueChange', change, filter })
    if (filter.id !== undefined && answer.changed.length + answer.busy.length + answer.untouched.length === 0) {
      throw new Problem(`no message ${filter.id} is in the queue; "postern queue list" shows those that are`)
    }
    changed.push(...answer.changed)
    busy.push(...answer.busy)
    // Of those that a filter found, only what became of them is news.
    if (filter.id !== undefined) untouched.push(...answer.untouched)
  }
  return { changed, busy, untouched }
}

/** `words`: what happened to the messages, and what those are of which there was nothing to change. */
export function renderChanged({ changed, busy, untouched }: QueueChanged, words: { readonly done: string; readonly unfit?: string }, look: Look): string {
  const lines = [changed.length === 0 ? 'No message was changed.' : `${plural(changed.length, 'message')} ${words.done}.`]
  if (busy.length > 0) lines.push(look.warn(`${plural(busy.length, 'message')} being delivered right now and left alone: ${busy.slice(0, 10).join(' ')}`))
  if (words.unfit !== undefined && untouched.length > 0) lines.push(look.warn(`${words.unfit}: ${untouched.join(' ')}`))
  return lines.join('\n')
}
