/** postern queue flush */

import { defineCommand } from '../../command.ts'
import { changeQueue, renderChanged } from '../../queue-change.ts'

export default defineCommand({
  summary: 'Try every waiting message again now. Held ones stay held.',
  details: 'Attempts that fail leave the times of the next ones, and the waits after them, as they were.',
  options: {},
  examples: ['postern queue flush'],
  run: ({ directory }) => changeQueue(directory, 'retry', [{ state: 'waiting' }]),
  render: (changed, look) => renderChanged(changed, { done: 'due now' }, look),
})
