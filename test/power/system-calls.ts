/**
 * Runs a program and tells, in order, what it asked of the disk: the log of strace(1), read.
 *
 * A call that another thread's calls interrupt is told in two parts, since a crash may come between
 * them: `begun` when it was made, `ended` when the kernel had answered.
 */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'

export type Call = {
  readonly name: 'open' | 'write' | 'sync' | 'unlink'
  /** The file that it is about; `stdout` for standard output. */
  readonly path: string
  /** The open file that was written to or synced; for `open`, what was asked for and what came of it. */
  readonly file: string
  readonly offset: number
  readonly bytes: Buffer
}

/** Both events of a call have its number. */
export type CallEvent = { readonly at: 'begun' | 'ended'; readonly number: number; readonly call: Call }

const TRACED = 'openat,pwrite64,pwritev,writev,write,lseek,fsync,fdatasync,unlink'

/** Why system calls can't be watched here, or false. */
export const untraceable: string | false =
  spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0 ? false : 'needs strace, and leave to use it'

/** What a program writes to standard output is among the events, as a `write` to `stdout`. */
export function traceCalls(program: readonly string[], logFile: string): readonly CallEvent[] {
  const result = spawnSync('strace', ['-f', '-y', '-xx', '-s', '1000000', '-e', `trace=${TRACED}`, '-o', logFile, process.execPath, ...program], {
    encoding: 'utf8',
  })
  if (result.status !== 0) throw new Error(`the traced program failed: ${result.stderr}`)
  return eventsOf(readFileSync(logFile, 'latin1'))
}

function eventsOf(log: string): readonly CallEvent[] {
  const events: CallEvent[] = []
  const unfinished = new Map<string, { readonly number: number; readonly text: string; readonly call: Call | null }>()
  const positions = new Map<string, number>()
  for (const [number, line] of log.split('\n').entries()) {
    const [, thread = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const before = text.startsWith('<...') ? unfinished.get(thread) : undefined
    if (before === undefined && !/^[a-z0-9]+\(/.test(text)) continue
    const call = before === undefined ? parseCall(text, positions) : before.call
    if (before === undefined && call !== null) events.push({ at: 'begun', number, call })
    if (text.endsWith('<unfinished ...>')) unfinished.set(thread, { number, text, call })
    else if (call !== null && !/= -1 /.test(text)) {
      const file = call.name === 'open' ? `${before?.text ?? ''}${text}` : call.file
      events.push({ at: 'ended', number: before?.number ?? number, call: { ...call, file } })
    }
  }
  return events
}

/** Null for what only moves a position, or is not about a file. */
function parseCall(text: string, positions: Map<string, number>): Call | null {
  const [, file = '', hexPath = ''] = /^[a-z0-9]+\((\d+)<([^>]*)>/.exec(text) ?? []
  const at = fromHex(hexPath).toString()
  const bytes = Buffer.concat([...text.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => fromHex(hex)))
  switch (text.slice(0, text.indexOf('('))) {
    case 'openat':
      if (text.includes('O_DIRECTORY')) return null
      return { name: 'open', path: path.resolve(bytes.toString()), file: '', offset: 0, bytes: NONE }
    case 'unlink':
      return { name: 'unlink', path: path.resolve(bytes.toString()), file: '', offset: 0, bytes: NONE }
    case 'lseek':
      positions.set(file, Number(/, (\d+), SEEK_SET/.exec(text)?.[1] ?? 0))
      return null
    case 'writev':
      return { name: 'write', path: at, file, offset: positions.get(file) ?? 0, bytes }
    case 'pwrite64':
    case 'pwritev':
      return { name: 'write', path: at, file, offset: lastNumber(text), bytes }
    case 'write':
      return file === '1' ? { name: 'write', path: 'stdout', file, offset: 0, bytes } : null
    default:
      return { name: 'sync', path: at, file, offset: 0, bytes: NONE }
  }
}

/** The offset of a write: its last argument. */
function lastNumber(text: string): number {
  return Number(/, (\d+)(?:\) *= *\S+.*| <unfinished \.\.\.>)$/.exec(text)?.[1] ?? Number.NaN)
}

function fromHex(escaped: string): Buffer {
  return Buffer.from(escaped.replaceAll('\\x', ''), 'hex')
}

const NONE = Buffer.alloc(0)
