/**
 * Writes files so that they are on stable storage, under their names, when that is promised.
 */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, open, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'

/**
 * Replaces a file, or makes it, with exactly this mode. A crash leaves the old one or the new one,
 * never a part of either. Not for a process under Node's permission model, which refuses fsync(2).
 */
export async function writeWholeFile(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(content)
      await handle.sync() // the bytes are safe, under a name that nobody looks for,
    } finally {
      await handle.close()
    }
    await chmod(temporary, mode) // The umask may have taken bits away.
    await rename(temporary, file) // the new file is there whole, or after a crash perhaps still the old one,
    await syncFolder(path.dirname(file)) // and from here on the new one for certain.
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/**
 * Makes a file that is not there yet. For a process under the permission model: a synchronous write to
 * a new file makes its name safe with it on ext4, XFS and Btrfs. A crash may leave a part of it.
 */
export async function writeNewFile(file: string, content: string, mode: number): Promise<void> {
  const handle = await open(file, NEW_FILE, mode)
  try {
    await writeAt(handle, Buffer.from(content), 0)
  } finally {
    await handle.close()
  }
}

/** Writes all of the bytes at a place of a file. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written)
    written += bytesWritten
  }
}

/** Makes the names in a folder safe: new ones, changed ones and those that are gone. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_SYNC
