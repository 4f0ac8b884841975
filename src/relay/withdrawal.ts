/**
 * What a worker does about credentials that count no more, certificates and passwords: what is left to the
 * sessions they opened, and which messages that came in under them must stay.
 */

import type { QueuedMessage } from '../core/message/envelope.ts'
import type { Account, ClientIdentity } from '../core/names/identity.ts'
import type { AccountRegister } from './account-register.ts'
import type { CertificateRegister } from './certificate-register.ts'
import { isTokenId } from './password-admin.ts'

export type Registers = { readonly certificates: CertificateRegister; readonly accounts: AccountRegister }

/** What is left to a session; null if it has lost nothing. */
export function identityLeft(
  { certificates, accounts }: Registers,
  identity: ClientIdentity,
  account: Account | null,
): ClientIdentity | null {
  const left = certificates.withoutRevoked(identity)
  if (left !== null) return left
  return account !== null && !accounts.has(account) ? identity : null
}

/** Why a message may not go on its way; null if it may. */
export type Withdrawal = (message: Pick<QueuedMessage, 'origin' | 'isSpared'>) => string | null

/**
 * By what counts now, whenever it was taken away: also while no worker was there to see it, or while the
 * message was under way.
 */
export function withdrawalBy({ certificates, accounts }: Registers): Withdrawal {
  return ({ origin: { fingerprint, passwordId, holder }, isSpared }) => {
    if (isSpared) return null
    const revocation = fingerprint === null ? undefined : certificates.revoked.get(fingerprint)
    if (revocation !== undefined) return `the certificate of ${revocation.name} was revoked after this message was accepted`
    if (passwordId === null || accounts.has({ passwordId })) return null
    if (isTokenId(passwordId)) return `tokens of ${holder} were taken no longer after this message was accepted with one`
    return `the password of ${holder} was taken away after this message was accepted`
  }
}
