/**
 * The commands there are: every file under commands/, by its path.
 *
 * Only the command that runs is loaded, so that each starts as fast as it can.
 */

import { readdirSync } from 'node:fs'
import path from 'node:path'
import type { Command } from './command.ts'

const FOLDER = path.join(import.meta.dirname, 'commands')
const SUFFIX = path.extname(import.meta.filename)

/** In the order in which a person meets them; those of one group by the alphabet. */
const FIRST_WORDS = ['up', 'init', 'run', 'check', 'status', 'reload', 'stop', 'user', 'ca', 'queue', 'trace', 'explain', 'access', 'migrate', 'dn', 'probe', 'sendmail', 'mailq', 'sink']

/** `queue list`, `status`. */
export function commandNames(): readonly string[] {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith(SUFFIX))
  const names = files.map(file => file.slice(0, -SUFFIX.length).replaceAll(path.sep, ' ')).sort()
  const place = (name: string) => FIRST_WORDS.indexOf(name.split(' ')[0] ?? '')
  return names.sort((a, b) => place(a) - place(b))
}

export async function loadCommand(name: string): Promise<Command> {
  const file = path.join(FOLDER, ...name.split(' ')) + SUFFIX
  const module = (await import(file)) as { readonly default: Command }
  return module.default
}

/** With their names, those of one group, or of all with ''. */
export async function loadGroup(group: string): Promise<readonly (readonly [name: string, command: Command])[]> {
  const names = commandNames().filter(name => group === '' || name.startsWith(`${group} `))
  return Promise.all(names.map(async name => [name, await loadCommand(name)] as const))
}
