/**
 * Our own index of certificates, as a worker holds it: fresher than any CRL (S9), asked at each
 * handshake and again for every live session when it changes.
 */

import type { ClientIdentity, Holder } from '../core/names/identity.ts'
import type { CertificateIndex } from './admin.ts'

export type Revocation = { readonly name: string; readonly revokedAt: number }

export class CertificateRegister {
  #live: ReadonlyMap<string, Holder> = new Map()
  #revoked: ReadonlyMap<string, Revocation> = new Map()

  constructor(index: CertificateIndex) {
    this.replace(index)
  }

  /** By fingerprint: the holder of each certificate that counts. */
  get live(): ReadonlyMap<string, Holder> {
    return this.#live
  }

  /** By fingerprint: each certificate that no longer counts. */
  get revoked(): ReadonlyMap<string, Revocation> {
    return this.#revoked
  }

  /** Takes a new index. Returns the revocations that it brings. */
  replace(index: CertificateIndex): ReadonlyMap<string, Revocation> {
    const before = this.#revoked
    this.#live = new Map(index.live.map(({ fingerprint, name, kind, senders }) => [fingerprint, { name, kind, senders }]))
    this.#revoked = new Map(index.revoked.map(({ fingerprint, name, revokedAt }) => [fingerprint, { name, revokedAt }]))
    return new Map([...this.#revoked].filter(([fingerprint]) => !before.has(fingerprint)))
  }

  /** The identity that is left of one whose certificate has been revoked since; null if nothing changed. */
  withoutRevoked(identity: ClientIdentity): ClientIdentity | null {
    if (identity.kind !== 'verified') return null
    const revocation = this.#revoked.get(identity.certificate.fingerprint)
    if (revocation === undefined) return null
    const problem = { kind: 'revoked', since: revocation.revokedAt, holder: revocation.name } as const
    return { kind: 'unverified', tls: identity.tls, certificate: identity.certificate, problem }
  }
}
