/**
 * What happened, for `trace` and `explain ID`: bounded, cheap, and not part of any promise.
 *
 * It has an LMDB environment of its own beside the spool's, so that nothing that befalls it can touch
 * the spool. Its commits are as safe as the spool's, since LMDB without flushes can be left in a
 * state that crashes whoever opens it; but they come a few times a second, off the path of mail.
 */

import { rmSync } from 'node:fs'
import type { DecisionRecord, TraceEvent } from '../relay/admin.ts'
import type { History } from '../relay/ports.ts'
import { HISTORY_TABLES, HistoryLog } from './history-log.ts'
import { LmdbEnvironment } from './lmdb-environment.ts'
import type { HistoryTable } from './history-log.ts'
import { inOneSpelling } from './queued-message.ts'

export type LmdbHistoryOptions = {
  /** The shard's folder; used as given. */
  readonly folder: string
  readonly mostDecisions?: number
  readonly mostEvents?: number
}

export type LmdbHistory = History & {
  /** Writes what was recorded until now. */
  flush(): Promise<void>
  close(): Promise<void>
}

export function openLmdbHistory({ folder, mostDecisions = 100_000, mostEvents = 500_000 }: LmdbHistoryOptions): LmdbHistory {
  const environment = openEnvironment(`${folder}/history`)
  return new HistoryInLogs(environment, new HistoryLog(environment, 'decisions', mostDecisions), new HistoryLog(environment, 'events', mostEvents))
}

/** A history that can't be opened is worth less than a relay that starts. */
function openEnvironment(folder: string): LmdbEnvironment<HistoryTable> {
  const open = (): LmdbEnvironment<HistoryTable> => new LmdbEnvironment({ folder, tables: HISTORY_TABLES, onBroken: () => {} })
  try {
    return open()
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return open()
  }
}

class HistoryInLogs implements LmdbHistory {
  readonly #environment: LmdbEnvironment<HistoryTable>
  readonly #decisions: HistoryLog<DecisionRecord>
  readonly #events: HistoryLog<TraceEvent>
  #timer: NodeJS.Timeout | null = null

  constructor(environment: LmdbEnvironment<HistoryTable>, decisions: HistoryLog<DecisionRecord>, events: HistoryLog<TraceEvent>) {
    this.#environment = environment
    this.#decisions = decisions
    this.#events = events
  }

  recordDecision(record: DecisionRecord): void {
    this.#decisions.add(ALL, [sessionOf(record.decision.id)], record)
    this.#flushSoon()
  }

  recordEvent(event: TraceEvent): void {
    const { messageId, recipient } = event
    this.#events.add(messageId, recipient === null ? [messageId] : [messageId, inOneSpelling(recipient)], event)
    this.#flushSoon()
  }

  decision(id: string): DecisionRecord | null {
    for (const records of this.#decisions.entries(sessionOf(id))) {
      const found = records.find(record => record.decision.id === id)
      if (found !== undefined) return found
    }
    return null
  }

  events(of: string): readonly TraceEvent[] {
    const messages = new Set([of])
    for (const [event] of this.#events.entries(inOneSpelling(of))) {
      if (messages.size > MESSAGES_SHOWN) break
      if (event !== undefined) messages.add(event.messageId)
    }
    const events = [...messages].flatMap(id => [...this.#events.entries(id)].toReversed().flat().filter(event => event.messageId === id))
    return events.sort((a, b) => a.at - b.at)
  }

  async flush(): Promise<void> {
    await Promise.all([this.#decisions.flush(), this.#events.flush()])
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.flush()
    await this.#environment.close()
  }

  #flushSoon(): void {
    if (this.#decisions.collectedItems + this.#events.collectedItems === FLUSH_AT_ITEMS) void this.flush()
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.flush()
    }, FLUSH_AFTER_MILLISECONDS).unref()
  }
}

/** Decisions are numbered within their session: `SESSION.N`. */
function sessionOf(id: string): string {
  const dot = id.lastIndexOf('.')
  return dot < 0 ? id : id.slice(0, dot)
}

/** Decisions are large, and looked up one at a time: they fill their pages best together. */
const ALL = ''
/** Of an address, the events of so many messages are shown. */
const MESSAGES_SHOWN = 50
const FLUSH_AFTER_MILLISECONDS = 250
/** More at a time would keep the event loop from its sessions. */
const FLUSH_AT_ITEMS = 500
