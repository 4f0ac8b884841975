/**
 * What each process may reach, as flags of Node's permission model.
 *
 * Two walls stand behind one another. The flags below hold from the first line of code; a worker
 * then gives up even what it needed to start (the program's own files, loading native add-ons) and,
 * when Postern was started as root, becomes an unprivileged user that cannot open `ca/` at all.
 */

import { realpathSync } from 'node:fs'
import path from 'node:path'

/** The folder of the program. A data directory may lie in it: `npm start` puts it there. */
export const CODE_FOLDER = realpathSync(path.join(import.meta.dirname, '..', '..'))

/** What a process reads of the program, and not the folder around it: that may hold keys and mail. */
const CODE = ['package.json', 'src', 'node_modules'].map(name => path.join(CODE_FOLDER, name))

export const CODE_FLAGS: readonly string[] = CODE.map(part => `--allow-fs-read=${part}`)

/** Network and its shards; LMDB is a native add-on. No other file, no child process, no thread. */
export function workerFlags(spoolFolder: string, shards: readonly string[]): readonly string[] {
  return [
    '--permission',
    '--allow-net',
    '--allow-addons',
    ...CODE_FLAGS,
    `--allow-fs-read=${spoolFolder}`,
    ...shards.map(shard => `--allow-fs-write=${path.join(spoolFolder, shard)}`),
    // The system's resolver settings and host names, public roots of next hops come from elsewhere.
    '--allow-fs-read=/etc/resolv.conf',
    '--allow-fs-read=/etc/hosts',
    ...QUIET,
  ]
}

/** Its own folder, and nothing else: no network, no add-on, no child process, no thread. */
export function authorityFlags(authorityFolder: string): readonly string[] {
  return [
    '--permission',
    ...CODE_FLAGS,
    `--allow-fs-read=${authorityFolder}`,
    `--allow-fs-write=${authorityFolder}`,
    ...QUIET,
  ]
}

/** What a worker gives up when it has started. */
export function dropStartupPermissions(): void {
  const { permission } = process
  permission.drop('addon')
  for (const part of CODE) permission.drop('fs.read', part)
}

/** Warnings about the flags themselves; that they are experimental is written in our documentation. */
const QUIET = ['--disable-warning=ExperimentalWarning', '--disable-warning=SecurityWarning']
