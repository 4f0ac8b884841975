/**
 * What a shard does when it is opened: whatever a crash left behind becomes one of the states that
 * docs/internals/spool-states.md lists.
 *
 * Records resume. A body file without a record was never promised to anybody and is removed. A
 * record whose body file is missing or has another length is set aside and reported, never guessed
 * at. The time this takes depends on the number of body files, not on the length of the queue.
 */

import { lstatSync, mkdirSync } from 'node:fs'
import { SpoolFailed } from '../relay/ports.ts'
import type { BodyFiles } from './body-files.ts'
import type { LmdbEnvironment } from './lmdb-environment.ts'
import { earliestDueAt } from './queued-message.ts'
import { decodeRecord, dueKey, RECORD_FORMAT } from './spool-records.ts'
import { parseFileEntry, quarantining } from './spool-tables.ts'
import type { SpoolOperation, SpoolTable } from './spool-tables.ts'

export type Quarantined = { readonly id: string; readonly why: string }

export type RecoveryReport = {
  /** Messages in the queue. */
  readonly resumed: number
  readonly orphanFilesRemoved: number
  readonly quarantined: readonly Quarantined[]
}

/** The folder of a shard: ours alone, and really a folder (S24). It is made if it is not there. */
export function checkShardFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = lstatSync(folder)
  if (!found.isDirectory()) throw new SpoolFailed(`${folder} is not a folder; move it elsewhere and start again`)
  if ((found.mode & 0o077) !== 0) throw new SpoolFailed(`${folder} is open to other users; chmod 0700 ${folder}`)
  for (const name of ['data.mdb', 'lock.mdb']) {
    const file = lstatSync(`${folder}/${name}`, { throwIfNoEntry: false })
    if (file !== undefined && !file.isFile()) throw new SpoolFailed(`${folder}/${name} is not a file; move it elsewhere and start again`)
  }
}

export async function recover(environment: LmdbEnvironment<SpoolTable>, files: BodyFiles): Promise<RecoveryReport> {
  await checkFormat(environment)
  const operations: SpoolOperation[] = []
  const quarantined: Quarantined[] = []
  for (const name of environment.keys('files', {})) {
    const entry = environment.get('files', name)
    if (entry === null) continue
    const { id, sizeBytes } = parseFileEntry(entry)
    const foundBytes = files.sizeOf(name)
    const record = environment.get('records', id)
    if (foundBytes === sizeBytes || record === null) continue
    const why = foundBytes === null ? `its body file ${name} is missing` : `its body file ${name} has ${foundBytes} of ${sizeBytes} bytes`
    quarantined.push({ id, why })
    operations.push(...quarantining({ id, why, record, dueKey: dueKeyOf(record) }))
  }
  // A crash before this leaves everything as it was, to be found again.
  if (operations.length > 0) await environment.commit(operations)
  const orphans = files.names().filter(name => environment.get('files', name) === null)
  for (const name of orphans) await files.remove(name)
  return { resumed: environment.count('records'), orphanFilesRemoved: orphans.length, quarantined }
}

/** A shard that a newer Postern has written is left alone: what it means is not known here. */
async function checkFormat(environment: LmdbEnvironment<SpoolTable>): Promise<void> {
  const stored = environment.get('meta', 'format')
  if (stored === null && environment.count('records') === 0) {
    await environment.commit([{ table: 'meta', key: 'format', value: Buffer.from(String(RECORD_FORMAT)) }])
    return
  }
  const format = Number(stored?.toString('utf8') ?? Number.NaN)
  if (format === RECORD_FORMAT) return
  throw new SpoolFailed(
    format > RECORD_FORMAT
      ? `the spool has format ${format}, of a newer Postern; this one reads formats up to ${RECORD_FORMAT}. Run the newer one, or let it empty the queue first`
      : `the spool does not say which format it has; it reads ${JSON.stringify(stored?.toString('utf8') ?? null)}`,
  )
}

/** Where the record is in the index of what is due; null if it can't be read, or is not there. */
function dueKeyOf(record: Buffer): string | null {
  const decoded = decodeRecord(record)
  if (!decoded.ok) return null
  const { message } = decoded.value
  const dueAt = earliestDueAt(message)
  return dueAt === null ? null : dueKey(dueAt, message.id)
}
