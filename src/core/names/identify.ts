/**
 * From the facts of one handshake to who is calling.
 *
 * Nothing of an earlier connection counts, and no single fact is enough (S6, S8). A client is
 * verified if it presented a certificate, the TLS library verified its chain for this purpose, the
 * certificate was signed by the very key of a CA that counts here (a name alone proves nothing), it
 * is for clients and valid now, and, for our own CA, our index knows it as live.
 *
 * Issuers are listed one by one. A certificate from an intermediate CA counts if that CA itself is
 * listed, not because its root is: rules name issuers, and a root may let anybody have an
 * intermediate CA of any name.
 */

import type { CertificateProblem, ClientIdentity, Holder, PeerCertificate, TlsParameters } from './identity.ts'

/** A certificate that a client presented. */
export type PresentedCertificate = {
  /** Names are empty if it could not be read. */
  readonly certificate: PeerCertificate
  /** True if it may sign certificates itself. */
  readonly isAuthority: boolean
  /** True if it may be used by clients: it names clientAuth, or names no purpose. */
  readonly isForClients: boolean
  /** What keeps it from being trusted, whoever signed it; null if nothing does. */
  readonly flaw: string | null
  /** Why it could not be read, or null. */
  readonly unreadable: string | null
}

export type HandshakeFacts = {
  readonly tls: TlsParameters
  readonly presented: PresentedCertificate | null
  /** What the TLS library says of the chain, and its reason if it says no: `CERT_HAS_EXPIRED`. */
  readonly chainVerified: boolean
  readonly chainError: string | null
  /** SHA-256 of the SubjectPublicKeyInfo whose key verifies the certificate; null if no known key does. */
  readonly issuerKeyFingerprint: string | null
}

/** A CA whose certificates count on a listener. */
export type TrustedAuthority = {
  /** Its subject in access-map form. */
  readonly subject: string
  /** SHA-256 of its SubjectPublicKeyInfo, lower-case hex. */
  readonly keyFingerprint: string
  /** True for our own authority, whose certificates must be in our index. */
  readonly own: boolean
}

/** The authority's index, by certificate fingerprint. */
export type CertificateLookup = {
  readonly live: ReadonlyMap<string, Holder>
  readonly revoked: ReadonlyMap<string, { readonly name: string; readonly revokedAt: number }>
}

export function identify(
  facts: HandshakeFacts,
  trusted: readonly TrustedAuthority[],
  index: CertificateLookup,
  now: number,
): ClientIdentity {
  const { tls, presented } = facts
  if (presented === null) return { kind: 'anonymous', tls }
  const { certificate } = presented
  const issuer = findIssuer(facts, certificate, trusted)
  const problem = findProblem(facts, presented, issuer, index, now)
  if (problem !== null) return { kind: 'unverified', tls, certificate, problem }
  return { kind: 'verified', tls, certificate, holder: index.live.get(certificate.fingerprint) ?? null }
}

/**
 * The problem that helps most comes first: what the administrator did on purpose, then what no new
 * certificate from the same place would cure, then what a renewal cures.
 *
 * So revoked comes before expired (renewing must not be the advice), and expired is only said of
 * certificates that would count if they were fresh.
 */
function findProblem(
  facts: HandshakeFacts,
  presented: PresentedCertificate,
  issuer: Issuer,
  index: CertificateLookup,
  now: number,
): CertificateProblem | null {
  const { certificate } = presented
  if (presented.unreadable !== null) return { kind: 'untrusted', detail: `the certificate cannot be read: ${presented.unreadable}` }

  const revoked = index.revoked.get(certificate.fingerprint)
  if (revoked !== undefined) return { kind: 'revoked', since: revoked.revokedAt, holder: revoked.name }

  if (issuer.kind === 'lookalike') return { kind: 'lookalikeIssuer' }
  if (issuer.kind === 'unknown') return { kind: 'untrusted', detail: unknownIssuer(certificate, facts) }
  if (presented.isAuthority) return { kind: 'isAuthority' }
  if (!presented.isForClients || facts.chainError === 'INVALID_PURPOSE') return { kind: 'wrongPurpose' }
  if (issuer.authority.own && !index.live.has(certificate.fingerprint)) return { kind: 'notInIndex' }
  if (presented.flaw !== null) return { kind: 'untrusted', detail: presented.flaw }
  if (now < certificate.notBefore) return { kind: 'notYetValid', until: certificate.notBefore }
  if (now > certificate.notAfter) return { kind: 'expired', since: certificate.notAfter }
  // Whatever else the library found: an expired CA, a path too long, a weak signature.
  if (!facts.chainVerified) return { kind: 'untrusted', detail: chainProblem(facts.chainError) }
  return null
}

function chainProblem(error: string | null): string {
  if (error === null) return 'the chain was not verified'
  // Node has a word for few of OpenSSL's reasons; these are the likely ones among the others.
  return error === 'UNSPECIFIED' ? 'one of its CAs has a weak key or signature, or a constraint that this certificate breaks' : error
}

type Issuer =
  | { readonly kind: 'trusted'; readonly authority: TrustedAuthority }
  | { readonly kind: 'lookalike' }
  | { readonly kind: 'unknown' }

/**
 * The trusted CA that signed a certificate: the one with that name and that key. Names are compared
 * as access maps compare them, without regard to case, so that a name that a rule could take for a
 * trusted one is a lookalike.
 */
function findIssuer(facts: HandshakeFacts, certificate: PeerCertificate, trusted: readonly TrustedAuthority[]): Issuer {
  const name = certificate.issuer.toLowerCase()
  if (name === '') return { kind: 'unknown' }
  const ofThatName = trusted.filter(authority => authority.subject.toLowerCase() === name)
  const authority = ofThatName.find(({ keyFingerprint }) => keyFingerprint === facts.issuerKeyFingerprint)
  if (authority === undefined) return { kind: ofThatName.length > 0 ? 'lookalike' : 'unknown' }
  // Two CAs of one name, of which one is ours: no rule could tell them apart.
  const isShadowed = !authority.own && ofThatName.some(other => other.own)
  return isShadowed ? { kind: 'lookalike' } : { kind: 'trusted', authority }
}

function unknownIssuer(certificate: PeerCertificate, facts: HandshakeFacts): string {
  const issuer = certificate.issuer === '' ? 'its issuer has no usable name' : `its issuer ${certificate.issuer} is not a trusted CA`
  if (facts.chainVerified) return `${issuer}; an intermediate CA must be listed itself`
  return facts.chainError === null ? issuer : `${issuer} (${facts.chainError})`
}
