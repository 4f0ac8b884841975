/** postern reload */

import { defineCommand } from '../command.ts'
import { indent } from '../output.ts'
import { askRunning } from '../running.ts'

export default defineCommand({
  summary: 'Make a running Postern read its configuration, access map and certificates again.',
  details: `Sessions go on. If anything in them is wrong, all of the old stays in force and the problems are named. SIGHUP does the same.

What is wrong around them is named and keeps nothing out: files that others can write, certificates that have expired or are for
another name, an open relay that no [[test]] case speaks against.

Addresses of listeners, the number of workers, queue.inline-size and the account are used after a restart. That they have
changed is said at each reload until then, and is no failure: all else is in force, and the exit code is 0. It is 1 where
there are problems.`,
  options: {},
  examples: ['postern reload'],
  run: ({ directory }) => askRunning(directory, { do: 'reload' }),
  render: ({ inForce, problems, warnings, afterRestart }, look) => {
    const lines = [inForce ? 'Reloaded.' : look.bad('Not reloaded; all of the old settings stay in force.')]
    if (problems.length > 0) lines.push(look.bad('Problems:'), ...problems)
    if (warnings.length > 0) lines.push(look.warn('Warnings:'), ...warnings)
    if (afterRestart.length > 0) lines.push(look.warn('What was changed here is used after a restart; all else is in force:'), indent(afterRestart.join('\n')))
    return lines.join('\n')
  },
  exitCode: ({ problems }) => (problems.length === 0 ? 0 : 1),
})
