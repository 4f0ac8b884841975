/**
 * Keys and certificates: plans become signed certificates, and DER becomes facts.
 */

import { X509Certificate, createHash, generateKeyPair, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { PURPOSE, parseCertificate } from '../core/names/certificate.ts'
import { accessMapCommonName, accessMapName, olderAccessMapName } from '../core/names/distinguished-name.ts'
import type { CertificateContent } from '../core/names/certificate.ts'
import type { PresentedCertificate, TrustedAuthority } from '../core/names/identify.ts'
import { UNKNOWN_CERTIFICATE, type PeerCertificate } from '../core/names/identity.ts'
import type { CertificatePlan, KeyType } from '../core/pki/certificate-plan.ts'
import { assert } from '../core/result.ts'
import { encodeCertificate, encodeName, encodeToBeSigned } from '../core/pki/der-certificate.ts'

const SERIAL_BYTES = 16

export type KeyPair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject }

/** A CA that can sign: its certificate and its key. */
export type SigningAuthority = { readonly certificateDer: Uint8Array; readonly privateKey: KeyObject }

export async function generateKeys(keyType: KeyType): Promise<KeyPair> {
  return keyType === 'p256'
    ? await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
    : await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
}

/** Signs a plan for a key. Without an issuer the certificate signs itself: a root. */
export function signCertificate(plan: CertificatePlan, keys: KeyPair, issuer: SigningAuthority | null): Uint8Array {
  const publicKeyInfo = exportPublicKey(keys.publicKey)
  const issuerCertificate = issuer === null ? null : new X509Certificate(issuer.certificateDer)
  const issuerKey = issuerCertificate?.publicKey ?? keys.publicKey
  const issuerKeyType = keyTypeOf(issuerKey)
  assert(issuerKeyType !== null, 'an authority has a key of a type that we make')
  const toBeSigned = encodeToBeSigned(plan, {
    publicKeyInfo,
    keyIdentifier: keyIdentifier(publicKeyInfo),
    issuerName: issuer === null ? encodeName(plan.subject) : subjectName(issuer.certificateDer),
    issuerKeyIdentifier: keyIdentifier(exportPublicKey(issuerKey)),
    issuerKeyType,
  })
  return encodeCertificate(toBeSigned, issuerKeyType, sign('sha256', toBeSigned, issuer?.privateKey ?? keys.privateKey))
}

/** Everything that a certificate says. One that cannot be read has no names, and says why. */
export function factsOfCertificate(der: Uint8Array): PresentedCertificate {
  const fingerprint = sha256(der)
  const parsed = parseCertificate(der)
  if (!parsed.ok) {
    return { certificate: { ...NO_FACTS, fingerprint }, isAuthority: false, isForClients: false, flaw: null, unreadable: parsed.problem }
  }
  const content = parsed.value
  return {
    certificate: peerCertificate(content, fingerprint),
    isAuthority: content.isAuthority,
    isForClients: content.purposes === null || content.purposes.includes(PURPOSE.clientAuth),
    flaw: content.flaw,
    unreadable: null,
  }
}

/**
 * A certificate as it came out of a handshake. What it says never changes, so each is read once;
 * whether it counts is judged anew on every connection.
 */
export function readPresented(certificate: X509Certificate): PresentedCertificate {
  const key = certificate.fingerprint256
  const known = presented.get(key)
  if (known !== undefined) return known
  const facts = factsOfCertificate(certificate.raw)
  // Strangers choose what they present, so what is kept is small and few. To read one costs microseconds.
  if (certificate.raw.length > LARGEST_REMEMBERED_BYTES) return facts
  if (presented.size >= REMEMBERED_CERTIFICATES) presented.clear()
  presented.set(key, facts)
  return facts
}

const REMEMBERED_CERTIFICATES = 2000
const LARGEST_REMEMBERED_BYTES = 4096
const presented = new Map<string, PresentedCertificate>()

/** What a certificate says that was issued here, from the base64 of its DER. */
export function peerCertificateOf(base64: string): PeerCertificate {
  return factsOfCertificate(Buffer.from(base64, 'base64')).certificate
}

/** A CA as `identify` compares issuers with it; `own` is this site's. Throws if the PEM holds no certificate. */
export function authorityOf(pem: string, whose: 'own' | 'foreign'): TrustedAuthority {
  const { certificate } = factsOfCertificate(new X509Certificate(pem).raw)
  return { subject: certificate.subject, keyFingerprint: certificate.keyFingerprint, own: whose === 'own' }
}

export function pemOfCertificate(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`
}

/** RFC 5280 §4.1.2.2: positive, and too random to be guessed or to come twice. */
export function newSerial(randomBytes: (size: number) => Uint8Array): Uint8Array {
  const serial = Uint8Array.from(randomBytes(SERIAL_BYTES))
  // The first bit would make it negative; the second keeps it at its full length.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  return serial
}

/** The type of a key of ours; of a key that we don't make, null. */
export function keyTypeOf(key: KeyObject): KeyType | null {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'p256'
  return type === 'rsa' && details?.modulusLength === 2048 ? 'rsa2048' : null
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function peerCertificate(content: CertificateContent, fingerprint: string): PeerCertificate {
  const subject = accessMapName(content.subject)
  const issuer = accessMapName(content.issuer)
  const ambiguousNames: ('subject' | 'issuer')[] = []
  if (subject.isAmbiguous) ambiguousNames.push('subject')
  if (issuer.isAmbiguous) ambiguousNames.push('issuer')
  const { serial, notBefore, notAfter, addresses, dnsNames, uris, publicKeyInfo } = content
  return {
    subject: subject.text,
    issuer: issuer.text,
    cnSubject: accessMapCommonName(content.subject),
    cnIssuer: accessMapCommonName(content.issuer),
    fingerprint,
    keyFingerprint: sha256(publicKeyInfo),
    serial,
    notBefore,
    notAfter,
    addresses,
    dnsNames,
    uris,
    ambiguousNames,
    olderNames: { subject: olderAccessMapName(content.subject), issuer: olderAccessMapName(content.issuer) },
  }
}

function subjectName(certificateDer: Uint8Array): Uint8Array {
  const parsed = parseCertificate(certificateDer)
  assert(parsed.ok, 'the certificate of the authority was read before')
  return parsed.value.subjectName
}

function exportPublicKey(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' })
}

/** RFC 7093 §2, method 4: a hash of the whole SubjectPublicKeyInfo, here the first 160 bits of SHA-256. */
function keyIdentifier(publicKeyInfo: Uint8Array): Uint8Array {
  return createHash('sha256').update(publicKeyInfo).digest().subarray(0, 20)
}

/** One that cannot be read: no name of it may count. */
const NO_FACTS: PeerCertificate = { ...UNKNOWN_CERTIFICATE, ambiguousNames: ['subject', 'issuer'] }
