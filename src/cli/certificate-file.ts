/** A certificate from a file that a person names: PEM or DER. */

import { readFileSync } from 'node:fs'
import { X509Certificate } from 'node:crypto'
import type { PresentedCertificate } from '../core/names/identify.ts'
import { factsOfCertificate } from '../io/x509.ts'
import { Problem } from './command.ts'
import { reason } from './directory.ts'
import { shellQuoted } from './files.ts'

export type CertificateFile = {
  readonly file: string
  readonly presented: PresentedCertificate
  /** The first certificate is read; a chain may follow it. */
  readonly x509: X509Certificate
  readonly certificatesInFile: number
}

export function readCertificateFile(file: string): CertificateFile {
  const bytes = readBytes(file)
  const pems = bytes.toString('latin1').match(PEM_CERTIFICATE) ?? []
  const x509 = parse(file, bytes, pems[0])
  const presented = factsOfCertificate(x509.raw)
  if (presented.unreadable !== null) throw new Problem(`${file}: the certificate cannot be read: ${presented.unreadable}`)
  return { file, presented, x509, certificatesInFile: Math.max(1, pems.length) }
}

const PEM_CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

function parse(file: string, bytes: Buffer, pem: string | undefined): X509Certificate {
  try {
    return new X509Certificate(pem ?? bytes)
  } catch (error) {
    throw new Problem(`${file}: ${whatElse(file, bytes) ?? (pem === undefined ? 'is no certificate, neither in PEM nor in DER' : `the certificate in it cannot be read: ${reason(error)}`)}`)
  }
}

/** What people give by mistake, and what to do then. */
function whatElse(file: string, bytes: Buffer): string | null {
  const text = bytes.toString('latin1')
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return 'holds a private key and no certificate; give the file with the certificate'
  if (text.includes('-----BEGIN CERTIFICATE REQUEST-----')) return 'is a certificate request; give the certificate that was issued for it'
  // PFX ::= SEQUENCE { version INTEGER (3), … } (RFC 7292 §4)
  const isPkcs12 = bytes[0] === 0x30 && bytes.subarray(2, 8).includes(Buffer.from([0x02, 0x01, 0x03]))
  if (!isPkcs12) return null
  return `is a PKCS#12 file; take the certificate out with: openssl pkcs12 -in ${shellQuoted(file)} -clcerts -nokeys -out certificate.pem`
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Problem(`${file}: ${reason(error)}`)
  }
}
