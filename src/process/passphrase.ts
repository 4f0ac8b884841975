/** The passphrase of the CA key: from a file that only its owner can read, or from the environment. */

import path from 'node:path'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { readKeyFile } from '../io/key-files.ts'

const PASSPHRASE_VARIABLE = 'POSTERN_CA_PASSPHRASE'

/** Null where none is configured. The environment comes second: others may read it more easily. */
export function readPassphrase(directory: string, file: string | null): Result<string | null, string> {
  if (file === null) return ok(process.env[PASSPHRASE_VARIABLE] ?? null)
  const resolved = path.resolve(directory, file)
  const read = readKeyFile(resolved)
  return read.ok ? ok(read.value.replace(/\r?\n$/, '')) : fail(`ca.passphrase-file: ${read.problem}`)
}
