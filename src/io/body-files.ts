/**
 * Message bodies too big for a record, each in a file of its own.
 *
 * What was appended is on stable storage when `append` resolves, name and all: a record that names a
 * file is written only afterwards. The files are opened O_SYNC because Node's permission model, which
 * every worker runs under, refuses fsync(2) on files and on folders. A synchronous write to a new
 * file makes its name durable too on ext4, XFS and Btrfs; docs/internals/spool-states.md has the rest.
 *
 * Names are made here from random bytes and are opened O_EXCL and O_NOFOLLOW, so no file that is
 * already there and no link is ever written to.
 */

import { constants, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { SpoolFailed, SpoolFull } from '../relay/ports.ts'
import { BODY_CHUNK_BYTES } from './memory-body.ts'
import { isBodyName } from './spool-records.ts'

/** The folder of bodies. Everything rejects with SpoolFull or SpoolFailed. */
export type BodyFiles = {
  /** A new, empty file. */
  create(name: string): Promise<BodyFile>
  /** The bytes of a file, in chunks of at most 64 KiB. */
  read(name: string): AsyncIterable<Uint8Array>
  /** Null if there is no such file, or something that is not a file. */
  sizeOf(name: string): number | null
  /** Removing what is not there, or is not a file, does nothing. */
  remove(name: string): Promise<void>
  /** Names of bodies; whatever else is in the folder is not ours. */
  names(): readonly string[]
  /** What all of them take. */
  usedBytes(): number
}

/** A body that is being written. */
export type BodyFile = {
  /** When this resolves, the bytes survive a power cut. */
  append(parts: readonly Uint8Array[]): Promise<void>
  close(): Promise<void>
}

/** Opens, or makes, the folder `bodies` in a shard's folder. Paths stay relative if the shard's is. */
export function openBodyFiles(shardFolder: string): BodyFiles {
  const folder = `${shardFolder}/bodies`
  makeFolder(folder)
  return new FolderOfBodies(folder)
}

class FolderOfBodies implements BodyFiles {
  readonly #folder: string
  #usedBytes = 0

  constructor(folder: string) {
    this.#folder = folder
    for (const name of this.names()) this.#usedBytes += this.sizeOf(name) ?? 0
  }

  async create(name: string): Promise<BodyFile> {
    const handle = await open(this.#pathOf(name), NEW_FILE, 0o600).catch(rethrow)
    return new SyncedFile(handle, sizeBytes => (this.#usedBytes += sizeBytes))
  }

  read(name: string): AsyncIterable<Uint8Array> {
    return readChunks(this.#pathOf(name))
  }

  sizeOf(name: string): number | null {
    const found = lstatSync(this.#pathOf(name), { throwIfNoEntry: false })
    return found?.isFile() === true ? found.size : null
  }

  async remove(name: string): Promise<void> {
    const sizeBytes = this.sizeOf(name)
    if (sizeBytes === null) return
    await unlink(this.#pathOf(name)).catch(rethrow)
    this.#usedBytes -= sizeBytes
  }

  names(): readonly string[] {
    return readdirSync(this.#folder).filter(isBodyName)
  }

  usedBytes(): number {
    return this.#usedBytes
  }

  #pathOf(name: string): string {
    return `${this.#folder}/${name}`
  }
}

class SyncedFile implements BodyFile {
  readonly #handle: FileHandle
  readonly #onWritten: (sizeBytes: number) => void
  #position = 0

  constructor(handle: FileHandle, onWritten: (sizeBytes: number) => void) {
    this.#handle = handle
    this.#onWritten = onWritten
  }

  async append(parts: readonly Uint8Array[]): Promise<void> {
    let rest = Buffer.concat(parts)
    while (rest.length > 0) {
      // A crash here leaves a file without a record, longer or shorter: recovery removes it.
      const { bytesWritten } = await this.#handle.write(rest, 0, rest.length, this.#position).catch(rethrow)
      this.#position += bytesWritten
      this.#onWritten(bytesWritten)
      rest = rest.subarray(bytesWritten)
    }
  }

  close(): Promise<void> {
    return this.#handle.close().catch(rethrow)
  }
}

/** O_SYNC is what makes `append` keep its promise. */
export const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_SYNC

async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(rethrow)
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(BODY_CHUNK_BYTES), 0, BODY_CHUNK_BYTES).catch(rethrow)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') rethrow(error)
  }
  if (!lstatSync(folder).isDirectory()) throw new SpoolFailed(`${folder} is not a folder; move it elsewhere and start again`)
}

function rethrow(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error)
  throw FULL.has(codeOf(error)) ? new SpoolFull(text, { cause: error }) : new SpoolFailed(text, { cause: error })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** No bytes, no inodes, no quota; a file larger than the file system or a limit allows. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
