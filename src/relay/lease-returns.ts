/** Leases that go back to the spool: untried, to be claimed again, or to stay there until an administrator lets them go. */

import { holdMessage } from './queue-admin.ts'
import type { SettlerHost } from './settler.ts'

export class LeaseReturns {
  readonly #host: SettlerHost
  readonly #underWay = new Set<Promise<void>>()

  constructor(host: SettlerHost) {
    this.#host = host
  }

  /** Rejects never. */
  giveBack(id: string): Promise<void> {
    return this.#follow(this.#host.spool.giveBack(id))
  }

  /** Rejects never. One that is claimed again meanwhile is not held: whoever claims it asks again. */
  hold(id: string, because: string): Promise<void> {
    return this.#follow(this.#hold(id, because))
  }

  /** Resolves when all that was going back is there. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  async #hold(id: string, because: string): Promise<void> {
    const { spool, history, system, observer } = this.#host
    await spool.giveBack(id)
    if (await holdMessage({ spool, history }, id, because, system.now())) observer.held(id, because)
  }

  #follow(done: Promise<void>): Promise<void> {
    const followed = done
      .catch((error: unknown) => this.#host.observer.failed('giving back', error))
      .finally(() => this.#underWay.delete(followed))
    this.#underWay.add(followed)
    return followed
  }
}
