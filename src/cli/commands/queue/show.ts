/** postern queue show */

import { formatSize } from '../../../core/time.ts'
import { Problem, defineCommand } from '../../command.ts'
import { fields, indent, relativeTime, visible } from '../../output.ts'
import { queueEntry, senderText, stateText } from '../../queue-selection.ts'
import { askRunning } from '../../running.ts'

export default defineCommand({
  summary: 'Show a queued message: where it came from, its recipients, its header.',
  operands: 'ID',
  options: {},
  examples: ['postern queue show k3v9x2m4q8w1'],
  run: async ({ operands: [id = ''], directory }) => {
    const found = await askRunning(directory, { do: 'queueShow', id })
    if (found === null) throw new Problem(`no message ${visible(id)} is in the queue; "postern trace ${visible(id)}" says what became of it`)
    return { now: Date.now(), ...found }
  },
  render: ({ message, header, now }, look) => {
    const { origin } = message
    const recipients = message.recipients.map(recipient => `${visible(recipient.address)}  ${stateText(message, recipient, now, look)}`)
    const facts = fields(
      [
        ['id', message.id],
        ['sender', senderText(message)],
        ['accepted', relativeTime(message.acceptedAt, now)],
        ['size', formatSize(message.sizeBytes)],
        ['client', `${origin.address} (${visible(origin.hello)}) on ${origin.listener}${origin.holder === null ? '' : `, certificate of ${origin.holder}`}`],
        ['recipients', recipients.join('\n')],
      ],
      look,
    )
    return `${facts}\n${look.dim('header')}\n${indent(header.trimEnd().split(/\r?\n/).map(visibleLine).join('\n'))}`
  },
  toJson: ({ message, header }) => ({ ...queueEntry(message), origin: message.origin, header }),
})

/** Long fields go on in lines that begin with a tab. */
function visibleLine(line: string): string {
  return line.split('\t').map(visible).join('\t')
}
