/** The tracked text files of the project, for tests that read the source instead of running it. */

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const root = path.join(import.meta.dirname, '..')

export type SourceFile = { readonly name: string; readonly text: string }

/** Tracked and untracked files that git does not ignore; all files where there is no git. */
export function sourceFiles(pattern: RegExp): readonly SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  return listed
    .split('\n')
    .filter(name => pattern.test(name) && existsSync(path.join(root, name)))
    .map(name => ({ name, text: readFileSync(path.join(root, name), 'utf8') }))
}
