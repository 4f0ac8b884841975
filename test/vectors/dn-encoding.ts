/**
 * Runs the cases of dn-encoding.json: what sendmail made of a client certificate's names.
 *
 * The fingerprints and the verification are recomputed here with the TLS library, so that a case
 * whose certificate was damaged on the way fails and does not pass by chance.
 */

import { X509Certificate, createHash } from 'node:crypto'
import { PURPOSE, parseCertificate } from '../../src/core/names/certificate.ts'
import type { CertificateContent } from '../../src/core/names/certificate.ts'
import { accessMapCommonName, accessMapName } from '../../src/core/names/distinguished-name.ts'

type DnCase = {
  readonly name: string
  readonly certPem: string
  readonly issuerPem: string
  readonly issuerTrusted: boolean
  readonly expected: Readonly<Record<string, string>>
}

export function runDnCase(input: unknown): { readonly name: string; readonly problem: string | null } {
  const dnCase = input as DnCase
  const certificate = new X509Certificate(dnCase.certPem)
  const parsed = parseCertificate(certificate.raw)
  if (!parsed.ok) return { name: dnCase.name, problem: `the certificate was refused: ${parsed.problem}` }
  const { subject, issuer } = parsed.value
  const actual: Readonly<Record<string, string>> = {
    cert_subject: accessMapName(subject).text,
    cert_issuer: accessMapName(issuer).text,
    cn_subject: accessMapCommonName(subject),
    cn_issuer: accessMapCommonName(issuer),
    verify: isVerified(certificate, dnCase, parsed.value) ? 'OK' : 'FAIL',
    cert_md5: fingerprint('md5', certificate.raw),
    cert_fp_sha256: fingerprint('sha256', certificate.raw),
  }
  const differences = Object.entries(dnCase.expected)
    // The log line repeats the names, and sendmail's wording of a verification problem is its own.
    .filter(([field, expected]) => field !== 'log' && actual[field] !== expected)
    .map(([field, expected]) => `${field}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual[field])}`)
  return { name: dnCase.name, problem: differences.length === 0 ? null : differences.join('\n') }
}

function isVerified(certificate: X509Certificate, dnCase: DnCase, { purposes, notBefore, notAfter }: CertificateContent): boolean {
  const issuer = new X509Certificate(dnCase.issuerPem)
  const isForClients = purposes === null || purposes.includes(PURPOSE.clientAuth)
  const isTimely = notBefore <= Date.now() && Date.now() <= notAfter
  return dnCase.issuerTrusted && certificate.verify(issuer.publicKey) && isForClients && isTimely
}

function fingerprint(digest: string, der: Uint8Array): string {
  return createHash(digest).update(der).digest('hex').toUpperCase().replace(/(..)(?!$)/g, '$1:')
}
