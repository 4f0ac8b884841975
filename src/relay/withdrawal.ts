/**
 * What a worker does about credentials that count no more: the certificates and passwords that have
 * just been taken away, and what was done on the strength of them.
 */

import type { Origin } from '../core/message/envelope.ts'
import type { Account, ClientIdentity } from '../core/names/identity.ts'
import type { AccountRegister, LostPassword } from './account-register.ts'
import type { CertificateRegister, Revocation } from './certificate-register.ts'

export type Withdrawn = { readonly certificates: ReadonlyMap<string, Revocation>; readonly passwords: readonly LostPassword[] }

/** What is left to a session; null if it has lost nothing. */
export function identityLeft(
  { certificates, accounts }: { readonly certificates: CertificateRegister; readonly accounts: AccountRegister },
  identity: ClientIdentity,
  account: Account | null,
): ClientIdentity | null {
  const left = certificates.withoutRevoked(identity)
  if (left !== null) return left
  return account !== null && !accounts.has(account) ? identity : null
}

/** Why a queued message must be held; null if it need not be. */
export function whyWithdrawn({ certificates, passwords }: Withdrawn): (origin: Origin) => string | null {
  const byId = new Map(passwords.map(password => [password.id, password]))
  return ({ fingerprint, passwordId }) => {
    const revocation = fingerprint === null ? undefined : certificates.get(fingerprint)
    if (revocation !== undefined) return `the certificate of ${revocation.name} was revoked after this message was accepted`
    const lost = passwordId === null ? undefined : byId.get(passwordId)
    if (lost === undefined) return null
    if (lost.what === 'token') return `tokens of ${lost.name} were taken no longer after this message was accepted with one`
    return `the password of ${lost.name} was taken away after this message was accepted`
  }
}
