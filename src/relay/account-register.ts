/**
 * The passwords that count, as a worker holds them, and whose tokens do: found by the name that is
 * typed at a login or that a token holds, and compared again for every live session when they change.
 */

import { foldedLogin, loginNames } from '../core/accounts/password.ts'
import type { PasswordRecord, SiteRecord } from '../core/accounts/password-file.ts'
import type { Account, Holder, PeerCertificate } from '../core/names/identity.ts'
import type { ReadCertificate } from './holder-identity.ts'

/** What the supervisor tells its workers: holders that have passwords which count, or whose tokens do. */
export type Accounts = {
  /** Null if nobody has ever been given a password. */
  readonly site: SiteRecord | null
  readonly holders: readonly AccountRecord[]
}

export type AccountRecord = {
  readonly holder: Holder
  /** The newest certificate: base64 of its DER. */
  readonly certificate: string
  readonly passwords: readonly PasswordRecord[]
  /** Stands for every token of this holder; null: they give nothing. */
  readonly tokenId: string | null
}

export type AccountEntry = Omit<AccountRecord, 'certificate'> & { readonly certificate: PeerCertificate }

/** A password that counted and does not any more, or all tokens of a holder. */
export type LostPassword = { readonly id: string; readonly name: string; readonly what: 'password' | 'token' }

export class AccountRegister {
  readonly #read: ReadCertificate
  #site: SiteRecord | null = null
  #byLogin: ReadonlyMap<string, AccountRecord> = new Map()
  #hasPasswords = false
  /** By id: what may be lost. */
  #owners: ReadonlyMap<string, LostPassword> = new Map()

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
    return this.#hasPasswords
  }

  /** Takes new accounts. Returns what has ended with the old ones. */
  replace(accounts: Accounts | null): readonly LostPassword[] {
    const before = this.#owners
    const records = accounts?.holders ?? []
    this.#site = accounts?.site ?? null
    this.#hasPasswords = records.some(({ passwords }) => passwords.length > 0)
    this.#owners = new Map(records.flatMap(credentialsOf).map(credential => [credential.id, credential]))
    this.#byLogin = byLogin(records)
    return [...before.values()].filter(({ id }) => !this.#owners.has(id))
  }

  /** The certificate is read only now: a site with tokens has many holders, and few of them are here at one time. */
  find(login: string): AccountEntry | null {
    const record = this.#byLogin.get(foldedLogin(login))
    return record === undefined ? null : { ...record, certificate: withoutFingerprints(this.#read(record.certificate)) }
  }

  /** False if the password of this account, or its tokens, count no more. */
  has({ passwordId }: Pick<Account, 'passwordId'>): boolean {
    return this.#owners.has(passwordId)
  }
}

/** What a certificate says of its holder, as far as it is true where nobody shows that certificate. */
export function withoutFingerprints(certificate: PeerCertificate): PeerCertificate {
  return { ...certificate, fingerprint: '', keyFingerprint: '' }
}

/** What a session is told that has logged in with a password. */
export function accountOf({ holder, certificate }: Pick<AccountEntry, 'holder' | 'certificate'>, { device, id }: PasswordRecord): Account {
  return { holder, device, passwordId: id, endsAt: null, certificate }
}

/** What a session is told that has logged in with a token that ends then; null if this holder's tokens give nothing. */
export function accountByToken({ holder, certificate, tokenId }: AccountEntry, endsAt: number | null): Account | null {
  return tokenId === null ? null : { holder, device: null, passwordId: tokenId, endsAt, certificate }
}

function credentialsOf({ holder: { name }, passwords, tokenId }: AccountRecord): readonly LostPassword[] {
  return [
    ...passwords.map(({ id }) => ({ id, name, what: 'password' }) as const),
    ...(tokenId === null ? [] : [{ id: tokenId, name, what: 'token' } as const]),
  ]
}

/** A name of one's own comes before an address; an address that two share is nobody's to log in with. */
function byLogin(entries: readonly AccountRecord[]): ReadonlyMap<string, AccountRecord> {
  const found = new Map<string, AccountRecord | null>()
  for (const entry of entries) {
    for (const login of loginNames(entry.holder).slice(1)) found.set(login, found.has(login) ? null : entry)
  }
  for (const entry of entries) found.set(foldedLogin(entry.holder.name), entry)
  return new Map([...found].flatMap(([login, entry]) => (entry === null ? [] : [[login, entry] as const])))
}
