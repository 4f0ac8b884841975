/**
 * S7: a name that a trusted CA signed must not pass for another name.
 *
 * Here the CA is trusted and only its names lie. Each goes through a real handshake and the real
 * policy, with an access map that was written for somebody else.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientIdentity } from '../../src/core/names/identity.ts'
import { TAG } from '../../src/core/names/der-reader.ts'
import { certificateAuthority, makeCertificate, makeName, purposes, simpleName } from '../support/certificate-maker.ts'
import type { Attribute, MadeCertificate } from '../support/certificate-maker.ts'
import { CLIENT_AUTH, identityAfterHandshake } from '../support/handshakes.ts'
import { mayRelay } from '../support/may-relay.ts'

const O = '2.5.4.10'
const CN = '2.5.4.3'

const partner = makeCertificate({ subject: simpleName([O, 'Partner'], [CN, 'Partner CA']), extensions: certificateAuthority() })
const PARTNER = '/O=Partner/CN=Partner+20CA'

async function identityOf(subject: Uint8Array, authority: MadeCertificate = partner): Promise<ClientIdentity> {
  const certificate = makeCertificate({ subject, issuer: authority, extensions: [purposes(CLIENT_AUTH)] })
  const identity = await identityAfterHandshake({ own: [], foreign: [authority], index: { live: new Map(), revoked: new Map() } }, { certificate }, 'TLSv1.3')
  return typeof identity === 'string' ? assert.fail(identity) : identity
}

const accessFor = (subject: string): string => `CERTISSUER:${PARTNER} SUBJECT\nCERTSUBJECT:${subject} RELAY\n`

const text = (type: string, value: string, tag: number = TAG.utf8String): Attribute => ({ type, tag, value: Buffer.from(value) })
const bytes = (type: string, hex: string, tag: number): Attribute => ({ type, tag, value: Buffer.from(hex, 'hex') })

type Victim = { readonly line: string; readonly name: Uint8Array }

const admin: Victim = { line: '/O=Foo/CN=admin', name: simpleName([O, 'Foo'], [CN, 'admin']) }
const slash: Victim = { line: '/O=Foo+5C/CN=admin', name: simpleName([O, 'Foo/CN=admin']) }
const utf8: Victim = { line: '/CN=Zo+5CxC3+5CxAB', name: simpleName([CN, 'Zoë']) }
const plus: Victim = { line: '/CN=joe+2BOU=Unit', name: makeName([[text('2.5.4.11', 'Unit'), text(CN, 'joe')]]) }
const user: Victim = { line: '/UID=joe', name: simpleName(['0.9.2342.19200300.100.1.1', 'joe']) }
/** With its tag, all that a key of an access map may have: 256 bytes. */
const long: Victim = { line: `/O=${'y'.repeat(234)}/CN=joe`, name: simpleName([O, 'y'.repeat(234)], [CN, 'joe']) }
const nul: Victim = { line: '/CN=+5Cx00j', name: simpleName([CN, '\0j']) }

for (const { line, name } of [admin, slash, utf8, plus, user, long, nul]) {
  test(`S7: the one it was written for relays: ${line.slice(0, 30)}`, async () => assert.equal(mayRelay(await identityOf(name), accessFor(line)), true))
}

// prettier-ignore
const attacks: readonly (readonly [what: string, victim: Victim, name: Uint8Array])[] = [
  ['a separator inside a value',            admin, simpleName([O, 'Foo/CN=admin'])],
  ['a separator that was escaped already',  admin, simpleName([O, 'Foo\\/CN=admin'])],
  ['an encoded separator',                  admin, simpleName([O, 'Foo+2FCN=admin'])],
  ['another order of attributes',           admin, simpleName([CN, 'admin'], [O, 'Foo'])],
  ['one RDN instead of two',                admin, makeName([[text(O, 'Foo'), text(CN, 'admin')]])],
  ['a second common name behind',           admin, simpleName([O, 'Foo'], [CN, 'admin'], [CN, 'eve'])],
  ['a second common name before',           admin, simpleName([O, 'Foo'], [CN, 'eve'], [CN, 'admin'])],
  ['a prefix',                              admin, simpleName(['2.5.4.6', 'US'], [O, 'Foo'], [CN, 'admin'])],
  ['a beginning only',                      admin, simpleName([O, 'Foo'])],
  ['a NUL at the end',                      admin, simpleName([O, 'Foo'], [CN, 'admin\0'])],
  ['a NUL and more',                        admin, simpleName([O, 'Foo'], [CN, 'admin\0.evil.test'])],
  ['a line end',                            admin, simpleName([O, 'Foo'], [CN, 'admin\n'])],
  ['a line end and another access line',    admin, simpleName([O, 'Foo'], [CN, 'x\nCERTSUBJECT:/O=Foo/CN=admin RELAY'])],
  ['a space at the end',                    admin, simpleName([O, 'Foo'], [CN, 'admin '])],
  ['an empty attribute',                    admin, simpleName([O, 'Foo'], [CN, 'admin'], [O, ''])],
  ['BMPString',                             admin, makeName([[text(O, 'Foo')], [bytes(CN, '00610064006d0069006e', TAG.bmpString)]])],
  ['another type with the same end',        admin, makeName([[text(O, 'Foo')], [text('1.2.3.4', 'x/CN=admin')]])],
  ['a type that is not a common name',      admin, simpleName([O, 'Foo'], ['2.5.4.41', 'admin'])],
  ['letters that look alike',               admin, simpleName([O, 'Foo'], [CN, '\u0430dmin'])],
  ['letters that fold alike',               admin, simpleName([O, 'Foo'], [CN, 'adm\u0131n'])],
  ['full-width letters',                    admin, simpleName([O, 'Foo'], [CN, '\uff41dmin'])],
  ['a backslash before a true separator',   slash, simpleName([O, 'Foo\\'], [CN, 'admin'])],
  ['the true separator itself',             slash, admin.name],
  ['a backslash more',                      slash, simpleName([O, 'Foo\\/CN=admin'])],
  ['an escape written out',                 utf8,  simpleName([CN, 'Zo\\xC3\\xAB'])],
  ['the bytes of UTF-8 as TeletexString',   utf8,  makeName([[bytes(CN, '5a6fc3ab', TAG.teletexString)]])],
  ['the bytes of UTF-8 as IA5String',       utf8,  makeName([[bytes(CN, '5a6fc3ab', TAG.ia5String)]])],
  ['the letter as Teletex has it',          utf8,  makeName([[bytes(CN, '5a6feb', TAG.teletexString)]])],
  ['the letter in two characters',          utf8,  simpleName([CN, 'Zoe\u0308'])],
  ['BMPString of the same bytes',           utf8,  makeName([[bytes(CN, '5a6fc3ab', TAG.bmpString)]])],
  ['what is added inside one RDN',          plus,  simpleName([CN, 'joe+OU=Unit'])],
  ['two RDNs instead of one',               plus,  simpleName([CN, 'joe'], ['2.5.4.11', 'Unit'])],
  ['an encoded sign',                       plus,  simpleName([CN, 'joe+2BOU=Unit'])],
  ['BMPString of the bytes of UTF-8',       nul,   makeName([[bytes(CN, '006a', TAG.bmpString)]])],
  ['bits of the bytes of UTF-8',            nul,   makeName([[bytes(CN, '00006a', TAG.bitString)]])],
  ['another type whose name differs in case', user, simpleName(['0.9.2342.19200300.100.1.44', 'joe'])],
  ['what is cut off behind',                long,  simpleName([O, 'y'.repeat(234)], [CN, 'joe'], [CN, 'somebody else'])],
]

for (const [what, victim, name] of attacks) {
  test(`S7: ${what} is not ${victim.line.slice(0, 30)}`, async () => {
    const identity = await identityOf(name)
    assert.equal(identity.kind, 'verified', 'the CA is trusted; only the name lies')
    assert.equal(mayRelay(identity, accessFor(victim.line)), false)
  })
}

// prettier-ignore
const nameless: readonly (readonly [what: string, line: string, name: Uint8Array])[] = [
  ['a name without attributes', '',                      makeName([])],
  ['a name that is too long to start', '',               simpleName([CN, 'x'.repeat(254)])],
  ['a name that was cut',       `/O=${'y'.repeat(240)}`, simpleName([O, 'y'.repeat(240)], [CN, 'somebody else'])],
  ['a backslash',               '/CN=a+5Cb',             simpleName([CN, 'a\\b'])],
]

for (const [what, line, name] of nameless) {
  test(`S7: ${what} matches no line at all, not even its own form`, async () => {
    const identity = await identityOf(name)
    assert.equal(identity.kind === 'verified' ? identity.certificate.subject : null, line)
    assert.equal(mayRelay(identity, accessFor(line)), false)
  })
}

// prettier-ignore
const olderSpelling: readonly (readonly [line: string, name: Uint8Array, mayRelay: boolean])[] = [
  ['/O=Foo/CN=darth+2Bcert@endor.test', simpleName([O, 'Foo'], [CN, 'darth+cert@endor.test']),    true],
  ['/O=Foo/CN=smtp/mx.test',            simpleName([O, 'Foo'], [CN, 'smtp/mx.test']),             true],
  ['/O=Foo/CN=admin',                   simpleName([O, 'Foo/CN=admin']),                          false],
  ['/O=Foo/CN=admin',                   makeName([[text(O, 'Foo'), text(CN, 'admin')]]),          false],
  ['/O=Foo+2BCN=admin',                 simpleName([O, 'Foo+CN=admin']),                          false],
  ['/O=Foo+2BCN=admin',                 makeName([[text(O, 'Foo'), text(CN, 'admin')]]),          true],
]

for (const [line, name, expected] of olderSpelling) {
  test(`S7: a line ${line} in the spelling of OpenSSL before 3.0 means one name (${expected})`, async () => assert.equal(mayRelay(await identityOf(name), accessFor(line)), expected))
}

test('S7: an issuer whose name was cut matches no line', async () => {
  const authority = makeCertificate({ subject: simpleName([O, 'z'.repeat(240)], [CN, 'One of many CAs']), extensions: certificateAuthority() })
  const identity = await identityOf(simpleName([CN, 'joe']), authority)
  assert.equal(identity.kind === 'verified' ? identity.certificate.issuer : null, `/O=${'z'.repeat(240)}`)
  assert.equal(mayRelay(identity, `CERTISSUER:/O=${'z'.repeat(240)} RELAY\n`), false)
})

test('S7: an issuer without a name is nobody', async () => {
  const authority = makeCertificate({ subject: simpleName([CN, 'x'.repeat(254)]), extensions: certificateAuthority() })
  const identity = await identityOf(simpleName([CN, 'joe']), authority)
  assert.equal(identity.kind, 'unverified')
  assert.equal(mayRelay(identity, 'CERTISSUER: RELAY\n'), false)
})

test('S7: names that differ in case only are one name to an access map, as to sendmail', async () => {
  assert.equal(mayRelay(await identityOf(simpleName([O, 'FOO'], [CN, 'Admin'])), accessFor(admin.line)), true)
})

test('S7: the string type of plain ASCII makes no difference', async () => {
  for (const tag of [TAG.printableString, TAG.teletexString, TAG.ia5String]) {
    assert.equal(mayRelay(await identityOf(makeName([[text(O, 'Foo', tag)], [text(CN, 'admin', tag)]])), accessFor(admin.line)), true)
  }
})
