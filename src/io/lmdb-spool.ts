/**
 * A shard of the spool: LMDB for messages, files for large bodies.
 *
 * One process owns a shard, so who has leased what is kept in memory, and a crash ends all leases.
 * Memory holds leased messages only; everything else is read from the tables when it is wanted.
 * Each state that a message can be in on disk, and what a crash makes of it, is listed in
 * docs/internals/spool-states.md.
 */

import { crc32 } from 'node:zlib'
import type { QueuedMessage } from '../core/message/envelope.ts'
import { assert, fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { SpoolFailed } from '../relay/ports.ts'
import type { Body, Lease, NewMessage, QueueFilter, RecipientChange, Spool } from '../relay/ports.ts'
import { openBodyFiles } from './body-files.ts'
import type { BodyFiles } from './body-files.ts'
import { LmdbEnvironment } from './lmdb-environment.ts'
import { memoryBody } from './memory-body.ts'
import { afterChanges, asLeased, dueIndices, dueWhenAccepted, earliestDueAt, isDone, matches } from './queued-message.ts'
import { SpoolDraft } from './spool-draft.ts'
import type { DraftSettings, SealedBody } from './spool-draft.ts'
import { decodeRecord, dueKey, parseDueKey } from './spool-records.ts'
import type { SpoolRecord } from './spool-records.ts'
import { checkShardFolder, recover } from './spool-recovery.ts'
import type { RecoveryReport } from './spool-recovery.ts'
import { freeSpace, KEPT_FREE, SpoolRoom } from './spool-room.ts'
import type { DiskSpace } from './spool-room.ts'
import { insertion, quarantining, removal, SPOOL_TABLES, update, whenDue } from './spool-tables.ts'
import type { SpoolOperation, SpoolTable } from './spool-tables.ts'

export type LmdbSpoolOptions = {
  /** Used as given: a relative path stays relative, so that a process without rights above it can work. */
  readonly folder: string
  readonly now: () => number
  /** Bodies up to this length are kept in LMDB. */
  readonly inlineBytes?: number
  /** The most that queued mail may take. Without it, as much as the disk has. */
  readonly maxBytes?: number
  /** What the disk keeps free for results and bounces. */
  readonly keepFreeBytes?: number
  readonly keepFreeFiles?: number
  /** What the spool finds out by itself while it works. `broken`: end the process, start a new one. */
  readonly report?: (report: SpoolReport) => void
  /** Where large bodies go, if not to files. */
  readonly files?: BodyFiles
}

export type SpoolReport =
  | { readonly kind: 'quarantined'; readonly id: string; readonly why: string }
  | { readonly kind: 'broken'; readonly why: string }

/** Opens a shard, or makes it. Rejects with a SpoolFailed that says what is wrong and what to do. */
export async function openLmdbSpool(options: LmdbSpoolOptions): Promise<{ readonly spool: Spool; readonly report: RecoveryReport }> {
  const { folder, now, inlineBytes = 64 * 1024, report = () => {} } = options
  checkShardFolder(folder)
  const environment = new LmdbEnvironment({ folder, tables: SPOOL_TABLES, onBroken: why => report({ kind: 'broken', why: why.message }) })
  try {
    const files = options.files ?? openBodyFiles(folder)
    const recovered = await recover(environment, files)
    const look = (): DiskSpace => {
      const { usedBytes, reusableBytes } = environment.space()
      return { ...freeSpace(folder), usedBytes: usedBytes + files.usedBytes(), reusableBytes }
    }
    const room = new SpoolRoom(look, {
      maxBytes: options.maxBytes ?? null,
      keepFreeBytes: options.keepFreeBytes ?? KEPT_FREE.bytes,
      keepFreeFiles: options.keepFreeFiles ?? KEPT_FREE.files,
    })
    const drafts = { files, inlineBytes, room }
    const onQuarantined = (id: string, why: string): void => report({ kind: 'quarantined', id, why })
    return { spool: new LmdbSpool({ environment, files, drafts, now, onQuarantined }), report: recovered }
  } catch (error) {
    await environment.close()
    throw error
  }
}

type LmdbSpoolParts = {
  readonly environment: LmdbEnvironment<SpoolTable>
  readonly files: BodyFiles
  readonly drafts: DraftSettings
  readonly now: () => number
  readonly onQuarantined: (id: string, why: string) => void
}

/** A message that somebody works on. */
type Held = {
  record: SpoolRecord
  due: readonly number[]
  /** The settlement before the next one. */
  settled: Promise<void>
}

class LmdbSpool implements Spool {
  readonly #parts: LmdbSpoolParts
  readonly #environment: LmdbEnvironment<SpoolTable>
  readonly #held = new Map<string, Held>()
  /** Messages for which a change is being written. */
  readonly #changing = new Set<string>()
  /** All that is due before this key is held. Claims begin here and not at the oldest lease. */
  #scanFrom = ''
  #messages: number
  #quarantined: number

  constructor(parts: LmdbSpoolParts) {
    this.#parts = parts
    this.#environment = parts.environment
    this.#messages = parts.environment.count('records')
    this.#quarantined = parts.environment.count('quarantined')
  }

  draft(): SpoolDraft {
    return new SpoolDraft(this.#parts.drafts)
  }

  async enqueue(added: NewMessage, { leased }: { readonly leased: boolean }): Promise<Lease> {
    const { message } = added
    const { record, sealed, draft } = await this.#seal(added)
    const due = leased ? dueWhenAccepted(message, this.#parts.now()) : []
    if (due.length > 0) this.#held.set(message.id, { record, due, settled: Promise.resolve() })
    try {
      // A crash before this resolves leaves no trace of the message, but for a body file that
      // recovery removes. After, the message is there, and its recipients are waiting.
      await this.#commit(insertion(record, sealed.bytes), [draft])
    } catch (error) {
      this.#held.delete(message.id)
      throw error
    }
    this.#added(draft, message)
    return { message: asLeased(message, due), due, body: this.#bodyOf(record, sealed.bytes) }
  }

  async claim({ now, limit }: { readonly now: number; readonly limit: number }): Promise<readonly Lease[]> {
    const leases: Lease[] = []
    for (const key of this.#freeKeys(dueKey(now + 1, ''))) {
      if (leases.length >= limit) break
      const lease = this.#lease(key, now)
      if (lease !== null) leases.push(lease)
    }
    return leases
  }

  async giveBack(id: string): Promise<void> {
    const held = this.#held.get(id)
    await held?.settled
    if (held === undefined || this.#held.get(id) !== held) return
    this.#held.delete(id)
    this.#freed(held.record.message)
  }

  async settle(id: string, changes: readonly RecipientChange[], bounces: readonly NewMessage[]): Promise<void> {
    const held = this.#held.get(id)
    assert(held !== undefined, 'only the holder of a lease settles')
    // Two next hops may end at the same time; each result is written onto the one before.
    const settled = held.settled.then(() => this.#settle(held, changes, bounces))
    held.settled = settled.catch(() => {})
    await settled
  }

  nextDueAt(): number | null {
    for (const key of this.#freeKeys()) return parseDueKey(key).dueAt
    return null
  }

  find(id: string): QueuedMessage | null {
    const record = this.#read(id, null)
    return record === null ? null : this.#shown(record)
  }

  list({ filter, after, limit }: { readonly filter: QueueFilter; readonly after: string | null; readonly limit: number }): readonly QueuedMessage[] {
    const found: QueuedMessage[] = []
    const range = after === null ? {} : { start: after, exclusiveStart: true }
    const ids = filter.id === undefined ? this.#environment.keys('records', range) : after === null || after < filter.id ? [filter.id] : []
    for (const id of ids) {
      if (found.length >= limit) break
      const message = this.find(id)
      if (message !== null && matches(message, filter)) found.push(message)
    }
    return found
  }

  body(id: string): Body | null {
    const record = this.#read(id, null)
    if (record === null) return null
    const body = this.#checkedBody(record)
    return body.ok ? body.value : null
  }

  async change(id: string, change: (message: QueuedMessage) => QueuedMessage | null): Promise<boolean> {
    const record = this.#isFree(id) ? this.#read(id, null) : null
    if (record === null) return false
    const message = change(record.message)
    const isOver = message === null || isDone(message)
    assert(isOver || (message.id === id && message.sizeBytes === record.message.sizeBytes), 'a change keeps id and body')
    this.#changing.add(id)
    try {
      // A crash leaves the message as it was before, or as it is after.
      await this.#commit(isOver ? removal(record) : update(record, { ...record, message }), [])
    } finally {
      this.#changing.delete(id)
      this.#freed(record.message)
    }
    if (isOver) await this.#removed(record)
    else this.#freed(message)
    return true
  }

  stats(): ReturnType<Spool['stats']> {
    return { messages: this.#messages, leased: this.#held.size, quarantinedRecords: this.#quarantined }
  }

  close(): Promise<void> {
    return this.#environment.close()
  }

  async #settle(held: Held, changes: readonly RecipientChange[], bounces: readonly NewMessage[]): Promise<void> {
    assert(changes.every(({ index }) => held.due.includes(index)), 'only leased recipients are settled')
    const before = held.record
    const after = { ...before, message: afterChanges(before.message, changes) }
    const isOver = isDone(after.message)
    const added = await Promise.all(bounces.map(bounce => this.#seal(bounce)))
    const operations = isOver ? removal(before) : update(before, after)
    for (const { record, sealed } of added) operations.push(...insertion(record, sealed.bytes))
    // The duplicate window: the next host has said 250, and a crash before this resolves makes the
    // recipients waiting again. After, message and bounces are as the attempt left them.
    await this.#commit(operations, added.map(({ draft }) => draft))
    for (const { draft, record } of added) this.#added(draft, record.message)
    held.record = after
    held.due = held.due.filter(index => !changes.some(change => change.index === index))
    if (isOver || held.due.length === 0) this.#held.delete(after.message.id)
    if (isOver) await this.#removed(before)
    else if (held.due.length === 0) this.#freed(after.message)
  }

  /** Ends a draft: a large body is on stable storage when this resolves. */
  async #seal({ message, draft }: NewMessage): Promise<{ readonly record: SpoolRecord; readonly sealed: SealedBody; readonly draft: SpoolDraft }> {
    assert(draft instanceof SpoolDraft && message.sizeBytes === draft.sizeBytes, 'a message is as long as its draft')
    assert(!isDone(message) && this.#environment.get('records', message.id) === null, 'a new message has recipients and an id of its own')
    const sealed = await draft.seal()
    return { record: { message, body: sealed.stored }, sealed, draft }
  }

  async #commit(operations: readonly SpoolOperation[], drafts: readonly SpoolDraft[]): Promise<void> {
    try {
      await this.#environment.commit(operations)
    } catch (error) {
      // It may be on disk after all. Then its body has to be there too; if not, recovery removes it.
      if (this.#environment.isBroken) for (const draft of drafts) draft.keep()
      throw error
    }
  }

  #added(draft: SpoolDraft, message: QueuedMessage): void {
    draft.keep()
    this.#messages++
    this.#freed(message)
  }

  /** The record is gone. A crash before its body file is gone too leaves a file that recovery removes. */
  async #removed({ body }: SpoolRecord): Promise<void> {
    this.#messages--
    if (body.kind === 'file') await this.#parts.files.remove(body.name).catch(() => {})
  }

  /** Keys of what is due and free, earliest first. */
  *#freeKeys(end?: string): Generator<string> {
    let isAllHeldBefore = true
    const range = { start: this.#scanFrom === '' ? FIRST_KEY : this.#scanFrom, ...(end === undefined ? {} : { end }) }
    for (const key of this.#environment.keys('due', range)) {
      if (isAllHeldBefore) this.#scanFrom = key
      const { id } = parseDueKey(key)
      if (!this.#isFree(id)) continue
      yield key
      isAllHeldBefore &&= !this.#isFree(id)
    }
  }

  /** A message may be free from now on: claims must see it. */
  #freed(message: QueuedMessage): void {
    const dueAt = earliestDueAt(message)
    if (dueAt === null || !this.#isFree(message.id)) return
    const key = dueKey(dueAt, message.id)
    if (key < this.#scanFrom) this.#scanFrom = key
  }

  #isFree(id: string): boolean {
    return !this.#held.has(id) && !this.#changing.has(id)
  }

  #lease(key: string, now: number): Lease | null {
    const { id } = parseDueKey(key)
    const record = this.#read(id, key)
    if (record === null) return null
    const due = dueIndices(record.message, now)
    if (due.length === 0) {
      // The record is what counts; the index is only derived from it.
      void this.#writeAside(id, [{ table: 'due', key, value: null }, ...whenDue(record)])
      return null
    }
    const body = this.#checkedBody(record)
    if (!body.ok) {
      this.#quarantine(id, body.problem, key)
      return null
    }
    this.#held.set(id, { record, due, settled: Promise.resolve() })
    return { message: asLeased(record.message, due), due, body: body.value }
  }

  /** The record, or null if there is none or it is not what was written. */
  #read(id: string, key: string | null): SpoolRecord | null {
    const bytes = this.#environment.get('records', id)
    const decoded = bytes === null ? null : decodeRecord(bytes)
    if (decoded?.ok === true && decoded.value.message.id === id) return decoded.value
    if (decoded !== null || key !== null) this.#quarantine(id, decoded?.ok === false ? decoded.problem : 'the record is of another message', key)
    return null
  }

  #shown({ message }: SpoolRecord): QueuedMessage {
    const held = this.#held.get(message.id)
    return held === undefined ? message : asLeased(message, held.due)
  }

  /** Sets aside what can't be trusted. If that fails now, it is found again later. */
  #quarantine(id: string, why: string, key: string | null): void {
    if (!this.#isFree(id)) return
    const record = this.#environment.get('records', id)
    if (record !== null) this.#parts.onQuarantined(id, why)
    void this.#writeAside(id, quarantining({ id, why, record, dueKey: key })).then(isWritten => {
      if (!isWritten || record === null) return
      this.#messages--
      this.#quarantined++
    })
  }

  /** Writes what nobody waits for; nobody claims the message until that is done. */
  async #writeAside(id: string, operations: readonly SpoolOperation[]): Promise<boolean> {
    this.#changing.add(id)
    const isWritten = await this.#environment.commit(operations).then(
      () => true,
      () => false,
    )
    this.#changing.delete(id)
    return isWritten
  }

  #bodyOf(record: SpoolRecord, bytes: Uint8Array | null): Body {
    if (bytes !== null) return memoryBody([bytes])
    const { body, message } = record
    assert(body.kind === 'file', 'a body is in memory or in a file')
    return { sizeBytes: message.sizeBytes, chunks: () => checked(this.#parts.files.read(body.name), message.id, body.crc) }
  }

  #checkedBody(record: SpoolRecord): Result<Body, string> {
    const { message, body } = record
    if (body.kind === 'file') {
      const foundBytes = this.#parts.files.sizeOf(body.name)
      if (foundBytes === message.sizeBytes) return ok(this.#bodyOf(record, null))
      return fail(`its body file ${body.name} has ${foundBytes ?? 'no'} of ${message.sizeBytes} bytes`)
    }
    const bytes = this.#environment.get('bodies', message.id)
    if (bytes === null) return fail('its body is missing')
    return bytes.length === message.sizeBytes && crc32(bytes) === body.crc ? ok(memoryBody([bytes])) : fail('its body does not match its checksum')
  }
}

/** Whoever sends a damaged body learns so before the end of it, and ends the attempt. */
async function* checked(chunks: AsyncIterable<Uint8Array>, id: string, crc: number): AsyncGenerator<Uint8Array> {
  let crcSoFar = 0
  for await (const chunk of chunks) {
    crcSoFar = crc32(chunk, crcSoFar)
    yield chunk
  }
  if (crcSoFar !== crc) throw new SpoolFailed(`the body of ${id} does not match its checksum`)
}

/** LMDB keys are never empty. */
const FIRST_KEY = dueKey(0, '')
