/**
 * S8: which chains make an identity.
 *
 * Each certificate goes through a real handshake with our side of TLS. None of them breaks it: a wrong
 * certificate is recorded and judged, and the session goes on without an identity.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import tls from 'node:tls'
import type { CertificateProblem, Holder } from '../../src/core/names/identity.ts'
import { boolean, element, explicit, implicit, sequence } from '../../src/core/pki/der-writer.ts'
import { pemOfCertificate, sha256 } from '../../src/io/x509.ts'
import { address, alternativeNames, certificateAuthority, dnsName, ecKeys, extension, makeCertificate, purposes, rsaKeys, simpleName } from '../support/certificate-maker.ts'
import type { MadeCertificate, Wanted } from '../support/certificate-maker.ts'
import { CLIENT_AUTH, SERVER_AUTH, TLS_VERSIONS, identityAfterHandshake } from '../support/handshakes.ts'
import type { Shown, Trust } from '../support/handshakes.ts'

const DAY = 86_400_000
const now = Date.now()

function ca(commonName: string, change: Partial<Wanted> = {}): MadeCertificate {
  return makeCertificate({ subject: simpleName(['2.5.4.10', 'Example'], ['2.5.4.3', commonName]), extensions: certificateAuthority(), ...change })
}

const root = ca('Root')
const issuing = ca('Issuing', { issuer: root, extensions: certificateAuthority(0) })
const partner = ca('Partner')

function client(change: Partial<Wanted> = {}): MadeCertificate {
  return makeCertificate({ subject: simpleName(['2.5.4.10', 'Example'], ['2.5.4.3', 'joe']), issuer: issuing, extensions: [purposes(CLIENT_AUTH)], ...change })
}

const holder: Holder = { name: 'joe', kind: 'person', senders: ['joe@example.test'] }

/** Our own authority and a partner's; everything that is shown is in our index, unless the test is about that. */
function trust(shown: Shown | null, change: Partial<Trust> = {}): Trust {
  const live = shown === null ? [] : [[sha256(shown.certificate.der), holder] as const]
  return { own: [issuing, root], foreign: [partner], index: { live: new Map(live), revoked: new Map() }, ...change }
}

/** The same certificate with a key on a curve that does not exist. Node throws when such a key is asked for. */
function withUnknownCurve(made: MadeCertificate): MadeCertificate {
  const der = Buffer.from(made.der)
  const curve = der.indexOf(Buffer.from('2a8648ce3d030107', 'hex'))
  assert.ok(curve > 0, 'the key is on P-256')
  der[curve + 7] = 0x7f
  return { ...made, der, pem: pemOfCertificate(der) }
}

async function kindsOf(shown: Shown | null, change: Partial<Trust> = {}): Promise<string> {
  const kinds = new Set<string>()
  for (const version of TLS_VERSIONS) {
    const identity = await identityAfterHandshake(trust(shown, change), shown, version)
    if (typeof identity === 'string') kinds.add(`handshake failed: ${identity}`)
    else kinds.add(identity.kind === 'unverified' ? wordsOf(identity.problem) : identity.kind)
  }
  return [...kinds].join(' / ')
}

function wordsOf(problem: CertificateProblem): string {
  return problem.kind === 'untrusted' ? `untrusted: ${problem.detail}` : problem.kind
}

function check(name: string, shown: Shown | null, expected: string | RegExp, change: Partial<Trust> = {}): void {
  test(`S8: ${name}`, async () => {
    const kinds = await kindsOf(shown, change)
    if (typeof expected === 'string') assert.equal(kinds, expected)
    else assert.match(kinds, expected)
  })
}

check('a certificate of our authority has an identity', { certificate: client() }, 'verified')
check('so has one that sends its chain along', { certificate: client(), chain: [issuing, root] }, 'verified')
check('so has one of a listed partner', { certificate: client({ issuer: partner }) }, 'verified')
check('so has one with an RSA key of 2048 bits', { certificate: client({ keys: rsaKeys(2048) }) }, 'verified')
check('no certificate, no identity', null, 'anonymous')

// What a certificate is for.
check('a server certificate is not for clients', { certificate: client({ extensions: [purposes(SERVER_AUTH)] }) }, 'wrongPurpose')
check('any purpose is not the purpose of a client', { certificate: client({ extensions: [purposes('2.5.29.37.0')] }) }, 'wrongPurpose')
check('a certificate for mail signing is not for clients', { certificate: client({ extensions: [purposes('1.3.6.1.5.5.7.3.4')] }) }, 'wrongPurpose')
check('our issuing CA itself is no client', { certificate: issuing }, 'isAuthority')
check('our root itself is no client', { certificate: root }, 'isAuthority')
check('a CA below ours is no client', { certificate: client({ extensions: [...certificateAuthority(), purposes(CLIENT_AUTH)] }) }, 'isAuthority')

// Who signed it.
check('a self-signed certificate', { certificate: makeCertificate({ subject: simpleName(['2.5.4.3', 'joe']), extensions: [purposes(CLIENT_AUTH)] }) }, /^untrusted: its issuer \/CN=joe is not a trusted CA/)
const stranger = ca('Stranger')
check('a certificate of an unknown CA', { certificate: client({ issuer: stranger }) }, /^untrusted: its issuer \/O=Example\/CN=Stranger is not a trusted CA/)
check('a certificate of an unknown CA that sends its CA along', { certificate: client({ issuer: stranger }), chain: [stranger] }, /^untrusted: its issuer .* is not a trusted CA/)

const unreadable = withUnknownCurve(stranger)
check('a chain with a key of a kind that nobody here can read', { certificate: client({ issuer: stranger }), chain: [unreadable] }, /^untrusted: its issuer .* is not a trusted CA/)

const lookalike = ca('Issuing')
check('a CA with the name of ours and another key', { certificate: client({ issuer: lookalike }) }, 'lookalikeIssuer')
check('the same, sending its CA along', { certificate: client({ issuer: lookalike }), chain: [lookalike] }, 'lookalikeIssuer')
check('the same, with our real CA behind it', { certificate: client({ issuer: lookalike }), chain: [issuing, root] }, 'lookalikeIssuer')
const shouting = ca('ISSUING')
check('a CA with the name of ours in capitals', { certificate: client({ issuer: shouting }), chain: [shouting] }, 'lookalikeIssuer')
const shadow = ca('Issuing', { issuer: partner })
check('a partner that names a CA of its own like ours', { certificate: client({ issuer: shadow }), chain: [shadow] }, 'lookalikeIssuer')
check('the same, were its CA listed', { certificate: client({ issuer: shadow }), chain: [shadow] }, 'lookalikeIssuer', { foreign: [partner, shadow] })
const selfMade = makeCertificate({ subject: simpleName(['2.5.4.10', 'Example'], ['2.5.4.3', 'Issuing']), extensions: [purposes(CLIENT_AUTH)] })
check('a self-signed certificate with the name of our CA', { certificate: selfMade }, 'lookalikeIssuer')

// Chains.
const below = ca('Below', { issuer: issuing })
check('a CA below ours, which may have none (path length)', { certificate: client({ issuer: below }), chain: [below] }, /^untrusted: its issuer \/O=Example\/CN=Below is not a trusted CA/)
check('the same, were it listed', { certificate: client({ issuer: below }), chain: [below] }, /^untrusted: PATH_LENGTH_EXCEEDED/, { foreign: [below] })
const notCa = client()
check('a person that signs for others', { certificate: client({ issuer: notCa }), chain: [notCa] }, /^untrusted: its issuer \/O=Example\/CN=joe is not a trusted CA/)
const bought = ca('Bought', { issuer: partner })
check('an intermediate CA of a partner counts only if it is listed', { certificate: client({ issuer: bought }), chain: [bought] }, /^untrusted: .*an intermediate CA must be listed itself$/)
check('an intermediate CA of a partner that is listed', { certificate: client({ issuer: bought }) }, 'verified', { foreign: [partner, bought] })
check('the same, without the root above it', { certificate: client({ issuer: bought }) }, /^untrusted: UNABLE_TO_GET_ISSUER_CERT/, { foreign: [bought] })

const mailOfPartner = extension('2.5.29.30', sequence(constructed(0, sequence(implicit(1, Buffer.from('partner.test'))))), 'critical')
const constrained = ca('Constrained', { extensions: [...certificateAuthority(), mailOfPartner] })
const withAddress = (text: string): MadeCertificate => client({ issuer: constrained, extensions: [purposes(CLIENT_AUTH), alternativeNames(address(text), dnsName('x.test'))] })
check('an address within the name constraints of its CA', { certificate: withAddress('ann@partner.test') }, 'verified', { foreign: [constrained] })
check('an address outside the name constraints of its CA', { certificate: withAddress('ann@example.test') }, /^untrusted: /, { foreign: [constrained] })

// When.
check('an expired certificate', { certificate: client({ notAfter: now - 1000 }) }, 'expired')
check('a certificate that is not valid yet', { certificate: client({ notBefore: now + DAY, notAfter: now + 2 * DAY }) }, 'notYetValid')
const oldRoot = ca('Old', { notBefore: now - 2 * DAY, notAfter: now - DAY })
check('a certificate of an expired CA', { certificate: client({ issuer: oldRoot }) }, 'untrusted: CERT_HAS_EXPIRED', { foreign: [oldRoot] })

// How strong.
check('a signature over SHA-1', { certificate: client({ digest: 'sha1' }) }, 'untrusted: it is signed with SHA-1')
check('an RSA key of 1024 bits', { certificate: client({ keys: rsaKeys(1024) }) }, 'untrusted: its RSA key has only 1024 bits')
const weak = ca('Weak', { keys: rsaKeys(1024) })
check('a CA with an RSA key of 1024 bits', { certificate: client({ issuer: weak }) }, /^untrusted: one of its CAs has a weak key/, { foreign: [weak] })

// What nobody understands.
check('an unknown critical extension', { certificate: client({ extensions: [purposes(CLIENT_AUTH), extension('1.2.3.4', sequence(), 'critical')] }) }, /^untrusted: it has a critical extension that is not understood here \(1\.2\.3\.4\)/)
check('an unknown extension that is not critical', { certificate: client({ extensions: [purposes(CLIENT_AUTH), extension('1.2.3.4', sequence())] }) }, 'verified')
const twice = client({ extensions: [purposes(CLIENT_AUTH), alternativeNames(address('a@example.test')), alternativeNames(address('b@example.test'))] })
check('an extension that is there twice', { certificate: twice }, 'untrusted: the certificate cannot be read: the extension 2.5.29.17 is there twice')
const odd = client({ extensions: [purposes(CLIENT_AUTH), extension('2.5.29.19', sequence(boolean(false)), 'critical')] })
check('a basic constraint that spells out its default', { certificate: odd }, 'verified')

// Our own index.
const live = { certificate: client() }
check('signed with our key and unknown to our index', live, 'notInIndex', { index: { live: new Map(), revoked: new Map() } })
check('revoked', live, 'revoked', { index: { live: new Map(), revoked: new Map([[sha256(live.certificate.der), { name: 'joe', revokedAt: now }]]) } })
const copy = makeCertificate({ subject: live.certificate.name, issuer: issuing, keys: live.certificate.keys, extensions: [purposes(CLIENT_AUTH)] })
test('S8: another certificate for the same name and key is not the one in the index', async () => {
  const index = { live: new Map([[sha256(live.certificate.der), holder]]), revoked: new Map() }
  assert.equal(await kindsOf({ certificate: copy }, { index }), 'notInIndex')
})

test('S8: a holder is who the index says, whatever the certificate says', async () => {
  const shown = { certificate: client({ subject: simpleName(['2.5.4.10', 'Example'], ['2.5.4.3', 'admin']) }) }
  const identity = await identityAfterHandshake(trust(shown), shown, 'TLSv1.3')
  assert.deepEqual(typeof identity !== 'string' && identity.kind === 'verified' ? identity.holder : null, holder)
})

test("S8: the system's roots never count for clients", async t => {
  const before = tls.getCACertificates('default')
  t.after(() => tls.setDefaultCACertificates(before))
  tls.setDefaultCACertificates([...before, stranger.pem])
  assert.match(await kindsOf({ certificate: client({ issuer: stranger }), chain: [stranger] }), /^untrusted: its issuer .* is not a trusted CA \(/)
  assert.match(await kindsOf({ certificate: client({ issuer: stranger }), chain: [stranger] }, { own: [], foreign: [] }), /^untrusted: its issuer .* is not a trusted CA \(/)
})

test('S8: a client cannot show a certificate without its key', async () => {
  const stolen = { ...client(), keyPem: ecKeys().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  await assert.rejects(identityAfterHandshake(trust(null), { certificate: stolen }, 'TLSv1.3'), /key values mismatch/)
})

/** `[number] IMPLICIT` of something constructed. */
function constructed(number: number, content: Uint8Array): Uint8Array {
  return element(explicit(number, content)[0] ?? 0, content)
}
