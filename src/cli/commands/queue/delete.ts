/** postern queue delete */

import { defineCommand } from '../../command.ts'
import { confirm } from '../../confirm.ts'
import { plural } from '../../output.ts'
import { changeQueue, renderChanged } from '../../queue-change.ts'
import { CHANGE_OPTIONS, selectionFrom } from '../../queue-selection.ts'

export default defineCommand({
  summary: 'Delete messages for good. Nobody is told.',
  operands: '[ID…]',
  options: { ...CHANGE_OPTIONS, yes: { type: 'flag', describe: 'Do not ask.' } },
  examples: ['postern queue delete k3v9x2m4q8w1', 'postern queue delete --sender spammer@example.net --yes'],
  run: async ({ args, operands, directory }) => {
    const selection = selectionFrom(operands, args, Date.now())
    const what = operands.length > 0 ? plural(operands.length, 'message') : args.all ? 'every message in the queue' : 'all these messages'
    await confirm(`Delete ${what} for good?`, args.yes)
    return changeQueue(directory, 'delete', selection)
  },
  render: (changed, look) => renderChanged(changed, { done: 'deleted' }, look),
})
