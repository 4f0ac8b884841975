import assert from 'node:assert/strict'
import { X509Certificate, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { parseCertificate } from '../names/certificate.ts'
import { accessMapName } from '../names/distinguished-name.ts'
import { planClient, planIssuing, planRoot, planServer } from './certificate-plan.ts'
import type { CertificatePlan, KeyType } from './certificate-plan.ts'
import { encodeCertificate, encodeName, encodeToBeSigned } from './der-certificate.ts'

const NOW = Date.UTC(2026, 10, 23)
const occasion = { now: NOW, serial: Uint8Array.of(0x7f, 0xee), days: 365 }
const issuer = { organisation: 'example.org', commonNames: ['Issuing'], notAfter: NOW + 1e12 }
const issuerName = encodeName({ organisation: 'example.org', commonName: 'Issuing' })

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

function encoded(plan: CertificatePlan, issuerKeyType: KeyType = 'p256'): Uint8Array {
  const signer = issuerKeyType === 'p256' ? ec : rsa
  const toBeSigned = encodeToBeSigned(plan, {
    publicKeyInfo: ec.publicKey.export({ type: 'spki', format: 'der' }),
    keyIdentifier: Uint8Array.of(1, 2, 3),
    issuerName,
    issuerKeyIdentifier: Uint8Array.of(4, 5, 6),
    issuerKeyType,
  })
  return encodeCertificate(toBeSigned, issuerKeyType, sign('sha256', toBeSigned, signer.privateKey))
}

function planOf(result: ReturnType<typeof planServer>): CertificatePlan {
  return result.ok ? result.value : assert.fail(result.problem)
}

test('what a plan says can be read in the certificate', () => {
  const plan = planOf(planClient({ name: 'joe', addresses: ['joe@example.org', 'j@example.org'], dnsNames: ['web7.example.org'] }, issuer, occasion))
  const parsed = parseCertificate(encoded(plan))
  assert.ok(parsed.ok)
  const { value } = parsed
  assert.equal(value.serial, '7fee')
  assert.equal(accessMapName(value.subject).text, '/O=example.org/CN=joe')
  assert.equal(accessMapName(value.issuer).text, '/O=example.org/CN=Issuing')
  assert.deepEqual([value.notBefore, value.notAfter], [plan.notBefore, plan.notAfter])
  assert.deepEqual([value.addresses, value.dnsNames], [plan.alternativeNames.slice(0, 2).map(name => name.value), ['web7.example.org']])
  assert.deepEqual(value.purposes, ['1.3.6.1.5.5.7.3.2'])
  assert.deepEqual([value.isAuthority, value.flaw], [false, null])
})

for (const [keyType, keys] of [['p256', ec], ['rsa2048', rsa]] as const) {
  test(`a signature by a ${keyType} key holds`, () => {
    const certificate = new X509Certificate(encoded(planRoot('example.org', 'Root', occasion), keyType))
    assert.equal(certificate.verify(keys.publicKey), true)
    assert.equal(certificate.ca, true)
  })
}

test('a server has its names and addresses', () => {
  const plan = planOf(planServer(['mail.example.org', '192.0.2.7', '2001:db8::9'], 'rsa2048', issuer, occasion))
  const certificate = new X509Certificate(encoded(plan))
  assert.equal(certificate.subjectAltName, 'DNS:mail.example.org, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:9')
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1'])
})

test('a name without a common name is the organisation alone', () => {
  assert.equal(new X509Certificate(encoded({ ...planIssuing('example.org', 'x', occasion), subject: { organisation: 'example.org', commonName: null } })).subject, 'O=example.org')
})

/** RFC 5280 §4.2.1.3 and §4.2.1.9: extension, critical, content. */
// prettier-ignore
const extensions: readonly (readonly [what: string, plan: CertificatePlan, hex: string])[] = [
  ['a root may have any number of CAs below it', planRoot('example.org', 'Root', occasion),       '0603551d130101ff040530030101ff'],
  ['an issuing CA none',                         planIssuing('example.org', 'Issuing', occasion), '0603551d130101ff040830060101ff020100'],
  ['a leaf is no CA',                            planOf(planServer(['x.example'], 'p256', issuer, occasion)), '0603551d130101ff04023000'],
  ['a CA signs certificates and CRLs',           planRoot('example.org', 'Root', occasion),       '0603551d0f0101ff040403020106'],
  ['an EC leaf signs',                           planOf(planServer(['x.example'], 'p256', issuer, occasion)), '0603551d0f0101ff040403020780'],
  ['an RSA server also takes secrets',           planOf(planServer(['x.example'], 'rsa2048', issuer, occasion)), '0603551d0f0101ff0404030205a0'],
  ['whose key it is',                            planRoot('example.org', 'Root', occasion),       '0603551d0e04050403010203'],
  ['whose key signed it',                        planRoot('example.org', 'Root', occasion),       '0603551d23040730058003040506'],
]

for (const [what, plan, hex] of extensions) {
  test(`extension: ${what}`, () => assert.ok(Buffer.from(encoded(plan)).toString('hex').includes(hex)))
}
