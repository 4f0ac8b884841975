/** Who a client may be, for tests that need somebody and do not care how they came to be that. */

import type { ClientIdentity, Holder, PeerCertificate, TlsParameters } from '../../src/core/names/identity.ts'

export const tls: TlsParameters = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', cipherBits: 256 }

/** As our own CA would issue it, for a name in access-map form. */
export function certificateNamed(commonName: string, changes: Partial<PeerCertificate> = {}): PeerCertificate {
  return {
    subject: `/O=Example/CN=${commonName}`,
    issuer: '/O=Example/CN=Example+20CA',
    cnSubject: commonName,
    cnIssuer: 'Example+20CA',
    fingerprint: 'f'.repeat(64),
    keyFingerprint: 'e'.repeat(64),
    serial: '2a',
    notBefore: Date.UTC(2026, 0, 1),
    notAfter: Date.UTC(2027, 0, 1),
    addresses: [],
    dnsNames: [],
    uris: [],
    ...changes,
  }
}

export function verifiedAs(holder: Holder | null, certificate: PeerCertificate): ClientIdentity {
  return { kind: 'verified', tls, certificate, holder }
}
