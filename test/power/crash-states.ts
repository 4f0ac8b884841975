/**
 * What a disk may hold after the power failed at some moment: a model of the least that is promised.
 *
 * Bytes are safe when fsync or fdatasync on their file has returned, or when a write through a
 * descriptor opened O_SYNC or O_DSYNC has returned. All other writes may be there, be missing, or be
 * there in part; so may the removal of a file, since no folder is ever synced. A new file is there
 * once a synchronous write to it has returned, or its sync.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Call, CallEvent } from './system-calls.ts'

/** What becomes of writes that were not safe. `kept` is what kill -9 leaves. */
export type Loss = 'kept' | 'lost' | { readonly random: () => number }

type Write = { readonly offset: number; readonly bytes: Buffer; isSafe: boolean }
type TrackedFile = { writes: Write[]; isSafe: boolean; isRemoved: boolean }

/** What the program had said by the time of each event, and the files as a crash just after it may leave them. */
export class CrashStates {
  readonly #events: readonly CallEvent[]
  readonly #folder: string

  constructor(events: readonly CallEvent[], folder: string) {
    this.#folder = folder
    this.#events = events.filter(({ call }) => call.path === 'stdout' || call.path.startsWith(`${folder}/`))
  }

  /** Crashes can come after so many events. */
  get length(): number {
    return this.#events.length
  }

  said(upTo: number): readonly string[] {
    const lines = this.#events.slice(0, upTo).filter(({ at, call }) => at === 'ended' && call.path === 'stdout')
    return lines.flatMap(({ call }) => call.bytes.toString('latin1').split('\n').filter(line => line !== ''))
  }

  /** Writes the files into `target` as they may be after a crash. */
  restore(upTo: number, loss: Loss, target: string): void {
    mkdirSync(path.join(target, 'bodies'), { recursive: true, mode: 0o700 })
    for (const [name, file] of this.#filesAfter(upTo)) {
      const isThere = (file.isSafe || survives(loss)) && !(file.isRemoved && survives(loss))
      if (isThere) writeFileSync(path.join(target, path.relative(this.#folder, name)), contentOf(file.writes, loss), { mode: 0o600 })
    }
  }

  #filesAfter(upTo: number): ReadonlyMap<string, TrackedFile> {
    const files = new Map<string, TrackedFile>()
    const synchronous = new Set<string>()
    /** By number of call: the writes that are safe once it has returned. */
    const covered = new Map<number, readonly Write[]>()
    for (const { at, number, call } of this.#events.slice(0, upTo)) {
      if (call.path === 'stdout' || call.path.endsWith('lock.mdb')) continue
      const file = files.get(call.path) ?? { writes: [], isSafe: false, isRemoved: false }
      files.set(call.path, file)
      if (call.name === 'open' && at === 'ended') noteOpen(call, synchronous)
      if (call.name === 'unlink' && at === 'begun') file.isRemoved = true
      if (call.name === 'write' && at === 'begun') {
        const pages = pagesOf(call.offset, call.bytes)
        file.writes.push(...pages)
        if (synchronous.has(`${call.path} ${call.file}`)) covered.set(number, pages)
      }
      // A sync covers what had been written when it began.
      if (call.name === 'sync' && at === 'begun') covered.set(number, [...file.writes])
      const safe = at === 'ended' ? covered.get(number) : undefined
      for (const write of safe ?? []) write.isSafe = true
      if (safe !== undefined) file.isSafe = true
    }
    return files
  }
}

function noteOpen({ path, file }: Call, synchronous: Set<string>): void {
  const descriptor = `${path} ${/= (\d+)</.exec(file)?.[1] ?? ''}`
  if (/O_D?SYNC/.test(file)) synchronous.add(descriptor)
  else synchronous.delete(descriptor)
}

/** A disk writes sectors whole: what is at most a sector is there or not, what is longer can be there in part. */
function pagesOf(offset: number, bytes: Buffer): Write[] {
  const pages: Write[] = []
  for (let start = 0; start < bytes.length; start += PAGE_BYTES) {
    pages.push({ offset: offset + start, bytes: bytes.subarray(start, start + PAGE_BYTES), isSafe: false })
  }
  return pages
}

function contentOf(writes: readonly Write[], loss: Loss): Buffer {
  const there = writes.filter(write => write.isSafe || survives(loss))
  const content = Buffer.alloc(there.reduce((end, { offset, bytes }) => Math.max(end, offset + bytes.length), 0))
  for (const { offset, bytes } of there) bytes.copy(content, offset)
  return content
}

function survives(loss: Loss): boolean {
  return loss === 'kept' || (loss !== 'lost' && loss.random() < 0.5)
}

const PAGE_BYTES = 4096
