/** Starts the command line, nothing else. */

import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Compiling takes half the time of a short command. What has been compiled is kept beside the program, where
// only whoever may change the program can write; where that is not the caller, it is read, or done without.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'postern'))
const { runCommandLine } = await import('./cli/run.ts')

process.exitCode = await runCommandLine(process.argv.slice(2))
// A channel to the launcher, once listened to, would keep the process from ending.
if (process.connected) process.disconnect?.()
