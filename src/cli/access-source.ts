/** The access map that a command is about: a file that was named, or that of the data directory. */

import { readFileSync } from 'node:fs'
import type { Config } from '../core/config/schema.ts'
import type { AccessSource } from '../relay/policy-holder.ts'
import { inDirectory, problemWith } from './directory.ts'

export function readAccessMap(directory: string, config: Config): AccessSource {
  const file = inDirectory(directory, config.relay.accessFile)
  const { recipientsFile } = config.checks
  return {
    accessText: readText(file, '; relay.access in postern.toml names the access map'),
    accessFile: file,
    recipientsText: recipientsFile === null ? null : readText(inDirectory(directory, recipientsFile), '; checks.recipients in postern.toml names it'),
  }
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
