/**
 * The public keys of an identity provider, as it publishes them now or has lately.
 *
 * Fetched when a token needs them and those that are here are an hour old, or none of them has the name
 * that the token says: providers change their keys. Never oftener than twice a minute, whatever tokens
 * come: a name can be made up. While they cannot be fetched the old ones count for a day; those that the
 * provider publishes no longer count no longer, also if it publishes none instead.
 */

import type { Result } from '../core/result.ts'
import type { PublicKey } from '../core/tokens/key-set.ts'
import type { System } from './ports.ts'

const FRESH_MILLISECONDS = 3_600_000
const LONGEST_MILLISECONDS = 24 * 3_600_000
const PAUSE_MILLISECONDS = 30_000

/** Fails with what is wrong with the keys that are published now; rejects if nobody knows which those are. */
export type FetchKeys = () => Promise<Result<readonly PublicKey[], Error>>

export class PublishedKeys {
  readonly #fetch: FetchKeys
  readonly #system: Pick<System, 'now'>
  #keys: { readonly keys: readonly PublicKey[]; readonly fetchedAt: number } | null = null
  #triedAt = -Infinity
  #problem: unknown = null
  #fetching: Promise<void> | null = null

  constructor(fetch: FetchKeys, system: Pick<System, 'now'>) {
    this.#fetch = fetch
    this.#system = system
  }

  /** Rejects while there are none, with what was wrong. */
  async current(): Promise<readonly PublicKey[]> {
    if (this.#age() >= FRESH_MILLISECONDS) await this.#renew()
    if (this.#keys === null || this.#age() >= LONGEST_MILLISECONDS) throw this.#problem
    return this.#keys.keys
  }

  /** Keys that have been fetched since `known` were; null if there are none. */
  async newerThan(known: readonly PublicKey[]): Promise<readonly PublicKey[] | null> {
    await this.#renew()
    return this.#keys === null || this.#keys.keys === known ? null : this.#keys.keys
  }

  #age(): number {
    return this.#keys === null ? Infinity : this.#system.now() - this.#keys.fetchedAt
  }

  /** All that wait for keys wait for one answer. */
  async #renew(): Promise<void> {
    if (this.#fetching === null && this.#system.now() - this.#triedAt >= PAUSE_MILLISECONDS) {
      this.#triedAt = this.#system.now()
      this.#fetching = this.#fetchOnce().finally(() => {
        this.#fetching = null
      })
    }
    await this.#fetching
  }

  async #fetchOnce(): Promise<void> {
    try {
      const published = await this.#fetch()
      if (published.ok) {
        this.#keys = { keys: published.value, fetchedAt: this.#system.now() }
      } else {
        this.#keys = null
        this.#problem = published.problem
      }
    } catch (error) {
      this.#problem = error
    }
  }
}
