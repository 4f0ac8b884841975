/**
 * Which passwords count: those of a person or machine that has held a certificate that was not
 * revoked ever since the password was made.
 *
 * So whoever revokes a holder ends the passwords with it, in one act and in one file, and they do not
 * come back when the name is given a new certificate. Expiry ends nothing: it is no judgement on the
 * holder.
 */

export type CertificateSpan = { readonly issuedAt: number; readonly revokedAt: number | null }

/** Since when there has been a live certificate at every moment; null if there is none now. */
export function heldSince(certificates: readonly CertificateSpan[]): number | null {
  const live = certificates.filter(({ revokedAt }) => revokedAt === null)
  if (live.length === 0) return null
  let since = Math.min(...live.map(({ issuedAt }) => issuedAt))
  for (;;) {
    const before = certificates.filter(({ issuedAt, revokedAt }) => issuedAt < since && (revokedAt ?? since) > since)
    if (before.length === 0) return since
    since = Math.min(...before.map(({ issuedAt }) => issuedAt))
  }
}
