/**
 * Text of unknown length, kept until all of it is here: a little of it in memory, more in a file that
 * has no name any more.
 *
 * The file is readable by its owner only and is removed as soon as it is open, so that nothing is left
 * however the process ends.
 */

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { BODY_CHUNK_BYTES } from './memory-body.ts'
import type { Body } from '../relay/ports.ts'

const MEMORY_BYTES = 1024 * 1024

export class CollectedText {
  #parts: Uint8Array[] = []
  #sizeBytes = 0
  #file: number | null = null

  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#sizeBytes += bytes.length
    if (this.#file !== null) return writeAll(this.#file, bytes)
    this.#parts.push(bytes)
    if (this.#sizeBytes <= MEMORY_BYTES) return
    this.#file = openNameless()
    for (const part of this.#parts) writeAll(this.#file, part)
    this.#parts = []
  }

  /** All of it behind `before`. */
  body(before: Uint8Array): Body {
    return { sizeBytes: before.length + this.#sizeBytes, chunks: () => this.#chunks(before) }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }

  *#chunks(before: Uint8Array): Generator<Uint8Array> {
    for (const part of [before, ...this.#parts]) {
      for (let start = 0; start < part.length; start += BODY_CHUNK_BYTES) yield part.subarray(start, start + BODY_CHUNK_BYTES)
    }
    if (this.#file === null) return
    for (let at = 0; at < this.#sizeBytes; ) {
      const chunk = Buffer.allocUnsafe(BODY_CHUNK_BYTES)
      const read = readSync(this.#file, chunk, 0, chunk.length, at)
      if (read === 0) throw new Error('the collected text has become shorter')
      yield chunk.subarray(0, read)
      at += read
    }
  }
}

function openNameless(): number {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'postern-'))
  try {
    return openSync(path.join(folder, 'text'), 'wx+', 0o600)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}
