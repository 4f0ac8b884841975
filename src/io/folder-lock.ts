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

export type FolderLock = { release(): void }

/** SQLITE_BUSY: somebody else has it. */
const BUSY = 5

/** `file` is made where it is missing, and stays empty. Throws if it cannot be opened. */
export function lockFile(file: string): Result<FolderLock, 'taken'> {
  // Closed by whoever holds the lock; a database that is collected as garbage would give it back.
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode === BUSY) return fail('taken')
    throw error
  }
  return ok({ release: () => database.close() })
}
