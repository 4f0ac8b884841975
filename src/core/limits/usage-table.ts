/**
 * How much clients have used lately, and how many connections they have open.
 *
 * Bounded: what was used is kept for the clients seen last, in two generations. When the younger one
 * is full the older is forgotten, so a look-up costs no more than in a map, and a flood of new
 * addresses makes room by forgetting the quietest. Open connections are bounded by `limits.connections`.
 *
 * Several processes may share one view: each takes the changes it made from time to time, and merges
 * those that the others made. In between, each sees the others' part as it was.
 */

/** What has a rate. */
export const USAGES = ['connections', 'messages', 'recipients', 'bytes', 'errors'] as const
export type Usage = (typeof USAGES)[number]

/** What one process did since it last said so. */
export type UsageChanges = {
  /** Connections that are open now, for keys where that changed. */
  readonly open: readonly (readonly [key: string, count: number])[]
  /** Milliseconds of work, by usage, for keys that used something. */
  readonly used: readonly (readonly [key: string, usage: Usage, milliseconds: number])[]
}

/** One instant for each usage: when it will be worked off. */
type Row = { [Each in Usage]: number }

export class UsageTable {
  readonly #mostRows: number
  readonly #isShared: boolean
  #young = new Map<string, Row>()
  #old = new Map<string, Row>()
  readonly #open = new Map<string, number>()
  readonly #openElsewhere = new Map<number, Map<string, number>>()
  readonly #openChanged = new Set<string>()
  readonly #usedChanged = new Map<string, { -readonly [Each in Usage]?: number }>()

  /** At most about `mostRows` clients are remembered (some 200 bytes each). */
  constructor(mostRows: number, isShared: boolean) {
    this.#mostRows = mostRows
    this.#isShared = isShared
  }

  /** Clients that something is remembered of. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  workedOffAt(key: string, usage: Usage): number {
    return (this.#young.get(key) ?? this.#old.get(key))?.[usage] ?? 0
  }

  /** `milliseconds` below 0 gives back. */
  use(key: string, usage: Usage, milliseconds: number, now: number): void {
    this.#add(key, usage, milliseconds, now)
    if (!this.#isShared) return
    const changes = this.#usedChanged.get(key) ?? {}
    changes[usage] = (changes[usage] ?? 0) + milliseconds
    if (this.#usedChanged.size < this.#mostRows) this.#usedChanged.set(key, changes)
  }

  /** Open connections, here and in other processes. */
  open(key: string): number {
    let count = this.#open.get(key) ?? 0
    for (const elsewhere of this.#openElsewhere.values()) count += elsewhere.get(key) ?? 0
    return count
  }

  opened(key: string, change: 1 | -1): void {
    const count = (this.#open.get(key) ?? 0) + change
    if (count <= 0) this.#open.delete(key)
    else this.#open.set(key, count)
    if (this.#isShared) this.#openChanged.add(key)
  }

  /** What this process did since the last call; at most so many keys of each kind, the rest next time. */
  takeChanges(most: number): UsageChanges {
    const open = first(this.#openChanged, most).map(key => [key, this.#open.get(key) ?? 0] as const)
    const used: (readonly [string, Usage, number])[] = []
    for (const key of first(this.#usedChanged.keys(), most)) {
      for (const usage of USAGES) {
        const milliseconds = this.#usedChanged.get(key)?.[usage]
        if (milliseconds !== undefined && milliseconds !== 0) used.push([key, usage, milliseconds])
      }
      this.#usedChanged.delete(key)
    }
    for (const [key] of open) this.#openChanged.delete(key)
    return { open, used }
  }

  merge(from: number, { open, used }: UsageChanges, now: number): void {
    const elsewhere = this.#openElsewhere.get(from) ?? new Map<string, number>()
    this.#openElsewhere.set(from, elsewhere)
    for (const [key, count] of open) {
      if (count === 0) elsewhere.delete(key)
      else elsewhere.set(key, count)
    }
    for (const [key, usage, milliseconds] of used) this.#add(key, usage, milliseconds, now)
  }

  /** Another process begins anew: none of its connections is left, and it knows nothing of ours. */
  restarted(from: number): void {
    this.#openElsewhere.delete(from)
    for (const key of this.#open.keys()) this.#openChanged.add(key)
  }

  #add(key: string, usage: Usage, milliseconds: number, now: number): void {
    const row = this.#row(key)
    row[usage] = Math.max(row[usage], now) + milliseconds
  }

  #row(key: string): Row {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const row = this.#old.get(key) ?? { connections: 0, messages: 0, recipients: 0, bytes: 0, errors: 0 }
    if (this.#young.size >= this.#mostRows / 2) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#old.delete(key)
    this.#young.set(key, row)
    return row
  }
}

function first(keys: Iterable<string>, most: number): readonly string[] {
  const taken: string[] = []
  for (const key of keys) {
    if (taken.length >= most) break
    taken.push(key)
  }
  return taken
}
