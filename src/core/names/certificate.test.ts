import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { address, alternativeNames, certificateAuthority, dnsName, extension, makeCertificate, makeName, purposes, rsaKeys, simpleName } from '../../../test/support/certificate-maker.ts'
import { bmpString, element, implicit, oid, sequence } from '../pki/der-writer.ts'
import { parseCertificate } from './certificate.ts'
import { TAG } from './der-reader.ts'
import { accessMapName } from './distinguished-name.ts'

const joe = simpleName(['2.5.4.10', 'Example'], ['2.5.4.3', 'joe'])

function parsed(der: Uint8Array) {
  const certificate = parseCertificate(der)
  assert.ok(certificate.ok, certificate.ok ? '' : certificate.problem)
  return certificate.value
}

function problemOf(der: Uint8Array): string | null {
  const certificate = parseCertificate(der)
  return certificate.ok ? null : certificate.problem
}

test('reads what identity and policy need', () => {
  const notBefore = Date.UTC(2020, 1, 29, 12, 30, 59)
  const notAfter = Date.UTC(2050, 0, 1)
  const names = alternativeNames(address('joe@example.test'), dnsName('web7.example.test'), implicit(6, Buffer.from('spiffe://x/y')), implicit(7, Uint8Array.of(127, 0, 0, 1)))
  const made = makeCertificate({ subject: joe, notBefore, notAfter, extensions: [purposes('1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.4'), names] })
  const content = parsed(made.der)
  assert.equal(accessMapName(content.subject).text, '/O=Example/CN=joe')
  assert.deepEqual(Buffer.from(content.subjectName), Buffer.from(joe))
  assert.deepEqual([content.notBefore, content.notAfter], [notBefore, notAfter])
  assert.deepEqual(content.purposes, ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.4'])
  assert.deepEqual([content.addresses, content.dnsNames, content.uris], [['joe@example.test'], ['web7.example.test'], ['spiffe://x/y']])
  assert.deepEqual(Buffer.from(content.publicKeyInfo), made.keys.publicKey.export({ type: 'spki', format: 'der' }))
  assert.equal(content.isAuthority, false)
  assert.equal(content.flaw, null)
})

test('a certificate without extensions is for any purpose and no authority', () => {
  const content = parsed(makeCertificate({ subject: joe }).der)
  assert.equal(content.purposes, null)
  assert.equal(content.isAuthority, false)
})

test('knows an authority, and one that says it is none', () => {
  assert.equal(parsed(makeCertificate({ subject: joe, extensions: certificateAuthority(0) }).der).isAuthority, true)
  assert.equal(parsed(makeCertificate({ subject: joe, extensions: [extension('2.5.29.19', sequence(), 'critical')] }).der).isAuthority, false)
})

test('S7: alternative names with characters that no such name has are left out', () => {
  const names = alternativeNames(address('joe@example.test\0.evil.test'), address('joe @example.test'), address('joe@example.test\n'), address('jo\xe9@example.test'), address(''), dnsName('good.example.test'))
  const content = parsed(makeCertificate({ subject: joe, extensions: [names] }).der)
  assert.deepEqual([content.addresses, content.dnsNames], [[], ['good.example.test']])
})

test('names what nobody should trust', () => {
  const flawOf = (wanted: Parameters<typeof makeCertificate>[0]): string | null => parsed(makeCertificate(wanted).der).flaw
  assert.match(flawOf({ subject: joe, digest: 'sha1' }) ?? '', /SHA-1/)
  assert.match(flawOf({ subject: joe, digest: 'sha1', keys: rsaKeys(2048) }) ?? '', /SHA-1/)
  assert.match(flawOf({ subject: joe, keys: rsaKeys(1024) }) ?? '', /1024 bits/)
  assert.equal(flawOf({ subject: joe, keys: rsaKeys(2048) }), null)
  assert.match(flawOf({ subject: joe, extensions: [extension('1.2.3.4', sequence(), 'critical')] }) ?? '', /1\.2\.3\.4/)
  assert.equal(flawOf({ subject: joe, extensions: [extension('1.2.3.4', sequence())] }), null)
})

const attribute = (tag: number, value: Uint8Array): Uint8Array => makeName([[{ type: '2.5.4.3', tag, value }]])

// prettier-ignore
const malformedNames: readonly (readonly [what: string, subject: Uint8Array])[] = [
  ['UTF-8 that is none',             attribute(TAG.utf8String, Uint8Array.of(0xc3, 0x28))],
  ['half a character of BMPString',  attribute(TAG.bmpString, Uint8Array.of(0))],
  ['half a character of UniversalString', attribute(TAG.universalString, Uint8Array.of(0, 0, 0))],
  ['an OCTET STRING',                attribute(TAG.octetString, Uint8Array.of(0x61))],
  ['a SEQUENCE',                     attribute(TAG.sequence, bmpString('x'))],
  ['a bit string of seven bits',     attribute(TAG.bitString, Uint8Array.of(1, 0x80))],
  ['an empty bit string',            attribute(TAG.bitString, Uint8Array.of())],
  ['an RDN without attributes',      sequence(element(TAG.set))],
  ['an attribute without a value',   sequence(element(TAG.set, sequence(oid('2.5.4.3'))))],
  ['an attribute with two values',   sequence(element(TAG.set, sequence(oid('2.5.4.3'), element(TAG.utf8String), element(TAG.utf8String))))],
  ['an attribute type that is none', sequence(element(TAG.set, sequence(element(TAG.oid, Uint8Array.of(0x80, 1)), element(TAG.utf8String))))],
]

for (const [what, subject] of malformedNames) {
  test(`refuses a name with ${what}`, () => assert.match(problemOf(makeCertificate({ subject }).der) ?? '', /the (?:subject|issuer)/))
}

test('refuses an extension that is there twice', () => {
  const twice = [alternativeNames(address('a@example.test')), alternativeNames(address('b@example.test'))]
  assert.match(problemOf(makeCertificate({ subject: joe, extensions: twice }).der) ?? '', /2\.5\.29\.17 is there twice/)
})

for (const time of ['20260230000000Z', '20261301000000Z', '20260101240000Z', '2026010100000Z', '20260101000000+0100', '202601010000Z']) {
  test(`refuses ${time} as a time`, () => {
    // The time of a certificate that is otherwise right, replaced where it stands.
    const made = makeCertificate({ subject: joe, notBefore: Date.UTC(2060, 0, 1), notAfter: Date.UTC(2061, 0, 1) })
    const der = Buffer.from(made.der)
    const at = der.indexOf('20600101000000Z')
    const changed = Buffer.concat([der.subarray(0, at), Buffer.from(time.padEnd(15, ' ').slice(0, 15)), der.subarray(at + 15)])
    assert.equal(problemOf(changed), 'notBefore is not a time')
  })
}

test('refuses bytes behind the certificate', () => {
  const { der } = makeCertificate({ subject: joe })
  assert.match(problemOf(Buffer.concat([der, Uint8Array.of(0)])) ?? '', /followed by something else/)
})

test('refuses every certificate that is cut short', () => {
  const { der } = makeCertificate({ subject: joe, extensions: [purposes('1.3.6.1.5.5.7.3.2')] })
  for (let length = 0; length < der.length; length++) assert.notEqual(problemOf(der.subarray(0, length)), null, `${length} bytes`)
})

test('no change of a byte makes it throw', () => {
  const { der } = makeCertificate({ subject: joe, extensions: [purposes('1.3.6.1.5.5.7.3.2'), alternativeNames(address('joe@example.test'))] })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: der.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }), changes => {
      const changed = Uint8Array.from(der)
      for (const [at, byte] of changes) changed[at] = byte
      const result = parseCertificate(changed)
      assert.equal(typeof result.ok, 'boolean')
    }),
    { numRuns: 2000 },
  )
})
