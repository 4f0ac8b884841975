/** A worker's part in logins with passwords and tokens: who has one, and the desk that looks at them. */

import type { Config } from '../core/config/schema.ts'
import { LoginBackOff } from '../core/limits/login-backoff.ts'
import { isListed } from '../core/peers/peer-list.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import { PASSWORD_MECHANISMS, type LoginSettings } from '../core/sasl/mechanisms.ts'
import { createPasswordCrypto } from '../io/password-crypto.ts'
import { system } from '../io/system.ts'
import { timers } from '../io/timers.ts'
import type { AccountRegister } from '../relay/account-register.ts'
import { LoginDesk, type LoginObserver } from '../relay/login-desk.ts'
import type { TokenFiles } from './messages.ts'
import { tokensFromConfig, type Tokens } from './tokens-from-config.ts'

/** Names and networks whose failures are remembered, each. */
const REMEMBERED = 20_000

export class WorkerLogins {
  readonly accounts: AccountRegister
  readonly desk: LoginDesk
  readonly #backOff: LoginBackOff
  #exempt: Config['limits']['exempt']
  #tokens: Tokens

  constructor(config: Config, accounts: AccountRegister, files: { readonly tokens: TokenFiles | null }, observer: LoginObserver) {
    const crypto = createPasswordCrypto()
    this.#tokens = tokensFromConfig(config.oauth, files.tokens)
    this.accounts = accounts
    this.#backOff = new LoginBackOff(config.limits.loginFailureRate, REMEMBERED)
    this.#exempt = config.limits.exempt
    const isExempt = (address: string): boolean => isListed(address, this.#exempt)
    const tokens = { verify: (token: string) => this.#tokens.checks.verify(token) }
    this.desk = new LoginDesk({ crypto, register: this.accounts, tokens, backOff: this.#backOff, isExempt, observer, system, timers })
  }

  /** What was found out about tokens by the old settings is forgotten. */
  reconfigure(config: Config, files: { readonly tokens: TokenFiles | null }): void {
    const before = this.#tokens
    this.#tokens = tokensFromConfig(config.oauth, files.tokens)
    before.close()
    this.#backOff.reconfigure(config.limits.loginFailureRate)
    this.#exempt = config.limits.exempt
  }

  /** What a listener offers now: passwords only if somebody has one, and tokens in their place or beside them. */
  offered({ listeners, passwords, oauth }: Config, listener: ListenerName): LoginSettings {
    const { authentication } = listeners[listener]
    const byPassword = authentication !== 'certificate' && this.accounts.isUsed
    const byToken = authentication !== 'certificate' && oauth !== null
    return {
      rule: authentication,
      byPassword: byPassword ? PASSWORD_MECHANISMS.filter(mechanism => passwords.mechanisms.includes(mechanism)) : [],
      byToken: byToken ? { scope: oauth.terms.scopes.join(' '), openidConfiguration: oauth.openidConfiguration } : null,
    }
  }
}
