/**
 * JSON lines out, on standard output or a file descriptor.
 *
 * JSON escapes the control characters of ASCII; C1 controls and line separators, which terminals and
 * log viewers may obey, are escaped here (S27). Lines stay under the size that a pipe takes whole, so
 * that the processes of one Postern can share one.
 */

import pino from 'pino'
import type { Log, LogFields } from '../relay/ports.ts'

/** PIPE_BUF on Linux, less room for the fields that every line has. */
const LONGEST_LINE = 3800
const LONGEST_VALUE = 1000

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export function createLog(options: { readonly process: string; readonly level: LogLevel }): Log & { flush(): void } {
  const destination = pino.destination({ dest: 1, sync: false })
  const logger = pino(
    {
      level: options.level,
      base: { process: options.process, pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    { write: (line: string) => destination.write(printable(line)) },
  )
  return {
    info: fields => logger.info(bounded(fields)),
    warn: fields => logger.warn(bounded(fields)),
    error: fields => logger.error(bounded(fields)),
    flush: () => {
      try {
        destination.flushSync()
      } catch {
        // Nobody reads our output any more; there is no one left to tell.
      }
    },
  }
}

function printable(line: string): string {
  return UNPRINTABLE.test(line) ? line.replace(EVERY_UNPRINTABLE, escaped) : line
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Long values are cut, and say so; of too many, the last are left out. */
function bounded(fields: LogFields): object {
  let room = LONGEST_LINE
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    const cut = typeof value === 'string' && value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value
    room -= name.length + (typeof cut === 'object' && cut !== null ? JSON.stringify(cut).length : String(cut).length)
    if (room < 0) {
      kept['cut'] = true
      break
    }
    kept[name] = cut
  }
  return kept
}

const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029]/
const EVERY_UNPRINTABLE = /[\u007f-\u009f\u2028\u2029]/g
