/**
 * Writes files so that a crash leaves the old one or the new one, never a part of either.
 */

import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import path from 'node:path'

/** When this resolves the file is on stable storage under its name, with exactly this mode. */
export async function writeWholeFile(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(content)
      await handle.chmod(mode) // whatever the umask took away
      await handle.sync() // the bytes are safe, under a name that nobody looks for,
    } finally {
      await handle.close()
    }
    await rename(temporary, file) // the new file is there whole, or after a crash perhaps still the old one,
    await syncFolder(path.dirname(file)) // and from here on the new one for certain.
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Makes the names in a folder safe: new ones, changed ones and those that are gone. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
