/** postern reload */

import { defineCommand } from '../command.ts'
import { askRunning } from '../running.ts'

export default defineCommand({
  summary: 'Make a running Postern read its configuration, access map and certificates again.',
  details: 'Sessions go on. If anything in them is wrong, all of the old stays in force and the problems are named. SIGHUP does the same.',
  options: {},
  examples: ['postern reload'],
  run: ({ directory }) => askRunning(directory, { do: 'reload' }),
  render: ({ problems }, look) => (problems.length === 0 ? 'Reloaded.' : [look.bad('Problems:'), ...problems].join('\n')),
  exitCode: ({ problems }) => (problems.length === 0 ? 0 : 1),
})
