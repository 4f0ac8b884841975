/**
 * A log in LMDB that is looked up by name and forgets its oldest entries.
 *
 * Items are collected in memory and written a few times a second, many of them as one entry: a
 * message that is delivered at once costs one entry for its whole life. An entry is listed under
 * names, and each name leads to its entries in order of time. What can't be written is lost: no
 * promise hangs on it.
 */

import type { LmdbEnvironment, Operation } from './lmdb-environment.ts'

export type LogName = 'decisions' | 'events'
/** The entries of a log by number, who mentions them by name and number, and how many items there are. */
export type HistoryTable = LogName | `${LogName}ByName` | 'counts'

export const HISTORY_TABLES = ['decisions', 'decisionsByName', 'events', 'eventsByName', 'counts'] as const satisfies readonly HistoryTable[]

type Entry<Item> = { readonly names: Set<string>; readonly items: Item[] }

export class HistoryLog<Item> {
  readonly #environment: LmdbEnvironment<HistoryTable>
  readonly #log: LogName
  readonly #mostItems: number
  /** Not written yet; `open` are those that still grow, by group. */
  #collected: Entry<Item>[] = []
  #open = new Map<string, Entry<Item>>()
  #collectedItems = 0
  /** Being written. */
  #leaving: readonly Entry<Item>[] = []
  #written: Promise<void> = Promise.resolve()
  #nextNumber: number
  #storedItems: number

  constructor(environment: LmdbEnvironment<HistoryTable>, log: LogName, mostItems: number) {
    this.#environment = environment
    this.#log = log
    this.#mostItems = mostItems
    const [last] = environment.keys(log, { reverse: true })
    this.#nextNumber = last === undefined ? 0 : Number(last) + 1
    this.#storedItems = Number(environment.get('counts', log)?.toString() ?? 0)
  }

  get collectedItems(): number {
    return this.#collectedItems
  }

  /** Items of a group share entries; `names` are what this one is to be found by. */
  add(group: string, names: readonly string[], item: Item): void {
    if (this.#collectedItems >= MOST_COLLECTED) return
    let entry = this.#open.get(group)
    if (entry === undefined || entry.items.length >= MOST_IN_ENTRY) {
      entry = { names: new Set(), items: [] }
      this.#open.set(group, entry)
      this.#collected.push(entry)
    }
    for (const name of names) entry.names.add(nameOf(name))
    entry.items.push(item)
    this.#collectedItems++
  }

  /** Entries that mention a name, newest first, each with its items in order of time. */
  *entries(wanted: string): Generator<readonly Item[]> {
    const name = nameOf(wanted)
    for (const entry of [...this.#leaving, ...this.#collected].toReversed()) if (entry.names.has(name)) yield entry.items
    const firstLeaving = this.#nextNumber - this.#leaving.length
    const range = { start: nameKey(name, firstLeaving), exclusiveStart: true, end: `${name} `, reverse: true }
    for (const key of this.#environment.keys(`${this.#log}ByName`, range)) {
      // A longer name may begin as this one ends.
      const number = key.length === range.start.length ? key.slice(-NUMBER_DIGITS) : ''
      const entry = number === '' ? null : this.#read(number)
      if (entry !== null) yield entry.items()
    }
  }

  /** Writes what was collected, and forgets about as much if the log is full. */
  async flush(): Promise<void> {
    await this.#written
    if (this.#collected.length > 0) this.#written = this.#write()
    await this.#written
  }

  async #write(): Promise<void> {
    this.#leaving = this.#collected
    const leavingItems = this.#collectedItems
    this.#collected = []
    this.#open = new Map()
    this.#collectedItems = 0
    const operations = this.#leaving.flatMap((entry, index) => this.#insertion(entry, numberKey(this.#nextNumber + index)))
    this.#nextNumber += this.#leaving.length
    const items = this.#storedItems + leavingItems - this.#prune(operations, this.#storedItems + leavingItems - this.#mostItems)
    operations.push({ table: 'counts', key: this.#log, value: Buffer.from(String(items)) })
    try {
      await this.#environment.commit(operations)
      this.#storedItems = items
    } catch {
      // Lost, as the moments before a crash are. The spool tells of a disk that is full or broken.
    }
    this.#leaving = []
  }

  #insertion({ names, items }: Entry<Item>, number: string): Operation<HistoryTable>[] {
    // The first line is all that pruning has to read.
    const value = Buffer.from(`${JSON.stringify({ names: [...names], count: items.length })}\n${JSON.stringify(items)}`)
    return [{ table: this.#log, key: number, value }, ...this.#mentions(names, number, NOTHING)]
  }

  #mentions(names: Iterable<string>, number: string, value: Uint8Array | null): Operation<HistoryTable>[] {
    return Array.from(names, name => ({ table: `${this.#log}ByName` as const, key: `${name} ${number}`, value }))
  }

  /** Adds the removal of about so many of the oldest items; returns how many. */
  #prune(operations: Operation<HistoryTable>[], surplus: number): number {
    let removed = 0
    if (surplus <= 0) return removed
    const mostEntries = 2 * this.#leaving.length + SPARE_ENTRIES
    for (const number of take(this.#environment.keys(this.#log, {}), mostEntries)) {
      if (removed >= surplus) break
      const entry = this.#read(number)
      operations.push({ table: this.#log, key: number, value: null }, ...this.#mentions(entry?.names ?? [], number, null))
      removed += entry?.count ?? 0
    }
    return removed
  }

  /** Null for what can't be read: it is forgotten in its turn. */
  #read(number: string): StoredEntry<Item> | null {
    const text = this.#environment.get(this.#log, number)?.toString() ?? ''
    const lineEnd = text.indexOf('\n')
    try {
      const { names, count } = JSON.parse(text.slice(0, lineEnd)) as { names: string[]; count: number }
      return { names, count, items: () => JSON.parse(text.slice(lineEnd + 1)) as Item[] }
    } catch {
      return null
    }
  }
}

type StoredEntry<Item> = { readonly names: readonly string[]; readonly count: number; items(): readonly Item[] }

function* take<Value>(values: Iterable<Value>, most: number): Generator<Value> {
  let taken = 0
  for (const value of values) {
    if (taken++ >= most) return
    yield value
  }
}

/** Names come from outside; keys of LMDB have a limit. */
function nameOf(text: string): string {
  return text.slice(0, MOST_NAME_LENGTH).toLowerCase()
}

function nameKey(name: string, number: number): string {
  return `${name} ${numberKey(number)}`
}

function numberKey(number: number): string {
  return String(number).padStart(NUMBER_DIGITS, '0')
}

const NUMBER_DIGITS = 12
const MOST_NAME_LENGTH = 300
/** What waits to be written is bounded too; beyond that it is lost. */
const MOST_COLLECTED = 20_000
/** All of an entry is read to find one item. */
const MOST_IN_ENTRY = 32
/** A log that is too full shrinks by so many entries at a time beyond what is added. */
const SPARE_ENTRIES = 16
const NOTHING = Buffer.alloc(0)
