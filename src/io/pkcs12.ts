/**
 * Writes PKCS#12 files (RFC 7292): a key, its certificate and the CAs above it, under one password.
 *
 * Two kinds, because no one kind opens everywhere. "compatible" is 3DES and SHA-1, which is all that
 * Apple's key chain and old devices read; "modern" is AES-256 and SHA-256. The cipher hardly matters:
 * the password is random, at least 100 bits, made for this one file and shown once.
 *
 * What importers insist on: a MAC (NSS and Node refuse files without), a friendlyName, and the same
 * localKeyId on the key and its certificate (NSS cannot pair them otherwise).
 */

import { createCipheriv, createHash, createHmac } from 'node:crypto'
import { bmpString, explicit, implicit, integer, nothing, octetString, oid, sequence, setOf, utf16 } from '../core/pki/der-writer.ts'
import { sealWithPbes2 } from './sealing.ts'
import type { Sealed } from './sealing.ts'

export type Pkcs12Kind = 'compatible' | 'modern'

export type Pkcs12Content = {
  readonly kind: Pkcs12Kind
  /** PrivateKeyInfo (PKCS#8) in DER. */
  readonly privateKey: Uint8Array
  readonly certificate: Uint8Array
  readonly authorities: readonly { readonly certificate: Uint8Array; readonly name: string }[]
  /** How importers list the entry. */
  readonly name: string
  readonly password: string
  readonly randomBytes: (size: number) => Uint8Array
}

const SALT_BYTES = 16
const PASSWORD_CHARACTERS = 24

/** Slow enough on old devices; the password needs no more. */
const ITERATIONS = { compatible: 2048, modern: 10_000 } as const

const DIGEST = { compatible: 'sha1', modern: 'sha256' } as const

export function encodePkcs12(content: Pkcs12Content): Uint8Array {
  // SHA-1 of the certificate, as other writers do; it only has to be the same twice.
  const pairing = createHash('sha1').update(content.certificate).digest()
  const own = [attribute(FRIENDLY_NAME, bmpString(content.name)), attribute(LOCAL_KEY_ID, octetString(pairing))]
  const certificates = sequence(
    certificateBag(content.certificate, own),
    ...content.authorities.map(({ certificate, name }) => certificateBag(certificate, [attribute(FRIENDLY_NAME, bmpString(name))])),
  )
  const sealedKey = seal(content.privateKey, content)
  const key = sequence(sequence(oid(KEY_BAG), explicit(0, sequence(sealedKey.algorithm, octetString(sealedKey.ciphertext))), setOf(...own)))
  const safes = sequence(encryptedData(seal(certificates, content)), data(key))
  return sequence(integer(3), data(safes), macData(safes, content))
}

/**
 * A password that can be read aloud and typed: 24 characters that are not mistaken for one another, so
 * 118 bits, in groups of four.
 */
export function oneTimePassword(randomBytes: (size: number) => Uint8Array): string {
  let characters = ''
  while (characters.length < PASSWORD_CHARACTERS) {
    for (const byte of randomBytes(PASSWORD_CHARACTERS)) {
      // Bytes beyond the last whole alphabet would make its first letters more likely.
      if (byte < 256 - (256 % EASY_ALPHABET.length)) characters += EASY_ALPHABET[byte % EASY_ALPHABET.length] ?? ''
    }
  }
  return characters.slice(0, PASSWORD_CHARACTERS).replace(/.{4}(?!$)/g, '$&-')
}

function seal(plaintext: Uint8Array, { kind, password, randomBytes }: Pkcs12Content): Sealed {
  return kind === 'modern' ? sealWithPbes2(plaintext, password, ITERATIONS.modern, randomBytes) : sealWith3Des(plaintext, password, randomBytes)
}

/** RFC 7292 appendix C: pbeWithSHAAnd3-KeyTripleDES-CBC. */
function sealWith3Des(plaintext: Uint8Array, password: string, randomBytes: (size: number) => Uint8Array): Sealed {
  const salt = randomBytes(SALT_BYTES)
  const source = { digest: 'sha1', password, salt, iterations: ITERATIONS.compatible } as const
  const key = deriveKey({ ...source, purpose: PURPOSE.key, length: 24 })
  const iv = deriveKey({ ...source, purpose: PURPOSE.iv, length: 8 })
  const cipher = createCipheriv('des-ede3-cbc', key, iv)
  return {
    algorithm: sequence(oid('1.2.840.113549.1.12.1.3'), sequence(octetString(salt), integer(source.iterations))),
    ciphertext: Buffer.concat([cipher.update(plaintext), cipher.final()]),
  }
}

/** RFC 7292 §4: an HMAC over the safes, under a key of its own from the same password. */
function macData(safes: Uint8Array, { kind, password, randomBytes }: Pkcs12Content): Uint8Array {
  const digest = DIGEST[kind]
  const salt = randomBytes(SALT_BYTES)
  const iterations = ITERATIONS[kind]
  const key = deriveKey({ digest, password, salt, iterations, purpose: PURPOSE.mac, length: HASH[digest].size })
  const mac = createHmac(digest, key).update(safes).digest()
  return sequence(sequence(sequence(oid(HASH[digest].oid), nothing()), octetString(mac)), octetString(salt), integer(iterations))
}

type Derivation = {
  readonly digest: 'sha1' | 'sha256'
  readonly password: string
  readonly salt: Uint8Array
  readonly iterations: number
  readonly purpose: number
  readonly length: number
}

/** RFC 7292 appendix B.2, with its names: v is the block of the hash, I is salt and password in whole blocks. */
function deriveKey({ digest, password, salt, iterations, purpose, length }: Derivation): Uint8Array {
  const v = HASH[digest].block
  const diversifier = Buffer.alloc(v, purpose)
  // The password as BMPString with a final zero character (appendix B.1).
  const I = Buffer.concat([repeatToBlocks(salt, v), repeatToBlocks(utf16(`${password}\0`), v)])
  const derived: Buffer[] = []
  for (let have = 0; have < length; have += HASH[digest].size) {
    let A = createHash(digest).update(diversifier).update(I).digest()
    for (let i = 1; i < iterations; i++) A = createHash(digest).update(A).digest()
    derived.push(A)
    const B = repeatToBlocks(A, v).subarray(0, v)
    for (let block = 0; block < I.length; block += v) addOneAnd(B, I.subarray(block, block + v))
  }
  return Buffer.concat(derived).subarray(0, length)
}

/** Repeats bytes up to whole blocks, the last copy cut. */
function repeatToBlocks(bytes: Uint8Array, block: number): Uint8Array {
  return Buffer.alloc(block * Math.ceil(bytes.length / block), bytes)
}

/** I_j = (I_j + B + 1) mod 2^v, in place. */
function addOneAnd(B: Uint8Array, part: Uint8Array): void {
  let carry = 1
  for (let i = part.length - 1; i >= 0; i--) {
    const sum = (part[i] ?? 0) + (B[i] ?? 0) + carry
    part[i] = sum & 0xff
    carry = sum >> 8
  }
}

function certificateBag(certificate: Uint8Array, attributes: readonly Uint8Array[]): Uint8Array {
  const content = sequence(oid('1.2.840.113549.1.9.22.1'), explicit(0, octetString(certificate))) // x509Certificate
  return sequence(oid('1.2.840.113549.1.12.10.1.3'), explicit(0, content), setOf(...attributes))
}

function attribute(type: string, value: Uint8Array): Uint8Array {
  return sequence(oid(type), setOf(value))
}

function data(content: Uint8Array): Uint8Array {
  return sequence(oid(DATA), explicit(0, octetString(content)))
}

function encryptedData({ algorithm, ciphertext }: Sealed): Uint8Array {
  const content = sequence(oid(DATA), algorithm, implicit(0, ciphertext))
  return sequence(oid('1.2.840.113549.1.7.6'), explicit(0, sequence(integer(0), content)))
}

const DATA = '1.2.840.113549.1.7.1'
const KEY_BAG = '1.2.840.113549.1.12.10.1.2'
const FRIENDLY_NAME = '1.2.840.113549.1.9.20'
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21'

/** RFC 7292 appendix B.3: what derived bytes are for. */
const PURPOSE = { key: 1, iv: 2, mac: 3 } as const

const HASH = {
  sha1: { oid: '1.3.14.3.2.26', size: 20, block: 64 },
  sha256: { oid: '2.16.840.1.101.3.4.2.1', size: 32, block: 64 },
} as const

/** No 0, 1, i, l and o. */
const EASY_ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'
