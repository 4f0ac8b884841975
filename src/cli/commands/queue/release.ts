/** postern queue release */

import { defineCommand } from '../../command.ts'
import { changeQueue, renderChanged } from '../../queue-change.ts'
import { CHANGE_OPTIONS, selectionFrom } from '../../queue-selection.ts'

export default defineCommand({
  summary: 'Let held messages go on; they are tried at once.',
  operands: '[ID…]',
  options: CHANGE_OPTIONS,
  examples: ['postern queue release k3v9x2m4q8w1', 'postern queue release --all'],
  run: ({ args, operands, directory }) => changeQueue(directory, 'release', selectionFrom(operands, args, Date.now())),
  render: (changed, look) => renderChanged(changed, { done: 'released', unfit: 'Not held' }, look),
})
