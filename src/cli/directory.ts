/**
 * The data directory, as a command sees it: where it is, and its configuration.
 */

import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { formatConfigProblem, parseConfig } from '../core/config/parse.ts'
import type { Config } from '../core/config/schema.ts'
import { NoPermission, Problem } from './command.ts'

/** Where the service has its data, and root's commands look. */
const SYSTEM_DIRECTORY = '/var/lib/postern'

export function dataDirectory(given: string | undefined): string {
  return path.resolve(given ?? (process.getuid?.() === 0 ? SYSTEM_DIRECTORY : 'postern-data'))
}

/** For who has found nothing in the default folder, which depends on where he stands: the service may have its own. */
export function serviceHint(directory: string, system = SYSTEM_DIRECTORY): string {
  if (directory !== path.resolve('postern-data') || !existsSync(system)) return ''
  return `; the service has its data in ${system}: as root, or as the account that it belongs to, say --dir ${system}`
}

export function configFile(directory: string): string {
  return path.join(directory, 'postern.toml')
}

/** Relative paths of the configuration start at the data directory. */
export function inDirectory(directory: string, file: string): string {
  return path.resolve(directory, file)
}

/** Throws a Problem with all that is wrong. */
export function readConfig(directory: string): Config {
  const file = configFile(directory)
  const parsed = parseConfig(readText(file, directory), file)
  if (parsed.ok) return parsed.value
  throw new Problem(`the configuration has problems\n${parsed.problem.map(formatConfigProblem).join('\n')}`)
}

function readText(file: string, directory: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      throw new Problem(`no postern.toml in ${directory}; make one with "postern init", or name another folder with --dir${serviceHint(directory)}`)
    }
    throw problemWith(file, error)
  }
}

/** A file or socket that cannot be opened. Only the account of a data directory, and root, may. */
export function problemWith(file: string, error: unknown, hint = ''): Problem {
  const problem = `cannot open ${file}: ${reason(error)}${hint}`
  return DENIED.has(errorCode(error)) ? new NoPermission(`${problem}; run this as root, or as the account that it belongs to`) : new Problem(problem)
}

const DENIED: ReadonlySet<string> = new Set(['EACCES', 'EPERM'])

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** A system error in words, without the call and the path that Node adds. */
export function reason(error: unknown): string {
  const known: Record<string, string> = { ENOENT: 'no such file', EACCES: 'permission denied', EPERM: 'permission denied', EISDIR: 'it is a folder', ENOTDIR: 'a part of its path is not a folder' }
  return known[errorCode(error)] ?? (error instanceof Error ? error.message : String(error))
}
