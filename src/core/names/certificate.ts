/**
 * What a certificate says (RFC 5280 §4.1), read from its DER.
 *
 * Only what identity and policy need. Signatures, path lengths, name constraints and the rest of
 * path validation are the TLS library's work; this reader never makes a certificate more valid.
 */

import { fail, ok } from '../result.ts'
import { DerReader, TAG, formatOid, latin1 } from './der-reader.ts'
import { readName } from './distinguished-name.ts'
import type { Result } from '../result.ts'
import type { DistinguishedName } from './distinguished-name.ts'

export type CertificateContent = {
  /** Lower-case hex without leading zeros. */
  readonly serial: string
  readonly issuer: DistinguishedName
  readonly subject: DistinguishedName
  /** The subject as it stands in the certificate: what this CA signs must repeat it byte for byte. */
  readonly subjectName: Uint8Array
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  /** The SubjectPublicKeyInfo, whole, as it stands in the certificate. */
  readonly publicKeyInfo: Uint8Array
  /** True if it may sign certificates: the cA flag of basicConstraints (RFC 5280 §4.2.1.9). */
  readonly isAuthority: boolean
  /** Object identifiers of the extended key usage; null if it has none, which allows any. */
  readonly purposes: readonly string[] | null
  /**
   * What keeps it from being trusted, whoever signed it, in words: a broken hash, a short key, a demand
   * that nobody here understands. Null if nothing does.
   */
  readonly flaw: string | null
  /** Subject alternative names; those with characters that no such name has are left out. */
  readonly addresses: readonly string[]
  readonly dnsNames: readonly string[]
  readonly uris: readonly string[]
}

export const PURPOSE = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const

export function parseCertificate(der: Uint8Array): Result<CertificateContent, string> {
  const file = DerReader.over(der)
  const certificate = file.enter(TAG.sequence, 'the certificate')
  file.finish('the certificate')
  const content = readToBeSigned(certificate.enter(TAG.sequence, 'the signed part'))
  certificate.skip('the signature algorithm') // Compared with the signed one when the signature is verified.
  certificate.skip('the signature')
  certificate.finish('the signature')
  return file.problem === null ? ok(content) : fail(file.problem)
}

/** RFC 5280 §4.1: TBSCertificate. */
function readToBeSigned(signed: DerReader): CertificateContent {
  if (signed.nextTag === CONTEXT.version) signed.skip('the version')
  const serial = hexNumber(signed.take(TAG.integer, 'the serial number'))
  const signature = readOid(signed.enter(TAG.sequence, 'the signature algorithm'), 'the signature algorithm')
  const issuer = readName(signed, 'the issuer')
  const validity = signed.enter(TAG.sequence, 'the validity')
  const notBefore = readTime(validity, 'notBefore')
  const notAfter = readTime(validity, 'notAfter')
  validity.finish('the validity')
  const subjectName = signed.peekWhole(TAG.sequence, 'the subject')
  const subject = readName(signed, 'the subject')
  const publicKeyInfo = signed.peekWhole(TAG.sequence, 'the public key')
  const shortKey = readShortKey(signed.enter(TAG.sequence, 'the public key'))
  if (signed.nextTag === CONTEXT.issuerUniqueId) signed.skip('the issuer unique identifier')
  if (signed.nextTag === CONTEXT.subjectUniqueId) signed.skip('the subject unique identifier')
  const { demand, ...extensions } = readExtensions(signed)
  signed.finish('the signed part')
  const flaw = BROKEN_SIGNATURES.get(signature) ?? shortKey ?? demand
  return { serial, issuer, subject, subjectName, notBefore, notAfter, publicKeyInfo, flaw, ...extensions }
}

function readOid(reader: DerReader, what: string): string {
  const oid = formatOid(reader.take(TAG.oid, what))
  if (oid.ok) return oid.value
  reader.refuse(`${what}: ${oid.problem}`)
  return ''
}

/** RFC 3279 §2.3.1. Only RSA keys come in lengths that are too short and still met. */
function readShortKey(info: DerReader): string | null {
  if (readOid(info.enter(TAG.sequence, 'the key algorithm'), 'the key algorithm') !== RSA_KEY) return null
  const bits = info.enter(TAG.bitString, 'the RSA key')
  bits.skipByte('the RSA key')
  const modulus = bits.enter(TAG.sequence, 'the RSA key').take(TAG.integer, 'the RSA modulus')
  const length = hexNumber(modulus).length * 4
  return length < SHORTEST_RSA_BITS ? `its RSA key has only ${length} bits` : null
}

type Extensions = Pick<CertificateContent, 'isAuthority' | 'purposes' | 'addresses' | 'dnsNames' | 'uris'>

function readExtensions(signed: DerReader): Extensions & { readonly demand: string | null } {
  const contents = new Map<string, DerReader>()
  let demand: string | null = null
  if (signed.nextTag === CONTEXT.extensions) {
    const wrapper = signed.enter(CONTEXT.extensions, 'the extensions')
    const list = wrapper.enter(TAG.sequence, 'the extensions')
    wrapper.finish('the extensions')
    while (list.hasMore) demand ??= readExtension(list.enter(TAG.sequence, 'an extension'), contents)
  }
  const names = contents.get(EXTENSION.subjectAltName)
  return {
    isAuthority: readIsAuthority(contents.get(EXTENSION.basicConstraints)),
    purposes: readPurposes(contents.get(EXTENSION.extendedKeyUsage)),
    ...readAlternativeNames(names),
    demand,
  }
}

/** Returns what a critical extension demands that nobody here understands, or null (RFC 5280 §4.2). */
function readExtension(extension: DerReader, contents: Map<string, DerReader>): string | null {
  const type = readOid(extension, 'an extension type')
  const isCritical = extension.nextTag === TAG.boolean && extension.take(TAG.boolean, 'the critical flag')[0] !== 0
  const content = extension.enter(TAG.octetString, 'the content of an extension')
  extension.finish('an extension')
  // RFC 5280 §4.2: once at most. With two, readers would differ over which one counts.
  if (contents.has(type)) extension.refuse(`the extension ${type} is there twice`)
  contents.set(type, content)
  return isCritical && !UNDERSTOOD.has(type) ? `it has a critical extension that is not understood here (${type})` : null
}

function readIsAuthority(content: DerReader | undefined): boolean {
  const constraints = content?.enter(TAG.sequence, 'the basic constraints')
  if (constraints?.nextTag !== TAG.boolean) return false
  return constraints.take(TAG.boolean, 'the cA flag')[0] !== 0
}

function readPurposes(content: DerReader | undefined): readonly string[] | null {
  if (content === undefined) return null
  const list = content.enter(TAG.sequence, 'the extended key usage')
  const purposes: string[] = []
  while (list.hasMore) purposes.push(readOid(list, 'a key purpose'))
  return purposes
}

/** RFC 5280 §4.2.1.6. */
function readAlternativeNames(content: DerReader | undefined): Pick<Extensions, 'addresses' | 'dnsNames' | 'uris'> {
  const found = { addresses: [] as string[], dnsNames: [] as string[], uris: [] as string[] }
  if (content === undefined) return found
  const names = content.enter(TAG.sequence, 'the subject alternative names')
  while (names.hasMore) {
    switch (names.nextTag) {
      case GENERAL_NAME.rfc822Name:
        keepVisible(names.take(GENERAL_NAME.rfc822Name, 'an address'), found.addresses)
        break
      case GENERAL_NAME.dNSName:
        keepVisible(names.take(GENERAL_NAME.dNSName, 'a DNS name'), found.dnsNames)
        break
      case GENERAL_NAME.uri:
        keepVisible(names.take(GENERAL_NAME.uri, 'a URI'), found.uris)
        break
      default:
        names.skip('an alternative name')
    }
  }
  return found
}

/**
 * An IA5String may hold NUL, line ends and whatever else; a name that has them is no address, host
 * or URI, and could only be mistaken for another (S7).
 */
function keepVisible(bytes: Uint8Array, list: string[]): void {
  if (bytes.length > 0 && bytes.every(byte => byte > 0x20 && byte < 0x7f)) list.push(latin1(bytes))
}

/** RFC 5280 §4.1.2.5. Both forms are taken for every year, as other readers do. */
function readTime(validity: DerReader, what: string): number {
  const isUtcTime = validity.nextTag === TAG.utcTime
  const text = latin1(validity.take(isUtcTime ? TAG.utcTime : TAG.generalizedTime, what).subarray(0, 32))
  const match = (isUtcTime ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(text)
  if (match === null) {
    validity.refuse(`${what} is not a time`)
    return 0
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  // RFC 5280 §4.1.2.5.1: two digits mean 1950 to 2049.
  const fullYear = isUtcTime ? year + (year >= 50 ? 1900 : 2000) : year
  const time = Date.UTC(fullYear, month - 1, day, hour, minute, second)
  const isReal = month >= 1 && new Date(time).getUTCMonth() === month - 1 && hour < 24 && minute < 60 && second < 60
  if (!isReal) validity.refuse(`${what} is not a time`)
  return time
}

function hexNumber(bytes: Uint8Array): string {
  const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^0+(?=.)/, '')
}

const RSA_KEY = '1.2.840.113549.1.1.1'

/** NIST SP 800-131A: 1024 bits are no longer enough. */
const SHORTEST_RSA_BITS = 2048

/** Signatures over hashes in which anybody can find collisions, and so forge. */
const BROKEN_SIGNATURES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.4', 'it is signed with MD5'],
  ['1.2.840.113549.1.1.5', 'it is signed with SHA-1'],
  ['1.2.840.10040.4.3', 'it is signed with SHA-1'],
  ['1.2.840.10045.4.1', 'it is signed with SHA-1'],
])

/** Context-specific tags of TBSCertificate. */
const CONTEXT = { version: 0xa0, issuerUniqueId: 0x81, subjectUniqueId: 0x82, extensions: 0xa3 } as const

/** Context-specific tags of GeneralName. */
const GENERAL_NAME = { rfc822Name: 0x81, dNSName: 0x82, uri: 0x86 } as const

const EXTENSION = { subjectAltName: '2.5.29.17', basicConstraints: '2.5.29.19', extendedKeyUsage: '2.5.29.37' } as const

/** What OpenSSL takes into account when it verifies a chain. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION.subjectAltName,
  EXTENSION.basicConstraints,
  EXTENSION.extendedKeyUsage,
  '2.5.29.15', // keyUsage
  '2.5.29.30', // nameConstraints
  '2.5.29.31', // cRLDistributionPoints
  '2.5.29.32', // certificatePolicies
  '2.5.29.33', // policyMappings
  '2.5.29.36', // policyConstraints
  '2.5.29.54', // inhibitAnyPolicy
])
