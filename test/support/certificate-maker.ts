/**
 * Certificates of every odd shape, made byte by byte, for tests of what must be refused.
 *
 * What judges them in the tests is OpenSSL inside Node's TLS, or a parser under test; this file only
 * has to be able to say anything at all, also what no CA would.
 */

import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { TAG } from '../../src/core/names/der-reader.ts'
import { bitString, boolean, element, explicit, implicit, integer, nothing, octetString, oid, sequence, setOf, time, unsignedInteger } from '../../src/core/pki/der-writer.ts'

export type MadeCertificate = {
  readonly der: Uint8Array
  readonly pem: string
  readonly keyPem: string
  readonly name: Uint8Array
  readonly keys: Keys
}

export type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject }

export type Wanted = {
  readonly subject: Uint8Array
  /** Signs itself without one. */
  readonly issuer?: Pick<MadeCertificate, 'name' | 'keys'>
  readonly keys?: Keys
  readonly extensions?: readonly Uint8Array[]
  /** Milliseconds since 1970; by default from yesterday to tomorrow. */
  readonly notBefore?: number
  readonly notAfter?: number
  readonly digest?: 'sha256' | 'sha1'
}

const DAY = 86_400_000
let lastSerial = 0

export function makeCertificate(wanted: Wanted): MadeCertificate {
  const keys = wanted.keys ?? ecKeys()
  const issuer = wanted.issuer ?? { name: wanted.subject, keys }
  const digest = wanted.digest ?? 'sha256'
  const algorithm = signatureAlgorithm(issuer.keys.privateKey, digest)
  const toBeSigned = sequence(
    explicit(0, integer(2)),
    unsignedInteger(createHash('sha256').update(`serial ${(lastSerial += 1)} ${process.pid}`).digest().subarray(0, 16)),
    algorithm,
    issuer.name,
    sequence(time(wanted.notBefore ?? Date.now() - DAY), time(wanted.notAfter ?? Date.now() + DAY)),
    wanted.subject,
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    ...(wanted.extensions === undefined ? [] : [explicit(3, sequence(...wanted.extensions))]),
  )
  const der = sequence(toBeSigned, algorithm, bitString(sign(digest, toBeSigned, issuer.keys.privateKey)))
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`
  return { der, pem, keyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), name: wanted.subject, keys }
}

export function ecKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

export function rsaKeys(bits: number): Keys {
  return generateKeyPairSync('rsa', { modulusLength: bits })
}

// Names

export type Attribute = { readonly type: string; readonly tag: number; readonly value: Uint8Array }

/** `[['2.5.4.10', 'Example'], ['2.5.4.3', 'joe']]`: one attribute to an RDN, UTF-8. */
export function simpleName(...attributes: readonly (readonly [type: string, value: string])[]): Uint8Array {
  return makeName(attributes.map(([type, value]) => [{ type, tag: TAG.utf8String, value: Buffer.from(value) }]))
}

/** Any RDNs of any attributes, in the order given. */
export function makeName(rdns: readonly (readonly Attribute[])[]): Uint8Array {
  const rdn = (attributes: readonly Attribute[]): Uint8Array => setOf(...attributes.map(({ type, tag, value }) => sequence(oid(type), element(tag, value))))
  return sequence(...rdns.map(rdn))
}

// Extensions

export function extension(type: string, content: Uint8Array, weight: 'critical' | 'optional' = 'optional'): Uint8Array {
  return weight === 'critical' ? sequence(oid(type), boolean(true), octetString(content)) : sequence(oid(type), octetString(content))
}

export function certificateAuthority(pathLength?: number): readonly Uint8Array[] {
  const constraints = pathLength === undefined ? sequence(boolean(true)) : sequence(boolean(true), integer(pathLength))
  return [extension('2.5.29.19', constraints, 'critical'), extension('2.5.29.15', bitString(Uint8Array.of(0x06), 1), 'critical')]
}

export function purposes(...oids: readonly string[]): Uint8Array {
  return extension('2.5.29.37', sequence(...oids.map(oid)))
}

export function alternativeNames(...names: readonly Uint8Array[]): Uint8Array {
  return extension('2.5.29.17', sequence(...names))
}

export function address(text: string): Uint8Array {
  return implicit(1, Buffer.from(text, 'latin1'))
}

export function dnsName(text: string): Uint8Array {
  return implicit(2, Buffer.from(text, 'latin1'))
}

export function uri(text: string): Uint8Array {
  return implicit(6, Buffer.from(text, 'latin1'))
}

function signatureAlgorithm(key: KeyObject, digest: 'sha256' | 'sha1'): Uint8Array {
  if (key.asymmetricKeyType === 'rsa') return sequence(oid(digest === 'sha1' ? '1.2.840.113549.1.1.5' : '1.2.840.113549.1.1.11'), nothing())
  return sequence(oid(digest === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2'))
}
