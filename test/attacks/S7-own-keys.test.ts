/**
 * S7: nothing in a certificate may pass for what a fingerprint, an alternative name or a pattern names.
 *
 * As in S7-names.test.ts the CA is trusted and only what it writes lies; each certificate goes through a
 * real handshake and the real policy.
 */

import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import type { ClientIdentity, Holder } from '../../src/core/names/identity.ts'
import { TAG } from '../../src/core/names/der-reader.ts'
import {
  address,
  alternativeNames,
  certificateAuthority,
  dnsName,
  ecKeys,
  makeCertificate,
  makeName,
  purposes,
  simpleName,
  uri,
} from '../support/certificate-maker.ts'
import type { MadeCertificate } from '../support/certificate-maker.ts'
import { CLIENT_AUTH, identityAfterHandshake } from '../support/handshakes.ts'
import { mayRelay } from '../support/may-relay.ts'

const O = '2.5.4.10'
const OU = '2.5.4.11'
const CN = '2.5.4.3'

const ours = makeCertificate({ subject: simpleName([O, 'Example'], [CN, 'Our CA']), extensions: certificateAuthority() })
const partner = makeCertificate({ subject: simpleName([O, 'Partner'], [CN, 'Partner CA']), extensions: certificateAuthority() })
const machine: Holder = { name: 'web7', kind: 'machine', senders: [] }

/** What our own index knows. */
const live = new Map<string, Holder>()

function issue(authority: MadeCertificate, subject: Uint8Array, ...names: readonly Uint8Array[]): MadeCertificate {
  const extensions = [purposes(CLIENT_AUTH), ...(names.length === 0 ? [] : [alternativeNames(...names)])]
  const certificate = makeCertificate({ subject, issuer: authority, extensions })
  if (authority === ours) live.set(sha256(certificate.der), machine)
  return certificate
}

async function identityOf(certificate: MadeCertificate): Promise<ClientIdentity> {
  const trust = { own: [ours], foreign: [partner], index: { live, revoked: new Map() } }
  const identity = await identityAfterHandshake(trust, { certificate }, 'TLSv1.3')
  return typeof identity === 'string' ? assert.fail(identity) : identity
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

const plain = simpleName([O, 'Example'], [CN, 'somebody'])

test('S7: the names that lines were written for do relay', async () => {
  const identity = await identityOf(issue(ours, plain, address('joe@example.org'), dnsName('web7.example.org'), uri('spiffe://example.org/mailer')))
  for (const name of ['joe@example.org', '@example.org', 'web7.example.org', 'spiffe://example.org/mailer']) {
    assert.equal(mayRelay(identity, `CERTSAN:${name} RELAY\n`), true, name)
  }
})

// prettier-ignore
const lies: readonly (readonly [what: string, line: string, name: Uint8Array])[] = [
  ['an address as a DNS name',           'joe@example.org',             dnsName('joe@example.org')],
  ['an address as a URI',                'joe@example.org',             uri('joe@example.org')],
  ['an address with a NUL behind it',    'joe@example.org',             address('joe@example.org\0.evil.test')],
  ['an address with a line end',         'joe@example.org',             address('joe@example.org\nx')],
  ['an address in quotation marks',      'joe@example.org',             address('"joe@example.org"@evil.test')],
  ['an address before another',          'joe@example.org',             address('joe@example.org@evil.test')],
  ['a mailto: URI',                      'joe@example.org',             uri('mailto:joe@example.org')],
  ['a domain key itself',                '@example.org',                address('@example.org')],
  ['a domain key as a DNS name',         '@example.org',                dnsName('@example.org')],
  ['an address below the domain',        '@example.org',                address('joe@evil.example.org')],
  ['an address in a domain that ends so', '@example.org',               address('joe@evilexample.org')],
  ['a host as an address',               'web7.example.org',            address('web7.example.org')],
  ['a host as a URI',                    'web7.example.org',            uri('web7.example.org')],
  ['a host with a NUL behind it',        'web7.example.org',            dnsName('web7.example.org\0.evil.test')],
  ['a wildcard',                         'web7.example.org',            dnsName('*.example.org')],
  ['a wildcard, taken by its letters',   '*.example.org',               dnsName('*.example.org')],
  ['a host below',                       'web7.example.org',            dnsName('a.web7.example.org')],
  ['a URI in other letters',             'spiffe://example.org/Mailer', uri('spiffe://example.org/mailer')],
  ['a URI as a DNS name',                'spiffe://example.org/mailer', dnsName('spiffe://example.org/mailer')],
  ['a fingerprint as a name',            'certfp:00',                   uri('certfp:00')],
]

for (const [what, line, name] of lies) {
  test(`S7: ${what} is not ${line}`, async () => {
    const identity = await identityOf(issue(ours, plain, name))
    assert.equal(identity.kind, 'verified', 'the CA is trusted; only the name lies')
    assert.equal(mayRelay(identity, `CERTSAN:${line} RELAY\nCERTFP:00 RELAY\n`), line === 'certfp:00')
  })
}

test('S7: a common name is no alternative name, and no alternative name is a common name', async () => {
  const access = 'CERTSAN:web7.example.org RELAY\nCERTSUBJECT~:/O=Example/CN=mail.example.org RELAY\n'
  assert.equal(mayRelay(await identityOf(issue(ours, simpleName([O, 'Example'], [CN, 'web7.example.org']))), access), false)
  assert.equal(mayRelay(await identityOf(issue(ours, plain, dnsName('mail.example.org'))), access), false)
})

// prettier-ignore
const subjects: readonly (readonly [what: string, name: Uint8Array, isMatch: boolean])[] = [
  ['the name it was written for',        simpleName([O, 'Example'], [CN, 'a.example.org']),                true],
  ['a separator inside a value',         simpleName([O, 'Example/CN=a.example.org']),                      false],
  ['a separator that was escaped',       simpleName([O, 'Example\\/CN=a.example.org']),                    false],
  ['an encoded separator',               simpleName([O, 'Example+2FCN=a.example.org']),                    false],
  ['another attribute before',           simpleName([O, 'Evil'], [O, 'Example'], [CN, 'a.example.org']),   false],
  ['another attribute between',          simpleName([O, 'Example'], [OU, 'x'], [CN, 'a.example.org']),     false],
  ['another common name before',         simpleName([O, 'Example'], [CN, 'evil'], [CN, 'a.example.org']),  false],
  ['another common name behind',         simpleName([O, 'Example'], [CN, 'a.example.org'], [CN, 'evil']),  false],
  ['one RDN instead of two',             makeName([[{ type: O, tag: TAG.utf8String, value: Buffer.from('Example') }, { type: CN, tag: TAG.utf8String, value: Buffer.from('a.example.org') }]]), false],
  ['a NUL behind',                       simpleName([O, 'Example'], [CN, 'a.example.org\0']),              false],
  ['a NUL before',                       simpleName([O, 'Example'], [CN, 'evil.test\0.example.org']),      false],
  ['the pattern itself',                 simpleName([O, 'Example'], [CN, '*.example.org']),                true],
  ['a star for the organisation',        simpleName([O, '*'], [CN, 'a.example.org']),                      false],
  ['two stars',                          simpleName([O, '**'], [CN, 'a.example.org']),                     false],
  ['a name that was cut',                simpleName([O, 'Example'], [CN, 'a.example.org'], [OU, 'y'.repeat(240)]), false],
]

for (const [what, name, isMatch] of subjects) {
  test(`S7: a pattern and ${what}`, async () => {
    const identity = await identityOf(issue(ours, name))
    assert.equal(mayRelay(identity, 'CERTSUBJECT~:/O=Example/CN=*.example.org RELAY\n'), isMatch)
  })
}

test('S8: the names that another CA writes give nothing until the map lets that CA relay', async () => {
  const identity = await identityOf(issue(partner, simpleName([O, 'Example'], [CN, 'joe']), address('joe@example.org'), dnsName('web7.example.org')))
  const byName = 'CERTSAN:joe@example.org RELAY\nCERTSAN:@example.org RELAY\nCERTSUBJECT~:/O=Example/** RELAY\n'
  assert.equal(mayRelay(identity, byName), false)
  assert.equal(mayRelay(identity, `${byName}CERTISSUER:/O=Partner/CN=Partner+20CA OK\n`), false)
  assert.equal(mayRelay(identity, `${byName}CERTISSUER:/O=Partner/CN=Partner+20CA SUBJECT\n`), true)
})

test('S8: what refuses counts whoever wrote the name', async () => {
  const identity = await identityOf(issue(partner, simpleName([O, 'Partner'], [CN, 'gw']), address('gw@partner.test')))
  const relay = 'CERTISSUER:/O=Partner/CN=Partner+20CA RELAY\n'
  assert.equal(mayRelay(identity, relay), true)
  for (const line of ['CERTSAN:gw@partner.test', 'CERTSAN:@partner.test', 'CERTSUBJECT~:/O=Partner/CN=gw']) {
    assert.equal(mayRelay(identity, `${relay}${line} REJECT\n`), false, line)
  }
})

test('S7: a fingerprint names one certificate, or all with one key, and holds without a name', async () => {
  const keys = ecKeys()
  const one = makeCertificate({ subject: makeName([]), issuer: partner, extensions: [purposes(CLIENT_AUTH)], keys })
  const other = makeCertificate({ subject: plain, issuer: partner, extensions: [purposes(CLIENT_AUTH)], keys })
  const certificateHash = sha256(one.der)
  const keyHash = sha256(new X509Certificate(one.der).publicKey.export({ type: 'spki', format: 'der' }))
  const colons = (hash: string): string => (hash.toUpperCase().match(/../g) ?? []).join(':')
  for (const [hash, others] of [[certificateHash, false], [keyHash, true]] as const) {
    for (const line of [`CERTFP:${hash}`, `certfp:${colons(hash)}`]) {
      assert.equal(mayRelay(await identityOf(one), `${line} RELAY\n`), true, line)
      assert.equal(mayRelay(await identityOf(other), `${line} RELAY\n`), others, line)
    }
  }
  assert.equal(mayRelay(await identityOf(one), `CERTFP:${certificateHash.slice(0, 63)} RELAY\nCERTFP: RELAY\n`), false)
})

test('S8: a fingerprint lets nobody in whose certificate does not count', async () => {
  const stranger = makeCertificate({ subject: simpleName([CN, 'Stranger']), extensions: certificateAuthority() })
  const certificate = issue(stranger, plain)
  const identity = await identityOf(certificate)
  assert.equal(identity.kind, 'unverified')
  assert.equal(mayRelay(identity, `CERTFP:${sha256(certificate.der)} RELAY\n`), false)
})
