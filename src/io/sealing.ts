/**
 * Password-based encryption with PBES2 (RFC 8018 §6.2): AES-256-CBC under a key from PBKDF2-SHA256.
 *
 * For CA keys at rest, whose passphrase a person chose, and for PKCS#12 files of the modern kind.
 */

import { createCipheriv, createPrivateKey, pbkdf2Sync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { integer, nothing, octetString, oid, sequence } from '../core/pki/der-writer.ts'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'

export type Sealed = {
  /** The AlgorithmIdentifier that says how to open it. */
  readonly algorithm: Uint8Array
  readonly ciphertext: Uint8Array
}

/** A passphrase may be guessed at leisure by whoever has the file: make each guess cost. */
const PASSPHRASE_ITERATIONS = 600_000

const SALT_BYTES = 16
const IV_BYTES = 16
const KEY_BYTES = 32

export function sealWithPbes2(plaintext: Uint8Array, password: string, iterations: number, randomBytes: (size: number) => Uint8Array): Sealed {
  const salt = randomBytes(SALT_BYTES)
  const iv = randomBytes(IV_BYTES)
  const key = pbkdf2Sync(password, salt, iterations, KEY_BYTES, 'sha256')
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  const derivation = sequence(
    oid('1.2.840.113549.1.5.12'), // PBKDF2
    sequence(octetString(salt), integer(iterations), sequence(oid('1.2.840.113549.2.9'), nothing())), // HMAC-SHA256
  )
  const encryption = sequence(oid('2.16.840.1.101.3.4.1.42'), octetString(iv)) // AES-256-CBC
  return {
    algorithm: sequence(oid('1.2.840.113549.1.5.13'), sequence(derivation, encryption)),
    ciphertext: Buffer.concat([cipher.update(plaintext), cipher.final()]),
  }
}

/** A private key as PEM, sealed with a passphrase (RFC 5958 §3). */
export function sealedKeyPem(pkcs8: Uint8Array, passphrase: string, randomBytes: (size: number) => Uint8Array): string {
  const { algorithm, ciphertext } = sealWithPbes2(pkcs8, passphrase, PASSPHRASE_ITERATIONS, randomBytes)
  const body = Buffer.from(sequence(algorithm, octetString(ciphertext))).toString('base64')
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${body.replace(/.{1,64}/g, '$&\n')}-----END ENCRYPTED PRIVATE KEY-----\n`
}

/** Reads a private key from PEM; a sealed one with its passphrase. */
export function openKeyPem(pem: string, passphrase: string | null): Result<KeyObject, string> {
  const isSealed = pem.includes('ENCRYPTED')
  if (isSealed && passphrase === null) return fail('the key is sealed with a passphrase, and none was given')
  try {
    return ok(createPrivateKey(isSealed && passphrase !== null ? { key: pem, passphrase } : pem))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (!isSealed) return fail(`is no private key: ${message}; restore it from a backup`)
    // One wrong passphrase in 256 leaves what looks like a last block, and then no key comes out.
    return fail(code === 'ERR_OSSL_BAD_DECRYPT' ? 'the passphrase is wrong' : 'the passphrase is wrong, or the file is damaged')
  }
}
