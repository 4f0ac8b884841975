/** postern queue list */

import { defineCommand } from '../../command.ts'
import { plural } from '../../output.ts'
import { filterFrom, FILTER_OPTIONS, queueEntry, queueTable } from '../../queue-selection.ts'
import { askRunning } from '../../running.ts'

const MOST_BY_DEFAULT = 100
/** With --json the whole queue is wanted; the control socket takes no larger page. */
const MOST_OF_ALL = 1_000_000

export default defineCommand({
  summary: 'List messages that are still in the queue.',
  options: {
    ...FILTER_OPTIONS,
    limit: { type: 'number', value: 'N', describe: `At most so many messages (default ${MOST_BY_DEFAULT}; with --json all).` },
  },
  examples: ['postern queue list', 'postern queue list --domain example.net --older-than 4h', 'postern queue list --state held --json'],
  run: async ({ args, directory, json }) => {
    const now = Date.now()
    const limit = Math.max(1, Math.min(args.limit ?? (json ? MOST_OF_ALL : MOST_BY_DEFAULT), MOST_OF_ALL))
    const filter = filterFrom(args, now)
    return { now, isWhole: Object.keys(filter).length === 0, ...(await askRunning(directory, { do: 'queueList', filter, limit })) }
  },
  render: ({ messages, more, now, isWhole }, look) => {
    if (messages.length === 0) return isWhole ? 'The queue is empty.' : 'The queue has no such messages.'
    const end = more ? 'These are the first; --limit N shows more.' : plural(messages.length, 'message')
    return `${queueTable(messages, now, look)}\n${look.dim(end)}`
  },
  toJson: ({ messages }) => messages.map(queueEntry),
})
