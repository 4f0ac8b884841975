/**
 * JSON lines out, on standard output or a file descriptor.
 *
 * JSON escapes the control characters of ASCII; C1 controls, line separators and what turns the direction
 * of writing, which terminals and log viewers may obey, are escaped here (S27). One process writes for all of one Postern: of several
 * writers on one pipe, each could break the others' lines as soon as its reader is slow.
 */

import pino from 'pino'
import type { Log, LogFields } from '../relay/ports.ts'

const LONGEST_LINE = 3800
const LONGEST_VALUE = 1000

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type LogWriter = Log & {
  /** From now on only what is as important as this is written. */
  setLevel(level: LogLevel): void
  /** Writes lines that another process of ours has made, complete with their line ends. */
  passOn(lines: string): void
  flush(): void
}

export function createLog(options: { readonly process: string; readonly level: LogLevel }): LogWriter {
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
    setLevel: level => void (logger.level = level),
    passOn: lines => void destination.write(lines),
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

const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\p{Bidi_Control}]/u
const EVERY_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gu')
