/**
 * From a password to what is kept of it: salts, an argon2id hash, SCRAM keys (RFC 5802 §3).
 *
 * Every salt is made of the site's secret and the name that is typed at a login, so that there is one
 * for names that nobody has.
 */

import { foldedLogin } from '../core/accounts/password.ts'
import type { PasswordRecord, SiteRecord } from '../core/accounts/password-file.ts'
import type { ScramHash } from '../core/sasl/script.ts'
import type { PasswordCrypto } from './ports.ts'

/** The salt of PLAIN and LOGIN, which no client is ever told. */
export function hashPassword(crypto: PasswordCrypto, site: SiteRecord, name: string, password: string): Promise<Uint8Array> {
  return crypto.argon2id(password, saltFor(crypto, site, 'argon2id', name), site.argon2id)
}

/** What a SCRAM client is told for a name. */
export function scramSalt(crypto: PasswordCrypto, site: SiteRecord, hash: ScramHash, login: string): Uint8Array {
  return saltFor(crypto, site, hash, login)
}

export async function deriveScramKeys(
  crypto: PasswordCrypto,
  site: SiteRecord,
  { hash, login, password }: { readonly hash: ScramHash; readonly login: string; readonly password: string },
): Promise<PasswordRecord['scram'][number]> {
  const salted = await crypto.pbkdf2(hash, password, scramSalt(crypto, site, hash, login), site.scramIterations)
  const clientKey = crypto.hmac(hash, salted, 'Client Key')
  return {
    hash,
    login: foldedLogin(login),
    storedKey: crypto.toBase64(crypto.digest(hash, clientKey)),
    serverKey: crypto.toBase64(crypto.hmac(hash, salted, 'Server Key')),
  }
}

/** RFC 5802 §3: the proof is the client's key under a signature that only who knows StoredKey can make. */
export function checkProof(
  crypto: PasswordCrypto,
  hash: ScramHash,
  keys: { readonly storedKey: string; readonly serverKey: string },
  { authMessage, proof }: { readonly authMessage: string; readonly proof: Uint8Array },
): { readonly isRight: boolean; readonly serverSignature: string } {
  const storedKey = crypto.fromBase64(keys.storedKey)
  const clientSignature = crypto.hmac(hash, storedKey, authMessage)
  const clientKey = clientSignature.map((octet, at) => octet ^ (proof[at] ?? 0))
  const isRight = proof.length === clientSignature.length && crypto.isSame(crypto.digest(hash, clientKey), storedKey)
  return { isRight, serverSignature: crypto.toBase64(crypto.hmac(hash, crypto.fromBase64(keys.serverKey), authMessage)) }
}

/** Keys that no password has, for a name that nobody has: the same work, and never right. */
export function nobodysKeys(crypto: PasswordCrypto, site: SiteRecord, login: string): { readonly storedKey: string; readonly serverKey: string } {
  const storedKey = crypto.toBase64(saltFor(crypto, site, 'nobody', login))
  return { storedKey, serverKey: storedKey }
}

function saltFor(crypto: PasswordCrypto, site: SiteRecord, purpose: string, login: string): Uint8Array {
  return crypto.hmac('SHA-256', crypto.fromBase64(site.secret), `${purpose}\0${foldedLogin(login)}`)
}
