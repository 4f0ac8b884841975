/**
 * Is there room for more mail? Asked before a message is taken, so that the disk never fills up
 * under what the spool has promised: the results of deliveries and bounces need room too.
 *
 * The disk is looked at once in a while and not for each message: after a number of accepted bytes
 * that is small beside what is kept free. While there is no room it is looked at each time, so that
 * mail is accepted again as soon as there is.
 */

import { statfsSync } from 'node:fs'
import { SpoolFull } from '../relay/ports.ts'

export type RoomLimits = {
  /** The most that queued mail may take; null for as much as the disk has. */
  readonly maxBytes: number | null
  /** What the disk keeps free for results and bounces. */
  readonly keepFreeBytes: number
  readonly keepFreeFiles: number
}

/** What a look at the disk shows. `freeFiles` is null where the file system does not count them. */
export type DiskSpace = { readonly usedBytes: number; readonly freeBytes: number; readonly freeFiles: number | null }

export class SpoolRoom {
  readonly #look: () => DiskSpace
  readonly #limits: RoomLimits
  #takenBytes = LOOK_EVERY_BYTES
  #problem: string | null = null

  constructor(look: () => DiskSpace, limits: RoomLimits) {
    this.#look = look
    this.#limits = limits
  }

  /** Throws SpoolFull if there is no room for so many bytes more. */
  take(sizeBytes: number): void {
    this.#takenBytes += sizeBytes + RECORD_BYTES
    if (this.#problem !== null || this.#takenBytes >= LOOK_EVERY_BYTES) {
      this.#problem = this.#problemNow()
      this.#takenBytes = 0
    }
    if (this.#problem !== null) throw new SpoolFull(this.#problem)
  }

  #problemNow(): string | null {
    const { maxBytes, keepFreeBytes, keepFreeFiles } = this.#limits
    const { usedBytes, freeBytes, freeFiles } = this.#look()
    if (maxBytes !== null && usedBytes >= maxBytes) return `the spool holds ${usedBytes} bytes of the ${maxBytes} it may`
    if (freeBytes < keepFreeBytes) return `the disk of the spool has ${freeBytes} bytes left; ${keepFreeBytes} are kept free`
    if (freeFiles !== null && freeFiles < keepFreeFiles) {
      return `the disk of the spool has room for ${freeFiles} more files; ${keepFreeFiles} are kept free`
    }
    return null
  }
}

/** What the disk of a folder has left for us. */
export function freeSpace(folder: string): Omit<DiskSpace, 'usedBytes'> {
  const { bavail, bsize, files, ffree } = statfsSync(folder)
  return { freeBytes: bavail * bsize, freeFiles: files === 0 ? null : ffree }
}

const LOOK_EVERY_BYTES = 1024 * 1024
/** What a message takes beside its body, roughly. */
const RECORD_BYTES = 4096
