/** postern queue flush */

import { defineCommand } from '../../command.ts'
import { changeQueue, renderChanged } from '../../queue-change.ts'

export default defineCommand({
  summary: 'Try every waiting message again now. Held ones stay held.',
  details: `Attempts that fail leave the times of the next ones, and the waits after them, as they were. A message that its sender wants
kept for later (HOLDFOR, HOLDUNTIL) goes on waiting; "postern queue retry" sends it before.`,
  options: {},
  examples: ['postern queue flush'],
  run: ({ directory }) => changeQueue(directory, 'wake', [{ state: 'waiting' }]),
  render: (changed, look) => renderChanged(changed, { done: 'due now' }, look),
})
