import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identify } from './identify.ts'
import type { CertificateLookup, HandshakeFacts, PresentedCertificate, TrustedAuthority } from './identify.ts'
import type { CertificateProblem, PeerCertificate } from './identity.ts'

const NOW = 1_000_000
const OWN = '/O=Example/CN=Issuing'
const PARTNER = '/O=Partner/CN=CA'

const joe: PeerCertificate = {
  subject: '/O=Example/CN=joe',
  issuer: OWN,
  cnSubject: 'joe',
  cnIssuer: 'Issuing',
  fingerprint: 'f-joe',
  keyFingerprint: 'k-joe',
  serial: '1',
  notBefore: NOW - 10,
  notAfter: NOW + 10,
  addresses: ['joe@example.test'],
  dnsNames: [],
  uris: [],
}

const trusted: readonly TrustedAuthority[] = [
  { subject: OWN, keyFingerprint: 'k-own', own: true },
  { subject: PARTNER, keyFingerprint: 'k-partner', own: false },
]

const holder = { name: 'joe', kind: 'person', senders: ['joe@example.test'] } as const

const index: CertificateLookup = {
  live: new Map([['f-joe', holder]]),
  revoked: new Map([['f-eve', { name: 'eve', revokedAt: 77 }]]),
}

type Change = {
  readonly certificate?: Partial<PeerCertificate>
  readonly presented?: Partial<PresentedCertificate>
  readonly facts?: Partial<HandshakeFacts>
  readonly trusted?: readonly TrustedAuthority[]
}

const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', cipherBits: 256 }

function identityOf(change: Change) {
  const certificate = { ...joe, ...change.certificate }
  const presented = { certificate, isAuthority: false, isForClients: true, flaw: null, unreadable: null, ...change.presented }
  const facts = { tls, presented, chainVerified: true, chainError: null, issuerKeyFingerprint: 'k-own', ...change.facts }
  return identify(facts, change.trusted ?? trusted, index, NOW)
}

function check(name: string, change: Change, expected: CertificateProblem): void {
  test(name, () => {
    const identity = identityOf(change)
    assert.equal(identity.kind, 'unverified')
    assert.deepEqual(identity.kind === 'unverified' ? identity.problem : null, expected)
  })
}

test('a certificate of our own authority is its holder', () => {
  assert.deepEqual(identityOf({}), { kind: 'verified', tls, certificate: joe, holder })
})

test('a certificate of another trusted authority has no holder', () => {
  const partner = { issuer: PARTNER, fingerprint: 'f-partner' }
  const identity = identityOf({ certificate: partner, facts: { issuerKeyFingerprint: 'k-partner' } })
  assert.deepEqual(identity, { kind: 'verified', tls, certificate: { ...joe, ...partner }, holder: null })
})

test('S6: a handshake without a certificate has no identity, whatever the library says of the chain', () => {
  assert.deepEqual(identityOf({ facts: { presented: null } }), { kind: 'anonymous', tls })
})

const notVerified = { chainVerified: false, chainError: 'CERT_HAS_EXPIRED' } as const
const foreign = { issuer: '/O=Nobody/CN=CA', fingerprint: 'f-foreign' } as const
const unsigned = { chainVerified: false, chainError: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', issuerKeyFingerprint: null } as const

check('a foreign certificate', { certificate: foreign, facts: unsigned }, {
  kind: 'untrusted',
  detail: 'its issuer /O=Nobody/CN=CA is not a trusted CA (UNABLE_TO_GET_ISSUER_CERT_LOCALLY)',
})
check('a certificate of an intermediate CA that is not listed', { certificate: foreign, facts: { issuerKeyFingerprint: 'k-other' } }, {
  kind: 'untrusted',
  detail: 'its issuer /O=Nobody/CN=CA is not a trusted CA; an intermediate CA must be listed itself',
})
check('an issuer without a usable name', { certificate: { issuer: '' }, trusted: [{ subject: '', keyFingerprint: 'k-own', own: false }] }, {
  kind: 'untrusted',
  detail: 'its issuer has no usable name; an intermediate CA must be listed itself',
})
check('a certificate that cannot be read', { presented: { unreadable: 'the serial number is missing' } }, {
  kind: 'untrusted',
  detail: 'the certificate cannot be read: the serial number is missing',
})

check('S8: the name of our CA with another key', { facts: { issuerKeyFingerprint: 'k-evil' } }, { kind: 'lookalikeIssuer' })
check('S8: the name of our CA, signed by nobody we know', { facts: unsigned }, { kind: 'lookalikeIssuer' })
check('S8: the name of our CA in other case, which a rule would match', { certificate: { issuer: OWN.toUpperCase() }, facts: { issuerKeyFingerprint: 'k-evil' } }, {
  kind: 'lookalikeIssuer',
})
check('S8: the key of a trusted CA under the name of another', { facts: { issuerKeyFingerprint: 'k-partner' } }, { kind: 'lookalikeIssuer' })
check('S8: another trusted CA that has our name', { facts: { issuerKeyFingerprint: 'k-twin' }, trusted: [...trusted, { subject: OWN.toLowerCase(), keyFingerprint: 'k-twin', own: false }] }, {
  kind: 'lookalikeIssuer',
})
test('a trusted CA that changed its key may have both for a while', () => {
  const both = [...trusted, { subject: OWN, keyFingerprint: 'k-new', own: true }]
  assert.equal(identityOf({ trusted: both }).kind, 'verified')
  assert.equal(identityOf({ trusted: both, facts: { issuerKeyFingerprint: 'k-new' } }).kind, 'verified')
})

check('a CA as a client', { presented: { isAuthority: true } }, { kind: 'isAuthority' })
check('a server certificate', { presented: { isForClients: false } }, { kind: 'wrongPurpose' })
check('a purpose that only the library saw', { facts: { chainVerified: false, chainError: 'INVALID_PURPOSE' } }, { kind: 'wrongPurpose' })
check('signed by us and unknown to our index', { certificate: { fingerprint: 'f-stolen' } }, { kind: 'notInIndex' })
check('a flaw', { presented: { flaw: 'it is signed with SHA-1' } }, { kind: 'untrusted', detail: 'it is signed with SHA-1' })
check('not valid yet', { certificate: { notBefore: NOW + 1 } }, { kind: 'notYetValid', until: NOW + 1 })
check('expired', { certificate: { notAfter: NOW - 1 }, facts: notVerified }, { kind: 'expired', since: NOW - 1 })
check('expired, though the library says all is well', { certificate: { notAfter: NOW - 1 } }, { kind: 'expired', since: NOW - 1 })
check('an expired CA', { facts: notVerified }, { kind: 'untrusted', detail: 'CERT_HAS_EXPIRED' })
check('a chain that was refused without a reason', { facts: { chainVerified: false } }, { kind: 'untrusted', detail: 'the chain was not verified' })
check('a reason that Node has no word for', { facts: { chainVerified: false, chainError: 'UNSPECIFIED' } }, {
  kind: 'untrusted',
  detail: 'one of its CAs has a weak key or signature, or a constraint that this certificate breaks',
})
check('revoked', { certificate: { fingerprint: 'f-eve' } }, { kind: 'revoked', since: 77, holder: 'eve' })

test('valid to the very ends of its time', () => {
  assert.equal(identityOf({ certificate: { notBefore: NOW } }).kind, 'verified')
  assert.equal(identityOf({ certificate: { notAfter: NOW } }).kind, 'verified')
})

const everything: Change = {
  certificate: { fingerprint: 'f-eve', notAfter: NOW - 1 },
  presented: { isAuthority: true, isForClients: false, flaw: 'weak' },
  facts: { chainVerified: false, chainError: 'CERT_HAS_EXPIRED', issuerKeyFingerprint: 'k-evil' },
}

check('what the administrator did comes first', everything, { kind: 'revoked', since: 77, holder: 'eve' })
check('a lookalike comes before what a renewal would cure', { ...everything, certificate: { notAfter: NOW - 1 } }, { kind: 'lookalikeIssuer' })
check('a foreign certificate is not told to renew', { certificate: { ...foreign, notAfter: NOW - 1 }, facts: { ...unsigned, chainError: 'CERT_HAS_EXPIRED' } }, {
  kind: 'untrusted',
  detail: 'its issuer /O=Nobody/CN=CA is not a trusted CA (CERT_HAS_EXPIRED)',
})
check('a wrong purpose comes before expired', { certificate: { notAfter: NOW - 1 }, presented: { isForClients: false } }, { kind: 'wrongPurpose' })
check('unknown to the index comes before expired', { certificate: { fingerprint: 'f-stolen', notAfter: NOW - 1 } }, { kind: 'notInIndex' })
