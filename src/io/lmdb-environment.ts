/**
 * An LMDB environment in a folder of its own, with group commit: many writers, one flush.
 *
 * Two rules govern this file. A commit resolves only when its transaction is flushed to stable
 * storage, and a transaction holds a commit's operations all or not at all. How it was found out that
 * these settings of `lmdb` keep both, and what its failures look like, is in
 * docs/internals/spool-states.md.
 */

import { statfsSync } from 'node:fs'
import { constants } from 'node:os'
import { open } from 'lmdb'
import type { Database, RootDatabase } from 'lmdb'
import { assert } from '../core/result.ts'
import { SpoolFailed, SpoolFull } from '../relay/ports.ts'
import { checkDataFile } from './lmdb-file.ts'

/** One thing to write: a value, or null to remove what is there. */
export type Operation<Table extends string> = {
  readonly table: Table
  readonly key: string
  readonly value: Uint8Array | null
}

export type EnvironmentOptions<Table extends string> = {
  readonly folder: string
  readonly tables: readonly Table[]
  /** Called once, when nothing more can be read or written until the process starts anew. */
  readonly onBroken: (why: SpoolFailed) => void
}

export type KeyRange = {
  readonly start?: string
  readonly exclusiveStart?: boolean
  readonly end?: string
  readonly reverse?: boolean
}

type Waiting<Table extends string> = {
  readonly operations: readonly Operation<Table>[]
  readonly resolve: () => void
  readonly reject: (problem: Error) => void
}

export class LmdbEnvironment<Table extends string> {
  readonly #folder: string
  readonly #root: RootDatabase<Uint8Array, string>
  readonly #tables: ReadonlyMap<Table, Database<Uint8Array, string>>
  readonly #onBroken: (why: SpoolFailed) => void
  #waiting: Waiting<Table>[] = []
  #committing: Promise<void> | null = null
  #broken: SpoolFailed | null = null
  #closed = false

  constructor({ folder, tables, onBroken }: EnvironmentOptions<Table>) {
    this.#folder = folder
    this.#onBroken = onBroken
    checkDataFile(folder)
    this.#root = open({ path: folder, ...SETTINGS })
    this.#tables = new Map(tables.map(name => [name, this.#root.openDB({ name, encoding: 'binary' })]))
  }

  /** A copy of the value, or null. */
  get(table: Table, key: string): Buffer | null {
    return this.#table(table).getBinary(key) ?? null
  }

  /** Keys in order from `start`, which is included if not said otherwise, up to `end`, which is not. */
  keys(table: Table, range: KeyRange): Iterable<string> {
    return this.#table(table).getKeys(range)
  }

  count(table: Table): number {
    return statistics(this.#table(table)).entryCount
  }

  /** What all tables take, and what is free within the file to be used again. The file never shrinks. */
  space(): { readonly usedBytes: number; readonly reusableBytes: number } {
    let usedPages = 0
    for (const database of this.#tables.values()) {
      const { treeBranchPageCount, treeLeafPageCount, overflowPages } = statistics(database)
      usedPages += treeBranchPageCount + treeLeafPageCount + overflowPages
    }
    const { pageSize, lastPageNumber } = statistics(this.#root)
    return { usedBytes: usedPages * pageSize, reusableBytes: (lastPageNumber + 1 - usedPages) * pageSize }
  }

  /**
   * Writes all of these or none. Resolves when they are flushed. Rejects with SpoolFull or
   * SpoolFailed; then nothing was written, unless the environment is broken (see `isBroken`).
   */
  commit(operations: readonly Operation<Table>[]): Promise<void> {
    for (const { key } of operations) assert(key !== '' && key.length <= MOST_KEY_LENGTH, 'a key has a length LMDB can take')
    if (this.#closed) return Promise.reject(new SpoolFailed(`${this.#folder} is closed`))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operations, resolve, reject })
      this.#committing ??= this.#commitGroups()
    })
  }

  /** After a commit that may or may not be on disk: only a new process can find out. */
  get isBroken(): boolean {
    return this.#broken !== null
  }

  /** Resolves when all commits under way are done and the files are closed. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#committing
    await this.#root.close()
  }

  /** One group at a time: whoever comes while one is being flushed shares the next flush. */
  async #commitGroups(): Promise<void> {
    // Lets every connection that the event loop found ready join the first group.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      try {
        // A crash before this resolves leaves the whole group or nothing of it; after, all of it.
        await this.#write(group)
        for (const { resolve } of group) resolve()
      } catch (error) {
        const problem = this.#broken ?? (await this.#diagnose(error, sizeOf(group)))
        for (const { reject } of group) reject(problem)
      }
    }
    this.#committing = null
  }

  /**
   * An exception between two puts would commit the first without the second, so nothing in the batch
   * can throw: keys were checked and values made before.
   */
  async #write(group: readonly Waiting<Table>[]): Promise<void> {
    if (this.#broken !== null) throw this.#broken
    await this.#root.batch(() => {
      for (const { operations } of group) {
        for (const { table, key, value } of operations) {
          // The batch's own promise speaks for all of them.
          if (value === null) void this.#table(table).remove(key)
          else void this.#table(table).put(key, value)
        }
      }
    })
  }

  /**
   * Why a group was not written. LMDB takes the transaction back and goes on, except when the write
   * that makes a transaction valid failed: it then cannot know which of two states is on disk,
   * refuses every read, and a further commit would wait for ever.
   */
  async #diagnose(error: unknown, wantedBytes: number): Promise<Error> {
    const { code, message } = await causeOf(error)
    try {
      this.#root.resetReadTxn()
      this.#root.doesExist('any key')
    } catch {
      this.#broken = new SpoolFailed(`${this.#folder} cannot be used until Postern starts anew: ${message}`, { cause: error })
      this.#onBroken(this.#broken)
      return this.#broken
    }
    // A disk that fills up in the middle of a page is reported as an input/output error.
    if (FULL.has(code) || freeBytes(this.#folder) < wantedBytes + TIGHT_BYTES) return new SpoolFull(`no room in ${this.#folder}: ${message}`)
    return new SpoolFailed(`could not write to ${this.#folder}: ${message}`, { cause: error })
  }

  #table(name: Table): Database<Uint8Array, string> {
    const table = this.#tables.get(name)
    assert(table !== undefined, 'a table is opened with its environment')
    return table
  }
}

/** `lmdb` rejects with an error that holds a promise of the real one, which rejects in turn. */
async function causeOf(error: unknown): Promise<{ readonly code: number; readonly message: string }> {
  const later: unknown = error instanceof Error && 'commitError' in error ? error.commitError : undefined
  const cause: unknown = later === undefined ? error : await Promise.resolve(later).catch((reason: unknown) => reason)
  const code = cause instanceof Error && 'code' in cause ? Number(cause.code) : 0
  return { code, message: cause instanceof Error ? cause.message : String(cause) }
}

function sizeOf(group: readonly Waiting<string>[]): number {
  let sizeBytes = 0
  for (const { operations } of group) for (const { value } of operations) sizeBytes += value?.length ?? 0
  return sizeBytes
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

type Statistics = {
  readonly pageSize: number
  readonly entryCount: number
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
  readonly lastPageNumber: number
}

/** The package's types leave out what the answer holds. */
function statistics(database: Database<Uint8Array, string>): Statistics {
  return database.getStats() as Statistics
}

/** LMDB refuses longer keys; in UTF-8 a character of ours takes at most three bytes. */
const MOST_KEY_LENGTH = 600
/** With less than this left beside what was to be written, a write has failed for want of room. */
const TIGHT_BYTES = 256 * 1024

/** Error numbers that mean "no room", of the system and of LMDB itself. */
const MDB_MAP_FULL = -30792
const FULL: ReadonlySet<number> = new Set([constants.errno.ENOSPC, constants.errno.EDQUOT, constants.errno.EFBIG, MDB_MAP_FULL])

/** What each setting protects is told in docs/internals/spool-states.md. */
export const SETTINGS = {
  encoding: 'binary',
  compression: false,
  /** LMDB's own order: pages, flush, then the write that makes them valid. Visible means durable. */
  overlappingSync: false,
  noSync: false,
  noMetaSync: false,
  /** Groups are ours: what goes into one transaction is exactly one call of `batch`. */
  eventTurnBatching: false,
  maxDbs: 12,
  /** Address space, not memory or disk. It grows by itself, at the price of a second mapping. */
  mapSize: 2 ** 36,
  permissionsMode: 0o600,
} as const
