/** postern run */

import { runSupervisor } from '../../process/supervisor.ts'
import { defineCommand } from '../command.ts'

export default defineCommand({
  summary: 'Run in the foreground. Standard output has one JSON object a line, and nothing else.',
  details: `When every listener is open, a line has "event":"ready". SIGHUP reloads, as "postern reload" does; SIGTERM and
SIGINT let sessions and deliveries under way finish and then stop.`,
  options: {},
  examples: ['postern run --dir /var/lib/postern'],
  run: async ({ directory }) => ({ exitCode: (await runSupervisor({ directory })) === 0 ? (0 as const) : (1 as const) }),
  render: () => '',
  toJson: () => undefined,
  exitCode: ({ exitCode }) => exitCode,
})
