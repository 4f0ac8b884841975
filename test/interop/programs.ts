/**
 * Which of the real programs are here.
 *
 * A test whose program is missing is skipped and says so. Where POSTERN_INTEROP_REQUIRED is set, as
 * in CI, nothing is skipped: a missing program is a failure.
 */

import { accessSync, constants } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const REQUIRED = process.env['POSTERN_INTEROP_REQUIRED'] === '1'

/** Where install.sh unpacks what cannot be installed. */
export const CACHE = process.env['POSTERN_INTEROP_CACHE'] ?? join(tmpdir(), 'postern-interop')

/** The folders of system programs are not on everybody's path. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']

/** For the `skip` of a test: false, or why it cannot run here. */
export function missing(...programs: readonly string[]): string | false {
  if (REQUIRED) return false
  const absent = programs.filter(program => findProgram(program) === null)
  return absent.length === 0 ? false : `not installed: ${absent.join(', ')} (test/interop/install.sh brings it)`
}

/** The same for tests that start mail servers of their own, which switch between users. */
export function missingAsRoot(...programs: readonly string[]): string | false {
  if (!REQUIRED && process.getuid?.() !== 0) return 'needs root, since the mail server changes its user'
  return missing(...programs)
}

/** The whole path of a program, or its name when there is none, so that starting it tells what is missing. */
export function program(name: string): string {
  return findProgram(name) ?? name
}

function findProgram(name: string): string | null {
  const paths = name.startsWith('/') ? [name] : FOLDERS.map(folder => join(folder, name))
  return paths.find(isExecutable) ?? null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
