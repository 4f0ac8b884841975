/**
 * Bounds what checking tokens may cost: so many at one time, and a good one only once in a while.
 *
 * Only good tokens are remembered, by their digest, for a short time that never goes past their own
 * end: what was refused may be good a moment later, and what is withdrawn must not stay good for long.
 */

import type { TokenVerdict } from '../core/tokens/claims.ts'
import { TooBusy } from './ports.ts'
import type { PasswordCrypto, System, TokenVerifier } from './ports.ts'

/** Checks under way, each for a login that waits for it. */
const AT_ONE_TIME = 32
const REMEMBERED = 1_000
const REMEMBERED_MILLISECONDS = 30_000

type Remembered = { readonly verdict: TokenVerdict; readonly until: number }

export class TokenChecks implements TokenVerifier {
  readonly #verifier: TokenVerifier
  readonly #crypto: Pick<PasswordCrypto, 'digest' | 'toBase64'>
  readonly #system: Pick<System, 'now'>
  readonly #known = new Map<string, Remembered>()
  #underWay = 0

  constructor(verifier: TokenVerifier, crypto: Pick<PasswordCrypto, 'digest' | 'toBase64'>, system: Pick<System, 'now'>) {
    this.#verifier = verifier
    this.#crypto = crypto
    this.#system = system
  }

  async verify(token: string): Promise<TokenVerdict> {
    const key = this.#crypto.toBase64(this.#crypto.digest('SHA-256', Buffer.from(token, 'latin1')))
    const known = this.#known.get(key)
    if (known !== undefined && known.until > this.#system.now()) return known.verdict
    if (this.#underWay >= AT_ONE_TIME) throw new TooBusy('too many tokens are being checked')
    this.#underWay++
    try {
      const verdict = await this.#verifier.verify(token)
      if (verdict.kind === 'valid') this.#remember(key, verdict, verdict.until ?? Infinity)
      return verdict
    } finally {
      this.#underWay--
    }
  }

  /** The one that was checked first makes room. */
  #remember(key: string, verdict: TokenVerdict, end: number): void {
    this.#known.delete(key)
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && this.#known.size >= REMEMBERED) this.#known.delete(oldest)
    this.#known.set(key, { verdict, until: Math.min(end, this.#system.now() + REMEMBERED_MILLISECONDS) })
  }
}
