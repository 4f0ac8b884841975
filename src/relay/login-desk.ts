/**
 * Looks at what clients log in with, and answers the scripts of SASL mechanisms.
 *
 * A name that nobody has is treated as one that somebody has: the same salt each time, the same work,
 * the same reply (S16). Why a login failed is for the log alone, one line each. Failures make those
 * that follow wait (login-backoff.ts).
 */

import { foldedLogin, preparedPassword } from '../core/accounts/password.ts'
import type { PasswordRecord, SiteRecord } from '../core/accounts/password-file.ts'
import { countsFrom } from '../core/accounts/password-networks.ts'
import { networkBlock } from '../core/limits/client-blocks.ts'
import type { LoginBackOff } from '../core/limits/login-backoff.ts'
import type { Account } from '../core/names/identity.ts'
import type { Asker } from '../core/policy/decision.ts'
import { unreachable } from '../core/result.ts'
import { isOneOfNames } from '../core/sasl/acting-as.ts'
import type { TokenVerdict } from '../core/tokens/claims.ts'
import type { BindingType, CredentialAnswer, CredentialQuestion, LoginAttempt, LoginFailure } from '../core/sasl/script.ts'
import { accountByToken, accountOf } from './account-register.ts'
import type { AccountEntry, AccountRegister } from './account-register.ts'
import { checkProof, hashPassword, nobodysKeys, scramSalt } from './password-keys.ts'
import { TooBusy } from './ports.ts'
import type { PasswordCrypto, System, Timers, TokenVerifier } from './ports.ts'

/** Who is logging in, as the connection knows it. */
export type LoginClient = {
  readonly sessionId: string
  /** By which a failure is explained. */
  readonly id: string
  readonly asker: Asker
  readonly address: string
  bindingOf(type: BindingType): Uint8Array | null
}

export type LoginObserver = {
  loggedIn(sessionId: string, address: string, attempt: LoginAttempt, account: Account): void
  loginFailed(client: Pick<LoginClient, 'sessionId' | 'id' | 'asker'>, attempt: LoginAttempt, why: LoginFailure): void
}

export type LoginDeskParts = {
  readonly crypto: PasswordCrypto
  readonly register: AccountRegister
  readonly tokens: TokenVerifier
  readonly backOff: LoginBackOff
  /** Clients that no back-off is for. */
  isExempt(address: string): boolean
  readonly observer: LoginObserver
  readonly system: System
  readonly timers: Timers
}

type Question<Kind extends CredentialQuestion['kind']> = Extract<CredentialQuestion, { kind: Kind }>

export class LoginDesk {
  readonly #parts: LoginDeskParts

  constructor(parts: LoginDeskParts) {
    this.#parts = parts
  }

  /** Rejects if something is broken here; then nobody is logged in. */
  async answer(question: CredentialQuestion, client: LoginClient): Promise<CredentialAnswer> {
    if (question.kind === 'checkToken') return this.#checkToken(question, client)
    if (question.kind === 'noteMismatch') return this.#told(question.attempt, client, 'wrongIdentity', 'notAllowed')
    const { site } = this.#parts.register
    // The last password may be taken away between EHLO and AUTH.
    if (site === null) return this.#told(question.attempt, client, 'unavailable', 'unavailable')
    switch (question.kind) {
      case 'checkPassword':
        return this.#checkPassword(site, question, client)
      case 'startScram':
        return this.#refuseIfShut(question.attempt, client) ?? this.#startScram(site, question, client)
      case 'checkProof':
        return this.#inTurn(question.attempt, client, { waited: 0 }, () => this.#checkProof(site, question, client))
      case 'noteFailure':
        return this.#refuseIfShut(question.attempt, client) ?? this.#fail(question.attempt, client, question.why)
      default:
        return unreachable(question)
    }
  }

  /**
   * Looks at an attempt when its turn has come. Others may fail while it waits: their failures count for it
   * too, so that attempts side by side are looked at no oftener than one after the other. Between the last
   * question about the turn and `look` nothing else may run.
   */
  async #inTurn<T>(attempt: LoginAttempt, client: LoginClient, patience: { waited: number }, look: () => T): Promise<T | CredentialAnswer> {
    const { backOff, isExempt, system, timers } = this.#parts
    while (!isExempt(client.address)) {
      const refusal = this.#refuseIfShut(attempt, client)
      if (refusal !== null) return refusal
      const rest = backOff.delayMilliseconds(this.#keyOf(attempt), networkBlock(client.address), system.now()) - patience.waited
      if (rest <= 0) break
      patience.waited += rest
      await new Promise<void>(resolve => timers.after(rest, resolve))
    }
    return look()
  }

  #refuseIfShut(attempt: LoginAttempt, client: LoginClient): CredentialAnswer | null {
    const { address } = client
    const { backOff, isExempt, system } = this.#parts
    if (isExempt(address) || !backOff.isShut(networkBlock(address), system.now())) return null
    return this.#told(attempt, client, 'tooManyFailures', 'tooMany')
  }

  #told(attempt: LoginAttempt, client: LoginClient, why: LoginFailure, problem: Extract<CredentialAnswer, { kind: 'failed' }>['problem']): CredentialAnswer {
    this.#parts.observer.loginFailed(client, attempt, why)
    return { kind: 'failed', problem }
  }

  async #checkPassword(site: SiteRecord, { attempt, password }: Question<'checkPassword'>, client: LoginClient): Promise<CredentialAnswer> {
    const { crypto, register } = this.#parts
    const patience = { waited: 0 }
    const tooEarly = await this.#inTurn(attempt, client, patience, () => null)
    if (tooEarly !== null) return tooEarly
    const hash = await this.#unlessBusy(attempt, client, () =>
      hashPassword(crypto, site, register.find(attempt.login)?.holder.name ?? attempt.login, preparedPassword(password)),
    )
    if (hash === null) return { kind: 'failed', problem: 'unavailable' }
    return this.#inTurn(attempt, client, patience, () => {
      // Looked up only now: a password that was taken away meanwhile does not count.
      const entry = register.find(attempt.login)
      const matching = (entry?.passwords ?? []).filter(({ argon2id }) => crypto.isSame(crypto.fromBase64(argon2id), hash))
      return this.#conclude(attempt, client, entry, matching, '')
    })
  }

  async #checkToken({ attempt, token }: Question<'checkToken'>, client: LoginClient): Promise<CredentialAnswer> {
    const patience = { waited: 0 }
    const tooEarly = await this.#inTurn(attempt, client, patience, () => null)
    if (tooEarly !== null) return tooEarly
    const verdict = await this.#unlessBusy(attempt, client, () => this.#parts.tokens.verify(token))
    if (verdict === null) return { kind: 'failed', problem: 'unavailable' }
    return this.#inTurn(attempt, client, patience, () => this.#concludeToken(attempt, client, verdict))
  }

  /** Whoever is not ours, or no longer, is told the same as with a wrong token. */
  #concludeToken(attempt: LoginAttempt, client: LoginClient, verdict: TokenVerdict): CredentialAnswer {
    if (verdict.kind === 'refused') return this.#fail(attempt, client, verdict.why)
    const { user, isExact, until } = verdict
    // It has waited for its turn, and so has what is known of it.
    if (until !== null && until <= this.#parts.system.now()) return this.#fail(attempt, client, 'expiredToken')
    const entry = this.#parts.register.find(user)
    const isTheirs = entry !== null && (!isExact || [entry.holder.name, ...entry.holder.senders].includes(user))
    const account = isTheirs ? accountByToken(entry, until) : null
    // Nothing of a token goes into the log, but for the name of whom an issuer vouches for and nobody here knows:
    // under that name an account is missing, whatever the client calls itself.
    if (account === null) return this.#fail({ ...attempt, login: user }, client, 'unknownUser')
    const { name, senders } = account.holder
    // RFC 7628 §3.1: as itself, under any of its names. What the client calls itself proves nothing.
    if (attempt.wanted !== '' && !isOneOfNames(attempt.wanted, [name, ...senders])) return this.#fail(attempt, client, 'wrongIdentity')
    this.#parts.observer.loggedIn(client.sessionId, client.address, attempt, account)
    return { kind: 'loggedIn', account, serverSignature: '' }
  }

  /** Null if too many are looked at already. That is no failure of the client's. */
  async #unlessBusy<Value>(attempt: LoginAttempt, client: LoginClient, look: () => Promise<Value>): Promise<Value | null> {
    try {
      return await look()
    } catch (error) {
      if (!(error instanceof TooBusy)) throw error
      this.#parts.observer.loginFailed(client, attempt, 'tooBusy')
      return null
    }
  }

  #startScram(site: SiteRecord, { attempt, hash, binding }: Question<'startScram'>, client: LoginClient): CredentialAnswer {
    const { crypto } = this.#parts
    const start = {
      nonce: crypto.toBase64(crypto.random(NONCE_OCTETS)),
      salt: crypto.toBase64(scramSalt(crypto, site, hash, attempt.login)),
      iterations: site.scramIterations,
      bindingData: binding === null ? null : client.bindingOf(binding),
    }
    return { kind: 'scramStarted', start }
  }

  #checkProof(site: SiteRecord, question: Question<'checkProof'>, client: LoginClient): CredentialAnswer {
    const { crypto, register } = this.#parts
    const { attempt, hash } = question
    const login = foldedLogin(attempt.login)
    const entry = register.find(login)
    const known = (entry?.passwords ?? []).flatMap(password =>
      password.scram.filter(keys => keys.hash === hash && keys.login === login).map(keys => ({ password, keys })),
    )
    if (known.length === 0) checkProof(crypto, hash, nobodysKeys(crypto, site, login), question)
    const right = known.flatMap(({ password, keys }) => {
      const { isRight, serverSignature } = checkProof(crypto, hash, keys, question)
      return isRight ? [{ password, serverSignature }] : []
    })
    return this.#conclude(attempt, client, entry, right.map(({ password }) => password), right[0]?.serverSignature ?? '')
  }

  /** `matching` are the passwords that the client has shown to know. */
  #conclude(
    attempt: LoginAttempt,
    client: LoginClient,
    entry: AccountEntry | null,
    matching: readonly PasswordRecord[],
    serverSignature: string,
  ): CredentialAnswer {
    if (entry === null) return this.#fail(attempt, client, 'unknownUser')
    if (matching.length === 0) return this.#fail(attempt, client, 'wrongPassword')
    const password = matching.find(password => countsFrom(password, client.address))
    if (password === undefined) return this.#fail(attempt, client, 'wrongNetwork')
    const { holder } = entry
    // RFC 4616 §2, RFC 5802 §5.1: as itself, under any of its names.
    if (attempt.wanted !== '' && !isOneOfNames(attempt.wanted, [attempt.login, holder.name, ...holder.senders])) {
      return this.#fail(attempt, client, 'wrongIdentity')
    }
    const account = accountOf(entry, password)
    this.#parts.observer.loggedIn(client.sessionId, client.address, attempt, account)
    return { kind: 'loggedIn', account, serverSignature }
  }

  #fail(attempt: LoginAttempt, client: LoginClient, why: LoginFailure): CredentialAnswer {
    const { backOff, system } = this.#parts
    backOff.failed(this.#keyOf(attempt), networkBlock(client.address), system.now())
    return this.#told(attempt, client, why, 'refused')
  }

  /**
   * What the back-off remembers of a name: of the one that was typed, since one count for two names would say
   * that they are one account's; and a digest, since a stranger can type thousands of names of thousands of octets.
   */
  #keyOf({ login }: LoginAttempt): string {
    const { crypto } = this.#parts
    return login === '' ? '' : crypto.toBase64(crypto.digest('SHA-256', Buffer.from(foldedLogin(login))))
  }
}

/** RFC 5802 §5.1 asks for enough randomness that no exchange is like another. */
const NONCE_OCTETS = 18
