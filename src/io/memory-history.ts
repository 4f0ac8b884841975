/** A History in memory: for tests, and for trying things out. Bounded; the oldest go first. */

import type { DecisionRecord, TraceEvent } from '../relay/admin.ts'
import type { History } from '../relay/ports.ts'
import { inOneSpelling } from './queued-message.ts'

const MOST_DECISIONS = 1000
const MOST_EVENTS = 5000
/** Of an address, the events of so many messages are shown. */
const MESSAGES_SHOWN = 50

export class MemoryHistory implements History {
  readonly #decisions = new Map<string, DecisionRecord>()
  readonly #events: TraceEvent[] = []

  recordDecision(record: DecisionRecord): void {
    const [oldest] = this.#decisions.keys()
    if (this.#decisions.size >= MOST_DECISIONS && oldest !== undefined) this.#decisions.delete(oldest)
    this.#decisions.set(record.decision.id, record)
  }

  recordEvent(event: TraceEvent): void {
    if (this.#events.length >= MOST_EVENTS) this.#events.shift()
    this.#events.push(event)
  }

  decision(id: string): DecisionRecord | null {
    return this.#decisions.get(id) ?? null
  }

  events(of: string): readonly TraceEvent[] {
    const address = inOneSpelling(of)
    const named = this.#events.filter(({ recipient }) => recipient !== null && inOneSpelling(recipient) === address).map(event => event.messageId)
    const shown = new Set([of, ...[...new Set(named)].slice(-MESSAGES_SHOWN)])
    return this.#events.filter(event => shown.has(event.messageId))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
