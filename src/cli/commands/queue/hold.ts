/** postern queue hold */

import { defineCommand } from '../../command.ts'
import { changeQueue, renderChanged } from '../../queue-change.ts'
import { CHANGE_OPTIONS, selectionFrom } from '../../queue-selection.ts'

export default defineCommand({
  summary: 'Keep messages in the queue until they are released.',
  operands: '[ID…]',
  options: CHANGE_OPTIONS,
  examples: ['postern queue hold k3v9x2m4q8w1', 'postern queue hold --sender @example.org'],
  run: ({ args, operands, directory }) => changeQueue(directory, 'hold', selectionFrom(operands, args, Date.now())),
  render: (changed, look) => renderChanged(changed, { done: 'held', unfit: 'Not waiting' }, look),
})
