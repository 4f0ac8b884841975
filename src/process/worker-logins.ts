/** A worker's part in logins with passwords: who has one, and the desk that looks at them. */

import type { Config } from '../core/config/schema.ts'
import { LoginBackOff } from '../core/limits/login-backoff.ts'
import { isListed } from '../core/peers/peer-list.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import { PASSWORD_MECHANISMS, type LoginSettings } from '../core/sasl/mechanisms.ts'
import { createPasswordCrypto } from '../io/password-crypto.ts'
import { system } from '../io/system.ts'
import { timers } from '../io/timers.ts'
import { peerCertificateOf } from '../io/x509.ts'
import { AccountRegister, type Accounts } from '../relay/account-register.ts'
import { LoginDesk, type LoginObserver } from '../relay/login-desk.ts'

/** Names and networks whose failures are remembered, each. */
const REMEMBERED = 20_000

export class WorkerLogins {
  readonly accounts: AccountRegister
  readonly desk: LoginDesk
  readonly #backOff: LoginBackOff
  #exempt: Config['limits']['exempt']

  constructor(config: Config, accounts: Accounts | null, observer: LoginObserver) {
    this.accounts = new AccountRegister(accounts, peerCertificateOf)
    this.#backOff = new LoginBackOff(config.limits.loginFailureRate, REMEMBERED)
    this.#exempt = config.limits.exempt
    const isExempt = (address: string): boolean => isListed(address, this.#exempt)
    this.desk = new LoginDesk({ crypto: createPasswordCrypto(), register: this.accounts, backOff: this.#backOff, isExempt, observer, system, timers })
  }

  reconfigure(config: Config): void {
    this.#backOff.reconfigure(config.limits.loginFailureRate)
    this.#exempt = config.limits.exempt
  }

  /** What a listener offers now: passwords only if somebody has one. */
  offered({ listeners, passwords }: Config, listener: ListenerName): LoginSettings {
    const { authentication } = listeners[listener]
    const byPassword = authentication !== 'certificate' && this.accounts.isUsed
    return {
      rule: authentication,
      byCertificate: authentication !== 'password',
      byPassword: byPassword ? PASSWORD_MECHANISMS.filter(mechanism => passwords.mechanisms.includes(mechanism)) : [],
    }
  }
}
