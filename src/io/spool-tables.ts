/**
 * The tables of a shard, and what is written into them together.
 *
 *   records      id → record              every message
 *   bodies       id → body                bodies up to the inline threshold
 *   files        file name → size, id     bodies in files
 *   due          time and id → nothing    messages with a recipient that waits, earliest first
 *   quarantined  id → why, and the record what could not be read; never touched again
 *   meta         'format' → number
 *
 * Each function gives the operations of one step in a message's life. They are committed in one
 * transaction, so the tables never disagree.
 */

import type { Operation } from './lmdb-environment.ts'
import { earliestDueAt } from './queued-message.ts'
import { dueKey, encodeRecord } from './spool-records.ts'
import type { SpoolRecord } from './spool-records.ts'

export const SPOOL_TABLES = ['records', 'bodies', 'files', 'due', 'quarantined', 'meta'] as const

export type SpoolTable = (typeof SPOOL_TABLES)[number]
export type SpoolOperation = Operation<SpoolTable>

/** A new message. `body` is null if it is in a file, on stable storage already. */
export function insertion(record: SpoolRecord, body: Uint8Array | null): SpoolOperation[] {
  const { id } = record.message
  const operations: SpoolOperation[] = [{ table: 'records', key: id, value: encodeRecord(record) }, ...whenDue(record)]
  if (body !== null) operations.push({ table: 'bodies', key: id, value: body })
  if (record.body.kind === 'file') {
    operations.push({ table: 'files', key: record.body.name, value: Buffer.from(`${record.message.sizeBytes} ${id}`) })
  }
  return operations
}

/** A message that goes on, with other recipients or another time. */
export function update(before: SpoolRecord, after: SpoolRecord): SpoolOperation[] {
  const isDueAsBefore = earliestDueAt(before.message) === earliestDueAt(after.message)
  return [
    { table: 'records', key: after.message.id, value: encodeRecord(after) },
    ...(isDueAsBefore ? [] : [...whenDue(before, null), ...whenDue(after)]),
  ]
}

/** A message that is done with. A body file is removed after this is committed, never before. */
export function removal(record: SpoolRecord): SpoolOperation[] {
  const { id } = record.message
  const bodyAt: SpoolOperation =
    record.body.kind === 'inline' ? { table: 'bodies', key: id, value: null } : { table: 'files', key: record.body.name, value: null }
  return [{ table: 'records', key: id, value: null }, bodyAt, ...whenDue(record, null)]
}

/** A record that is set aside, as it was found. Its body stays where it is. */
export function quarantining(found: {
  readonly id: string
  readonly why: string
  readonly record: Buffer | null
  readonly dueKey: string | null
}): SpoolOperation[] {
  const { id, why, record } = found
  const operations: SpoolOperation[] = []
  if (found.dueKey !== null) operations.push({ table: 'due', key: found.dueKey, value: null })
  if (record === null) return operations
  const kept = JSON.stringify({ why, record: record.toString('base64') })
  operations.push({ table: 'records', key: id, value: null }, { table: 'quarantined', key: id, value: Buffer.from(kept) })
  return operations
}

/** The message's place in the index of what is due; `null` takes it out. */
export function whenDue({ message }: SpoolRecord, value: Uint8Array | null = NOTHING): SpoolOperation[] {
  const dueAt = earliestDueAt(message)
  return dueAt === null ? [] : [{ table: 'due', key: dueKey(dueAt, message.id), value }]
}

/** The value of `files`: how long the file must be, and whose body it is. */
export function parseFileEntry(value: Buffer): { readonly sizeBytes: number; readonly id: string } {
  const text = value.toString('utf8')
  const space = text.indexOf(' ')
  return { sizeBytes: Number(text.slice(0, space)), id: text.slice(space + 1) }
}

const NOTHING = Buffer.alloc(0)
