/** postern trace */

import { formatInstant } from '../../core/time.ts'
import { Problem, defineCommand } from '../command.ts'
import { table, visible } from '../output.ts'
import { askRunning } from '../running.ts'

export default defineCommand({
  summary: 'Tell the life of a message, from the connection to the last reply of a next hop.',
  details: 'Takes the ID of a message, or an address: then the newest events of all its messages. What is kept is bounded, so the life of an old message may be forgotten.',
  operands: 'ID-OR-ADDRESS',
  options: {},
  examples: ['postern trace 0mx06nkn6v39hxch', 'postern trace ann@example.net'],
  run: async ({ operands: [of = ''], directory }) => {
    const { events } = await askRunning(directory, { do: 'trace', of })
    if (events.length === 0) throw new Problem(`nothing is known of ${visible(of)}; it never came here, or is too long ago`)
    return events
  },
  render: (events, look) =>
    table(
      ['TIME', 'MESSAGE', 'EVENT', 'RECIPIENT', ''],
      events.map(event => [formatInstant(event.at), event.messageId, event.event, visible(event.recipient ?? ''), visible(event.text)]),
      look,
    ),
  toJson: events => events.map(event => ({ ...event, at: formatInstant(event.at) })),
})
