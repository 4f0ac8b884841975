/**
 * A text file that only grows, line by line, and whose lines survive a power cut.
 *
 * What a crash can leave is a part of the last line, never a hole: a line is written behind the sound
 * ones and is on stable storage before anybody relies on it. A part of a line was promised to nobody,
 * so the next line replaces it. The file is opened O_DSYNC, since the permission model, under which
 * the authority runs, refuses fsync(2).
 */

import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { writeAt } from './whole-file.ts'

export class AppendFile {
  readonly #file: string
  readonly #handle: FileHandle
  #soundBytes: number
  /** Why nothing may be appended any more: what is on disk is in doubt. */
  #doubt: string | null = null

  /** Opens a file that is there. `soundBytes` is where its whole lines end; what follows is cut off. */
  static async open(file: string, soundBytes: number): Promise<AppendFile> {
    const handle = await open(file, constants.O_RDWR | constants.O_DSYNC | constants.O_NOFOLLOW)
    const appender = new AppendFile(file, handle, soundBytes)
    const { size } = await handle.stat()
    if (size > soundBytes) await appender.#cutBack()
    return appender
  }

  private constructor(file: string, handle: FileHandle, soundBytes: number) {
    this.#file = file
    this.#handle = handle
    this.#soundBytes = soundBytes
  }

  /**
   * Adds a line. When this resolves well the line is on stable storage; with a problem, it is
   * not there. After a failure that leaves that in doubt, nothing more is taken.
   */
  async append(line: string): Promise<Result<null, string>> {
    if (this.#doubt !== null) return fail(this.#doubt)
    const bytes = Buffer.from(line)
    try {
      // A crash here leaves a part of the line, which counts for nothing; afterwards the whole of it is safe.
      await writeAt(this.#handle, bytes, this.#soundBytes)
    } catch (error) {
      return await this.#failed(error as NodeJS.ErrnoException)
    }
    this.#soundBytes += bytes.length
    return ok(null)
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  /** A line that was not promised must not be found at the next start: it is cut off again. */
  async #failed(error: NodeJS.ErrnoException): Promise<Result<null, string>> {
    const remedy = error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'free some space and try again' : 'check the disk'
    const problem = `${this.#file}: cannot be written: ${error.message}; ${remedy}`
    try {
      await this.#cutBack()
    } catch {
      this.#doubt = `${problem}; what is on disk is in doubt, so restart Postern, which reads it again`
    }
    return fail(this.#doubt ?? problem)
  }

  /** A crash soon afterwards may bring the part back; the next start cuts it off again. */
  async #cutBack(): Promise<void> {
    await this.#handle.truncate(this.#soundBytes)
  }
}
