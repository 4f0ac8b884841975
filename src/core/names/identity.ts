/**
 * What a connection has proved about who is calling.
 *
 * Everything here is fact, established anew on each connection. A name typed after EHLO proves
 * nothing and is not here. Names of certificates are in access-map form (distinguished-name.ts).
 */

/** The parameters of an established TLS connection. */
export type TlsParameters = {
  /** As the TLS library spells it: `TLSv1.3`, `TLSv1.2`. */
  readonly version: string
  /** The suite's OpenSSL name: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string
  /** Effective key bits of the suite: 128, 256. */
  readonly cipherBits: number
}

/** What a peer's certificate says. */
export type PeerCertificate = {
  /** Whole subject and issuer names in access-map form, e.g. `/C=US/O=Example/CN=Joe+20User`. */
  readonly subject: string
  readonly issuer: string
  /** First common name of each, in access-map form; see `spec` for its replacement texts. */
  readonly cnSubject: string
  readonly cnIssuer: string
  /** SHA-256 of the DER certificate and of its SubjectPublicKeyInfo, lower-case hex. */
  readonly fingerprint: string
  readonly keyFingerprint: string
  /** Serial number, lower-case hex without leading zeros. */
  readonly serial: string
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  /** Subject alternative names, as written in the certificate. */
  readonly addresses: readonly string[]
  readonly dnsNames: readonly string[]
  readonly uris: readonly string[]
  /**
   * Names whose access-map form another name may share: empty, cut, or with a backslash in them. No
   * rule may match these. Absent: none.
   */
  readonly ambiguousNames?: readonly ('subject' | 'issuer')[]
  /** The same names as OpenSSL before 3.0 wrote them, where that differs and stands for no other name. */
  readonly olderNames?: { readonly subject: string | null; readonly issuer: string | null }
}

/** A certificate of which nothing is known. No rule matches what is empty. */
export const UNKNOWN_CERTIFICATE: PeerCertificate = {
  subject: '',
  issuer: '',
  cnSubject: '',
  cnIssuer: '',
  fingerprint: '',
  keyFingerprint: '',
  serial: '',
  notBefore: 0,
  notAfter: 0,
  addresses: [],
  dnsNames: [],
  uris: [],
}

/** The person or machine that our own CA issued a certificate to. */
export type Holder = {
  readonly name: string
  readonly kind: 'person' | 'machine'
  /**
   * Sender addresses it may use: `joe@example.org`, or `@example.org` for a whole domain.
   * Empty: any (machines only).
   */
  readonly senders: readonly string[]
}

/** A person or machine of ours, once somebody has logged in as it with a password or a token. */
export type Account = {
  readonly holder: Holder
  /** What the password is for, in the administrator's words: `printer`. Null: it was a token. */
  readonly device: string | null
  /** Of the password, or of all the holder's tokens together. It ends with them. */
  readonly passwordId: string
  /** When the token ends, in milliseconds since 1970; null if nobody says, and for a password. */
  readonly endsAt: number | null
  /** What the holder's certificates say, by which the access map knows it too. Without fingerprints: those are of a certificate that nobody has shown. */
  readonly certificate: PeerCertificate
}

/** Why a certificate that was presented does not count. */
export type CertificateProblem =
  | { readonly kind: 'untrusted'; readonly detail: string }
  | { readonly kind: 'expired'; readonly since: number }
  | { readonly kind: 'notYetValid'; readonly until: number }
  | { readonly kind: 'wrongPurpose' }
  | { readonly kind: 'revoked'; readonly since: number; readonly holder: string | null }
  /** Signed by our CA but not in its index: not a certificate we issued. */
  | { readonly kind: 'notInIndex' }
  /** The issuer has the name of a CA that counts, and another key. */
  | { readonly kind: 'lookalikeIssuer' }
  | { readonly kind: 'isAuthority' }

/** The client's half of `${verify}`, with the reason and all that is known. */
export type ClientIdentity =
  | { readonly kind: 'plaintext' }
  /** TLS, and a certificate was asked for; none came. */
  | { readonly kind: 'anonymous'; readonly tls: TlsParameters }
  | {
      readonly kind: 'unverified'
      readonly tls: TlsParameters
      readonly certificate: PeerCertificate
      readonly problem: CertificateProblem
    }
  | {
      readonly kind: 'verified'
      readonly tls: TlsParameters
      readonly certificate: PeerCertificate
      /** Null for a certificate of another trusted CA. */
      readonly holder: Holder | null
    }

/** What is left of an identity when its certificate does not count: the TLS. */
export function withoutCertificate(identity: ClientIdentity): ClientIdentity {
  return identity.kind === 'plaintext' ? identity : { kind: 'anonymous', tls: identity.tls }
}

/** sendmail's `${verify}` for an identity; empty without STARTTLS. */
export function verifyWord(identity: ClientIdentity): '' | 'NO' | 'FAIL' | 'OK' {
  switch (identity.kind) {
    case 'plaintext':
      return ''
    case 'anonymous':
      return 'NO'
    case 'unverified':
      return 'FAIL'
    case 'verified':
      return 'OK'
  }
}
