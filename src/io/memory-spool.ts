/**
 * A spool that forgets everything when the process ends: for tests, and for trying things out.
 *
 * It keeps the promises of `Spool` but for the one about stable storage, and is the shortest way to
 * read what they mean. Looking for what is due reads every message.
 */

import type { QueuedMessage } from '../core/message/envelope.ts'
import { assert } from '../core/result.ts'
import type { Body, Draft, Lease, NewMessage, QueueFilter, RecipientChange, Spool } from '../relay/ports.ts'
import { memoryBody } from './memory-body.ts'
import { afterChanges, asLeased, dueIndices, dueWhenAccepted, earliestDueAt, isDone, matches } from './queued-message.ts'

type Stored = { readonly message: QueuedMessage; readonly body: Body; readonly leased: readonly number[] }

export class MemorySpool implements Spool {
  readonly #now: () => number
  readonly #stored = new Map<string, Stored>()

  constructor({ now }: { readonly now: () => number }) {
    this.#now = now
  }

  draft(): Draft {
    return new MemoryDraft()
  }

  async enqueue({ message, draft }: NewMessage, { leased }: { readonly leased: boolean }): Promise<Lease> {
    assert(draft instanceof MemoryDraft && message.sizeBytes === draft.sizeBytes, 'a message is as long as its draft')
    assert(!isDone(message) && !this.#stored.has(message.id), 'a new message has recipients and an id of its own')
    const body = memoryBody(draft.take())
    return this.#lease(message, body, leased ? dueWhenAccepted(message, this.#now()) : [])
  }

  async claim({ now, limit }: { readonly now: number; readonly limit: number }): Promise<readonly Lease[]> {
    return this.#free()
      .filter(({ dueAt }) => dueAt <= now)
      .slice(0, limit)
      .map(({ stored: { message, body } }) => this.#lease(message, body, dueIndices(message, now)))
  }

  async giveBack(id: string): Promise<void> {
    const stored = this.#stored.get(id)
    if (stored !== undefined) this.#stored.set(id, { ...stored, leased: [] })
  }

  async settle(id: string, changes: readonly RecipientChange[], bounces: readonly NewMessage[]): Promise<void> {
    const stored = this.#stored.get(id)
    assert(stored !== undefined && changes.every(({ index }) => stored.leased.includes(index)), 'only the holder of a lease settles')
    const message = afterChanges(stored.message, changes)
    const leased = stored.leased.filter(index => !changes.some(change => change.index === index))
    this.#put({ ...stored, message, leased })
    for (const bounce of bounces) await this.enqueue(bounce, { leased: false })
  }

  nextDueAt(): number | null {
    return this.#free()[0]?.dueAt ?? null
  }

  find(id: string): QueuedMessage | null {
    const stored = this.#stored.get(id)
    return stored === undefined ? null : asLeased(stored.message, stored.leased)
  }

  list(request: { readonly filter: QueueFilter; readonly after: string | null; readonly limit: number }): readonly QueuedMessage[] {
    const { filter, after, limit } = request
    return Array.from(this.#stored.values(), ({ message, leased }) => asLeased(message, leased))
      .filter(message => (after === null || message.id > after) && matches(message, filter))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit)
  }

  body(id: string): Body | null {
    return this.#stored.get(id)?.body ?? null
  }

  async change(id: string, change: (message: QueuedMessage) => QueuedMessage | null): Promise<boolean> {
    const stored = this.#stored.get(id)
    if (stored === undefined || stored.leased.length > 0) return false
    const message = change(stored.message)
    if (message === null) this.#stored.delete(id)
    else this.#put({ ...stored, message })
    return true
  }

  stats(): ReturnType<Spool['stats']> {
    const leased = Array.from(this.#stored.values()).filter(stored => stored.leased.length > 0).length
    return { messages: this.#stored.size, leased, quarantinedRecords: 0 }
  }

  async close(): Promise<void> {
    this.#stored.clear()
  }

  /** Messages that nobody has leased and that will be due, earliest first. */
  #free(): readonly { readonly dueAt: number; readonly stored: Stored }[] {
    return Array.from(this.#stored.values())
      .flatMap(stored => {
        const dueAt = earliestDueAt(stored.message)
        return stored.leased.length > 0 || dueAt === null ? [] : [{ dueAt, stored }]
      })
      .sort((a, b) => a.dueAt - b.dueAt || (a.stored.message.id < b.stored.message.id ? -1 : 1))
  }

  #lease(message: QueuedMessage, body: Body, leased: readonly number[]): Lease {
    this.#stored.set(message.id, { message, body, leased })
    return { message: asLeased(message, leased), due: leased, body }
  }

  #put(stored: Stored): void {
    if (isDone(stored.message)) this.#stored.delete(stored.message.id)
    else this.#stored.set(stored.message.id, stored)
  }
}

class MemoryDraft implements Draft {
  #parts: Uint8Array[] = []
  #sizeBytes = 0

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  write(bytes: Uint8Array): void {
    this.#parts.push(bytes)
    this.#sizeBytes += bytes.length
  }

  take(): readonly Uint8Array[] {
    return this.#parts
  }

  async drop(): Promise<void> {
    this.#parts = []
  }
}
