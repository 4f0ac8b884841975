/** Starts the command line, nothing else. */

import { runCommandLine } from './cli/run.ts'

process.exitCode = await runCommandLine(process.argv.slice(2))
// A channel to the launcher, once listened to, would keep the process from ending.
if (process.connected) process.disconnect?.()
