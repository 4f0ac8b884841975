/**
 * Keeps an authority running. Mail goes on without it; only issuing and revoking wait for it.
 *
 * One that ends by itself is started again, with longer and longer waits while it cannot work.
 */

import type { Config } from '../core/config/schema.ts'
import type { AuthorityRequest } from '../relay/admin.ts'
import type { AuthorityResult } from '../relay/authority.ts'
import type { Log } from '../relay/ports.ts'
import { startAuthority, type AuthorityProcess, type AuthorityStarted } from './authority-process.ts'
import { readPassphrase } from './passphrase.ts'

const FIRST_DELAY_MILLISECONDS = 1000
const LONGEST_DELAY_MILLISECONDS = 60_000

type KeeperOptions = {
  readonly start: () => Promise<AuthorityStarted>
  /** Another one works in its place. What the one before has done last may have been told to nobody. */
  readonly onBack: () => Promise<void>
  readonly log: Log
}

export class AuthorityKeeper {
  readonly #options: KeeperOptions
  #authority: AuthorityProcess
  #delay = FIRST_DELAY_MILLISECONDS
  #waiting: NodeJS.Timeout | null = null
  #stopped = false

  constructor(authority: AuthorityProcess, options: KeeperOptions) {
    this.#authority = authority
    this.#options = options
  }

  get pid(): number | null {
    return this.#authority.pid
  }

  ask(request: AuthorityRequest): Promise<AuthorityResult> {
    return this.#authority.ask(request)
  }

  /** From now on it is started again when it ends. */
  watch(): void {
    this.#authority.onCrash(how => {
      this.#options.log.error({ event: 'authority-crashed', how })
      this.#startLater()
    })
  }

  stop(): void {
    this.#stopped = true
    if (this.#waiting !== null) clearTimeout(this.#waiting)
    this.#authority.stop()
  }

  #startLater(): void {
    this.#waiting = setTimeout(() => void this.#startAgain(), this.#delay)
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY_MILLISECONDS)
  }

  async #startAgain(): Promise<void> {
    const started = await this.#options.start()
    if (this.#stopped) return started.ok ? started.authority.stop() : undefined
    if (!started.ok) {
      this.#options.log.error({ event: 'authority-cannot-start', problem: started.problem, againInMilliseconds: this.#delay })
      return this.#startLater()
    }
    this.#authority = started.authority
    this.#delay = FIRST_DELAY_MILLISECONDS
    this.watch()
    this.#options.log.info({ event: 'authority-back', authority: this.pid })
    await this.#options.onBack()
  }
}

/** Each time with the passphrase that the settings name then. */
export async function startAuthorityOf(directory: string, { ca }: Config): Promise<AuthorityStarted> {
  const passphrase = readPassphrase(directory, ca.passphraseFile)
  if (!passphrase.ok) return passphrase
  try {
    return await startAuthority(directory, passphrase.value)
  } catch (error) {
    return { ok: false, problem: (error as Error).message }
  }
}
