/** postern queue retry */

import { defineCommand } from '../../command.ts'
import { changeQueue, renderChanged } from '../../queue-change.ts'
import { CHANGE_OPTIONS, selectionFrom } from '../../queue-selection.ts'

export default defineCommand({
  summary: 'Try messages again now, without waiting for their time.',
  details: `An attempt that fails leaves the time of the next one, and the waits after it, as they were. A message that its sender
wants kept for later (HOLDFOR, HOLDUNTIL) goes out before its time, if it is among those that are named.`,
  operands: '[ID…]',
  options: CHANGE_OPTIONS,
  examples: ['postern queue retry k3v9x2m4q8w1', 'postern queue retry --domain example.net'],
  run: ({ args, operands, directory }) => changeQueue(directory, 'retry', selectionFrom(operands, args, Date.now())),
  render: (changed, look) => renderChanged(changed, { done: 'due now', unfit: 'Not waiting' }, look),
})
