/** The access map that a command is about: a file that was named, or that of the data directory. */

import { readFileSync } from 'node:fs'
import type { Config } from '../core/config/schema.ts'
import { formatAccessProblem } from '../core/policy/access-map.ts'
import { accessProblems } from '../relay/policy-holder.ts'
import type { AccessSource } from '../relay/policy-holder.ts'
import type { Call, OptionSpecs } from './command.ts'
import { inDirectory, problemWith } from './directory.ts'
import { visible } from './output.ts'

export function readAccessMap(directory: string, config: Config): AccessSource {
  const file = inDirectory(directory, config.relay.accessFile)
  const { recipientsFile } = config.checks
  return {
    accessText: readText(file, '; relay.access in postern.toml names the access map'),
    accessFile: file,
    recipientsText: recipientsFile === null ? null : readText(inDirectory(directory, recipientsFile), '; checks.recipients in postern.toml names it'),
  }
}

/** Says so if what is asked now is a map that no relay would load. */
export function warnIfNotLoaded(config: Config, source: AccessSource, { say, look }: Pick<Call<OptionSpecs>, 'say' | 'look'>): void {
  const errors = accessProblems(config, source).filter(({ severity }) => severity === 'error')
  const [first] = errors
  if (first === undefined) return
  const many = errors.length === 1 ? '' : `${errors.length} errors, the first: `
  say(look.bad(visible(`This map would not be loaded; a running Postern goes on with the one it has. ${many}${formatAccessProblem(first)}`)))
}

export function readAccessFile(file: string): AccessSource {
  return { accessText: readText(file, ''), accessFile: file }
}

function readText(file: string, hint: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw problemWith(file, error, hint)
  }
}
