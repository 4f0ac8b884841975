/** The commands that change queued messages are one command with different words. */

import type { QueueChange } from '../relay/admin.ts'
import type { QueueFilter } from '../relay/ports.ts'
import { Problem } from './command.ts'
import { plural, type Look } from './output.ts'
import { askRunning } from './running.ts'

export type Changed = {
  readonly changed: readonly string[]
  /** Being delivered at this moment, and left as they are. */
  readonly busy: readonly string[]
}

/** Throws a Problem if a message that was named is not there. */
export async function changeQueue(directory: string, change: QueueChange, filters: readonly QueueFilter[]): Promise<Changed> {
  const changed: string[] = []
  const busy: string[] = []
  for (const filter of filters) {
    const answer = await askRunning(directory, { do: 'queueChange', change, filter })
    if (filter.id !== undefined && answer.changed.length + answer.busy.length === 0) {
      throw new Problem(`no message ${filter.id} is in the queue; "postern queue list" shows those that are`)
    }
    changed.push(...answer.changed)
    busy.push(...answer.busy)
  }
  return { changed, busy }
}

/** `done` is what happened to the messages: "held", "deleted". */
export function renderChanged({ changed, busy }: Changed, done: string, look: Look): string {
  const lines = [changed.length === 0 ? 'No message was changed.' : `${plural(changed.length, 'message')} ${done}.`]
  if (busy.length > 0) lines.push(look.warn(`${plural(busy.length, 'message')} being delivered right now and left alone: ${busy.slice(0, 10).join(' ')}`))
  return lines.join('\n')
}
