/**
 * One process at a time in a folder.
 *
 * The lock is the kernel's, taken through SQLite, which is the one way to it that Node has without a
 * native add-on. So it ends with its holder, however that ends: there is no stale lock, and no
 * guessing whether the process behind an old number is still the same one.
 */

import { DatabaseSync } from 'node:sqlite'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'

export type FolderLock = {
  /** Gives the lock back. Any number of times. */
  release(): void
}

/** SQLITE_BUSY: somebody else has it. */
const BUSY = 5

/** `file` is made where it is missing, and stays empty. The problem says in words why there is no lock. */
export function lockFile(file: string): Result<FolderLock, { readonly isTaken: boolean; readonly detail: string }> {
  try {
    // Closed by whoever holds the lock; a database that is collected as garbage would give it back.
    const database = new DatabaseSync(file, { timeout: 0 })
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return ok({ release: () => database.isOpen && database.close() })
  } catch (error) {
    const { errcode, message } = error as Error & { readonly errcode?: number }
    return fail({ isTaken: errcode === BUSY, detail: message })
  }
}
