/** Who a holder of one of our certificates is to the policy, without a connection to prove it. */

import type { ClientIdentity, PeerCertificate, TlsParameters } from '../core/names/identity.ts'
import type { HolderRecord } from './admin.ts'

/** What a connection of our own day has. */
export const USUAL_TLS: TlsParameters = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', cipherBits: 256 }

/** What a certificate says, from the base64 of its DER. */
export type ReadCertificate = (base64: string) => PeerCertificate

/** By the certificate that lasts longest among those that count; null if there never was one. */
export function identityOfHolder(holder: HolderRecord, read: ReadCertificate, now: number): ClientIdentity | null {
  const certificates = [...holder.certificates].sort((a, b) => b.notAfter - a.notAfter)
  const chosen = certificates.find(({ revokedAt }) => revokedAt === null) ?? certificates[0]
  if (chosen === undefined) return null
  const certificate = read(chosen.certificate)
  if (chosen.revokedAt !== null) {
    return { kind: 'unverified', tls: USUAL_TLS, certificate, problem: { kind: 'revoked', since: chosen.revokedAt, holder: holder.name } }
  }
  if (chosen.notAfter < now) return { kind: 'unverified', tls: USUAL_TLS, certificate, problem: { kind: 'expired', since: chosen.notAfter } }
  const { name, kind, senders } = holder
  return { kind: 'verified', tls: USUAL_TLS, certificate, holder: { name, kind, senders } }
}
