/**
 * A certificate plan as the bytes that get signed: TBSCertificate (RFC 5280 §4.1).
 *
 * Written here and not by a library because each certificate of ours has one fixed shape; every byte
 * of it can be read off this file.
 */

import { PURPOSE } from '../names/certificate.ts'
import { bitString, boolean, element, explicit, implicit, integer, nothing, octetString, oid, sequence, setOf, time, unsignedInteger, utf8String } from './der-writer.ts'
import type { AlternativeName, CertificateName, CertificatePlan, KeyType, KeyUsage } from './certificate-plan.ts'

/** What is not in the plan: keys, and who signs. */
export type Signing = {
  /** SubjectPublicKeyInfo of the new certificate's key. */
  readonly publicKeyInfo: Uint8Array
  readonly keyIdentifier: Uint8Array
  /** The issuer's Name, byte for byte as in its own certificate (RFC 5280 §6.1.3). */
  readonly issuerName: Uint8Array
  readonly issuerKeyIdentifier: Uint8Array
  /** The type of the signing key. */
  readonly issuerKeyType: KeyType
}

export function encodeToBeSigned(plan: CertificatePlan, signing: Signing): Uint8Array {
  return sequence(
    explicit(0, integer(2)), // version 3
    unsignedInteger(plan.serial),
    signatureAlgorithm(signing.issuerKeyType),
    signing.issuerName,
    sequence(time(plan.notBefore), time(plan.notAfter)),
    encodeName(plan.subject),
    signing.publicKeyInfo,
    explicit(3, sequence(...extensions(plan, signing))),
  )
}

export function encodeCertificate(toBeSigned: Uint8Array, issuerKeyType: KeyType, signature: Uint8Array): Uint8Array {
  return sequence(toBeSigned, signatureAlgorithm(issuerKeyType), bitString(signature))
}

/** Organisation, then common name, so that names read from the general to the particular. */
export function encodeName({ organisation, commonName }: CertificateName): Uint8Array {
  const attribute = (type: string, value: string): Uint8Array => setOf(sequence(oid(type), utf8String(value)))
  return commonName === null
    ? sequence(attribute('2.5.4.10', organisation))
    : sequence(attribute('2.5.4.10', organisation), attribute('2.5.4.3', commonName))
}

/** RFC 5758 §3.2, RFC 4055 §5: SHA-256 with whatever key the issuer has. */
function signatureAlgorithm(issuerKeyType: KeyType): Uint8Array {
  return issuerKeyType === 'p256' ? sequence(oid('1.2.840.10045.4.3.2')) : sequence(oid('1.2.840.113549.1.1.11'), nothing())
}

function extensions(plan: CertificatePlan, signing: Signing): readonly Uint8Array[] {
  const list = [
    // RFC 5280 §4.2.1.9: a leaf's is empty, and says that it is no CA.
    extension('2.5.29.19', 'critical', basicConstraints(plan)),
    extension('2.5.29.15', 'critical', keyUsage(plan.keyUsages)),
    extension('2.5.29.14', 'optional', octetString(signing.keyIdentifier)),
    extension('2.5.29.35', 'optional', sequence(implicit(0, signing.issuerKeyIdentifier))),
  ]
  if (plan.purposes.length > 0) {
    list.push(extension('2.5.29.37', 'optional', sequence(...plan.purposes.map(purpose => oid(PURPOSE[purpose])))))
  }
  if (plan.alternativeNames.length > 0) {
    list.push(extension('2.5.29.17', 'optional', sequence(...plan.alternativeNames.map(alternativeName))))
  }
  return list
}

function extension(type: string, weight: 'critical' | 'optional', content: Uint8Array): Uint8Array {
  return weight === 'critical' ? sequence(oid(type), boolean(true), octetString(content)) : sequence(oid(type), octetString(content))
}

function basicConstraints({ authority }: CertificatePlan): Uint8Array {
  if (authority === 'none') return sequence()
  return authority.pathLength === null ? sequence(boolean(true)) : sequence(boolean(true), integer(authority.pathLength))
}

/** RFC 5280 §4.2.1.3. A named bit list ends with its last set bit (X.690 §11.2.2). */
function keyUsage(usages: readonly KeyUsage[]): Uint8Array {
  const bits = usages.map(usage => KEY_USAGE_BIT[usage])
  const byte = bits.reduce<number>((sum, bit) => sum | (0x80 >> bit), 0)
  return bitString(Uint8Array.of(byte), 7 - Math.max(...bits))
}

/** RFC 5280 §4.2.1.6. */
function alternativeName(name: AlternativeName): Uint8Array {
  switch (name.kind) {
    case 'address':
      return element(0x81, new TextEncoder().encode(name.value))
    case 'dnsName':
      return element(0x82, new TextEncoder().encode(name.value))
    case 'ipAddress':
      return element(0x87, name.value)
  }
}

const KEY_USAGE_BIT = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, crlSign: 6 } as const satisfies Record<KeyUsage, number>
