/**
 * The passwords that count, as a worker holds them: found by the name that is typed at a login, and
 * compared again for every live session when they change.
 */

import { foldedLogin, loginNames } from '../core/accounts/password.ts'
import type { PasswordRecord, SiteRecord } from '../core/accounts/password-file.ts'
import type { Account, Holder, PeerCertificate } from '../core/names/identity.ts'
import type { ReadCertificate } from './holder-identity.ts'

/** What the supervisor tells its workers: holders that have passwords which count. */
export type Accounts = {
  readonly site: SiteRecord
  readonly holders: readonly {
    readonly holder: Holder
    /** The newest certificate: base64 of its DER. */
    readonly certificate: string
    readonly passwords: readonly PasswordRecord[]
  }[]
}

export type AccountEntry = { readonly holder: Holder; readonly certificate: PeerCertificate; readonly passwords: readonly PasswordRecord[] }

/** A password that counted and does not any more. */
export type LostPassword = { readonly id: string; readonly name: string }

export class AccountRegister {
  readonly #read: ReadCertificate
  #site: SiteRecord | null = null
  #byLogin: ReadonlyMap<string, AccountEntry> = new Map()
  #owners: ReadonlyMap<string, string> = new Map()

  constructor(accounts: Accounts | null, read: ReadCertificate) {
    this.#read = read
    this.replace(accounts)
  }

  /** Null if nobody has ever been given a password. */
  get site(): SiteRecord | null {
    return this.#site
  }

  /** Somebody may log in with a password. */
  get isUsed(): boolean {
    return this.#owners.size > 0
  }

  /** Takes new accounts. Returns the passwords that have ended with the old ones. */
  replace(accounts: Accounts | null): readonly LostPassword[] {
    const before = this.#owners
    const entries = (accounts?.holders ?? []).map(({ holder, certificate, passwords }) => ({ holder, certificate: withoutFingerprints(this.#read(certificate)), passwords }))
    this.#site = accounts?.site ?? null
    this.#owners = new Map(entries.flatMap(({ holder, passwords }) => passwords.map(({ id }) => [id, holder.name] as const)))
    this.#byLogin = byLogin(entries)
    return [...before].flatMap(([id, name]) => (this.#owners.has(id) ? [] : [{ id, name }]))
  }

  find(login: string): AccountEntry | null {
    return this.#byLogin.get(foldedLogin(login)) ?? null
  }

  /** False if the password of this account counts no more. */
  has({ passwordId }: Account): boolean {
    return this.#owners.has(passwordId)
  }
}

/** What a certificate says of its holder, as far as it is true where nobody shows that certificate. */
export function withoutFingerprints(certificate: PeerCertificate): PeerCertificate {
  return { ...certificate, fingerprint: '', keyFingerprint: '' }
}

/** What a session is told that has logged in with a password. */
export function accountOf({ holder, certificate }: Pick<AccountEntry, 'holder' | 'certificate'>, { device, id }: PasswordRecord): Account {
  return { holder, device, passwordId: id, certificate }
}

/** A name of one's own comes before an address; an address that two share is nobody's to log in with. */
function byLogin(entries: readonly AccountEntry[]): ReadonlyMap<string, AccountEntry> {
  const found = new Map<string, AccountEntry | null>()
  for (const entry of entries) {
    for (const login of loginNames(entry.holder).slice(1)) found.set(login, found.has(login) ? null : entry)
  }
  for (const entry of entries) found.set(foldedLogin(entry.holder.name), entry)
  return new Map([...found].flatMap(([login, entry]) => (entry === null ? [] : [[login, entry] as const])))
}
