/** A message body that is in memory, as the spool hands it out: in chunks of at most 64 KiB. */

import type { Body } from '../relay/ports.ts'

/** The most that a body gives at a time, wherever it is stored. */
export const BODY_CHUNK_BYTES = 64 * 1024

export function memoryBody(parts: readonly Uint8Array[]): Body {
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0)
  return { sizeBytes, chunks: () => slices(parts) }
}

function* slices(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let start = 0; start < part.length; start += BODY_CHUNK_BYTES) {
      yield part.subarray(start, start + BODY_CHUNK_BYTES)
    }
  }
}
