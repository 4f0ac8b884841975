/**
 * A message being written: in memory while it is small, in a file of its own when it is not.
 *
 * However large the message, memory holds one unit of writing and the chunk that completed it.
 */

import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { assert } from '../core/result.ts'
import type { Draft } from '../relay/ports.ts'
import type { BodyFile, BodyFiles } from './body-files.ts'
import type { StoredBody } from './spool-records.ts'
import type { SpoolRoom } from './spool-room.ts'

/** A body that is ready to be recorded: as bytes, or on stable storage in a file. */
export type SealedBody = {
  readonly stored: StoredBody
  /** Null if the body is in a file. */
  readonly bytes: Uint8Array | null
}

export type DraftSettings = {
  readonly files: BodyFiles
  readonly inlineBytes: number
  readonly room: SpoolRoom
}

export class SpoolDraft implements Draft {
  readonly #settings: DraftSettings
  #parts: Uint8Array[] = []
  #partsBytes = 0
  /** The last part, if it is a buffer of our own that still has room. */
  #block: Buffer = NOTHING
  #blockBytes = 0
  #sizeBytes = 0
  #crc = 0
  #file: BodyFile | null = null
  #fileName: string | null = null
  /** Everything written so far; rejects when a write failed, and stays so. */
  #written: Promise<void> = Promise.resolve()
  #sealed: SealedBody | null = null
  #ended = false

  constructor(settings: DraftSettings) {
    this.#settings = settings
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  write(bytes: Uint8Array): Promise<void> | void {
    assert(this.#sealed === null, 'a draft that was given to the spool is complete')
    if (this.#ended) return
    this.#keep(bytes)
    this.#partsBytes += bytes.length
    this.#sizeBytes += bytes.length
    if (this.#sizeBytes > this.#settings.inlineBytes && this.#partsBytes >= WRITE_BYTES) return this.#append()
  }

  /** Ends the body. A large one is on stable storage when this resolves. */
  seal(): SealedBody | Promise<SealedBody> {
    assert(!this.#ended, 'a draft is enqueued once')
    if (this.#sealed !== null) return this.#sealed
    return this.#sizeBytes > this.#settings.inlineBytes ? this.#sealFile() : this.#sealInline()
  }

  /** The message exists now: its body is no longer ours to drop. */
  keep(): void {
    this.#ended = true
  }

  async drop(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#takeParts()
    await this.#written.catch(() => {})
    await this.#closeFile()
    // A crash here leaves a file without a record: recovery removes it.
    if (this.#fileName !== null) await this.#settings.files.remove(this.#fileName)
  }

  /**
   * A client may send an octet at a time, and each comes as a view of all that came with it: commands, or a whole
   * packet. Many small ones would take up a thousand times what they hold, so they are copied together (S18).
   */
  #keep(bytes: Uint8Array): void {
    if (bytes.length >= LARGE_PART_BYTES) {
      this.#endBlock()
      this.#parts.push(bytes)
      return
    }
    if (this.#blockBytes + bytes.length > this.#block.length) {
      this.#endBlock()
      const sizeBytes = Math.min(Math.max(this.#partsBytes, SMALLEST_BLOCK_BYTES), WRITE_BYTES)
      this.#block = Buffer.allocUnsafe(Math.max(sizeBytes, bytes.length))
    }
    this.#block.set(bytes, this.#blockBytes)
    this.#blockBytes += bytes.length
  }

  #endBlock(): void {
    if (this.#blockBytes > 0) this.#parts.push(this.#block.subarray(0, this.#blockBytes))
    this.#block = NOTHING
    this.#blockBytes = 0
  }

  /** What has been kept, in order; nothing is left. */
  #takeParts(): readonly Uint8Array[] {
    this.#endBlock()
    const parts = this.#parts
    this.#parts = []
    this.#partsBytes = 0
    return parts
  }

  #sealInline(): SealedBody {
    this.#settings.room.take(this.#sizeBytes, 'inline')
    const parts = this.#takeParts()
    const [first] = parts
    const bytes = first !== undefined && parts.length === 1 ? first : Buffer.concat(parts)
    this.#sealed = { stored: { kind: 'inline', crc: crc32(bytes) }, bytes }
    return this.#sealed
  }

  async #sealFile(): Promise<SealedBody> {
    await this.#append()
    await this.#closeFile()
    assert(this.#fileName !== null, 'a body over the threshold is in a file')
    this.#sealed = { stored: { kind: 'file', name: this.#fileName, crc: this.#crc }, bytes: null }
    return this.#sealed
  }

  async #closeFile(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.close()
  }

  #append(): Promise<void> {
    const partsBytes = this.#partsBytes
    const parts = this.#takeParts()
    this.#written = this.#written.then(() => this.#appendNow(parts, partsBytes))
    // Whoever writes next, seals or drops meets the failure; until then it is nobody's to handle.
    this.#written.catch(() => {})
    return this.#written
  }

  async #appendNow(parts: readonly Uint8Array[], partsBytes: number): Promise<void> {
    this.#settings.room.take(partsBytes, 'file')
    if (this.#file === null) {
      this.#fileName = randomBytes(16).toString('hex')
      this.#file = await this.#settings.files.create(this.#fileName)
    }
    for (const part of parts) this.#crc = crc32(part, this.#crc)
    await this.#file.append(parts)
  }
}

/** So much goes to a file at a time; each time costs a flush. */
const WRITE_BYTES = 128 * 1024
/** A part of this size is kept as it came: a record of TLS, or more. */
const LARGE_PART_BYTES = 16 * 1024
const SMALLEST_BLOCK_BYTES = 4096
const NOTHING = Buffer.alloc(0)
