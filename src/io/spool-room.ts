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
  /** What is kept free for results and bounces. */
  readonly keepFreeBytes: number
  readonly keepFreeFiles: number
}

/** Where a body goes. LMDB's file never shrinks, so what is free in it is room for records only. */
export type Place = 'inline' | 'file'

/** What a look at the disk shows. */
export type DiskSpace = {
  readonly usedBytes: number
  /** Free within the files of LMDB. */
  readonly reusableBytes: number
  readonly freeBytes: number
  /** Null where the file system does not count them. */
  readonly freeFiles: number | null
}

export class SpoolRoom {
  readonly #look: () => DiskSpace
  readonly #limits: RoomLimits
  #takenBytes = LOOK_EVERY_BYTES
  #problems: Record<Place, string | null> = { inline: null, file: null }

  constructor(look: () => DiskSpace, limits: RoomLimits) {
    this.#look = look
    this.#limits = limits
  }

  /** Throws SpoolFull if there is no room for so many bytes more. */
  take(sizeBytes: number, place: Place): void {
    this.#takenBytes += sizeBytes + RECORD_BYTES
    if (this.#problems[place] !== null || this.#takenBytes >= LOOK_EVERY_BYTES) {
      const space = this.#look()
      this.#problems = { inline: this.#problem(space, 'inline'), file: this.#problem(space, 'file') }
      this.#takenBytes = 0
    }
    const problem = this.#problems[place]
    if (problem !== null) throw new SpoolFull(problem)
  }

  #problem({ usedBytes, reusableBytes, freeBytes, freeFiles }: DiskSpace, place: Place): string | null {
    const { maxBytes, keepFreeBytes, keepFreeFiles } = this.#limits
    const roomBytes = place === 'inline' ? freeBytes + reusableBytes : freeBytes
    if (maxBytes !== null && usedBytes >= maxBytes) return `the spool holds ${usedBytes} bytes of the ${maxBytes} it may`
    if (roomBytes < keepFreeBytes) return `the disk of the spool has ${roomBytes} bytes left; ${keepFreeBytes} are kept free`
    if (place === 'file' && freeFiles !== null && freeFiles < keepFreeFiles) {
      return `the disk of the spool has room for ${freeFiles} more files; ${keepFreeFiles} are kept free`
    }
    return null
  }
}

/** What the disk of a folder has left for us. */
export function freeSpace(folder: string): Pick<DiskSpace, 'freeBytes' | 'freeFiles'> {
  const { bavail, bsize, files, ffree } = statfsSync(folder)
  return { freeBytes: bavail * bsize, freeFiles: files === 0 ? null : ffree }
}

/** Why the disk has no room for new mail, as far as can be seen from outside the spool; null if it has, or cannot be looked at. */
export function whyNoRoom(folder: string): string | null {
  try {
    const { freeBytes, freeFiles } = freeSpace(folder)
    if (freeBytes < KEPT_FREE.bytes) return `the disk has ${mebibytes(freeBytes)} MiB left, and ${mebibytes(KEPT_FREE.bytes)} MiB are kept free`
    if (freeFiles !== null && freeFiles < KEPT_FREE.files) return `the disk has room for ${freeFiles} more files, and ${KEPT_FREE.files} are kept free`
    return null
  } catch {
    return null
  }
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / (1024 * 1024))
}

/** What the disk keeps for results and bounces, if the spool is not told otherwise. */
export const KEPT_FREE = { bytes: 32 * 1024 * 1024, files: 64 } as const

const LOOK_EVERY_BYTES = 1024 * 1024
/** What a message takes beside its body, roughly. */
const RECORD_BYTES = 4096
