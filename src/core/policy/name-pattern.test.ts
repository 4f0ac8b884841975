import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { accessMapName } from '../names/distinguished-name.ts'
import type { DistinguishedName } from '../names/distinguished-name.ts'
import { matchesName, nameParts, parseNamePattern } from './name-pattern.ts'

function matches(pattern: string, name: string): boolean {
  const parsed = parseNamePattern(pattern)
  if (!parsed.ok) return assert.fail(`${pattern}: ${parsed.problem}`)
  const parts = nameParts(name)
  return parts !== null && matchesName(parsed.value, parts)
}

// prettier-ignore
const cases: readonly (readonly [pattern: string, name: string, isMatch: boolean])[] = [
  ['/O=Example/CN=*.example.org',   '/O=Example/CN=web7.example.org',             true],
  ['/O=Example/CN=*.example.org',   '/O=Example/CN=a.b.example.org',              true],
  ['/O=Example/CN=*.example.org',   '/O=Example/CN=example.org',                  false],
  ['/O=Example/CN=*.example.org',   '/O=Example/CN=web7.example.org.evil.test',   false],
  ['/O=Example/CN=*.example.org',   '/O=Other/CN=web7.example.org',               false],
  ['/O=Example/CN=*.example.org',   '/O=Example/CN=x/CN=web7.example.org',        false],
  ['/O=Example/CN=*.example.org',   '/O=Example/CN=web7.example.org/CN=joe',      false],
  ['/O=Example/CN=*.example.org',   '/O=Example+2BCN=web7.example.org',           false],
  ['/O=Example/CN=*.example.org',   '/O=Example+5C/CN=web7.example.org',          false],
  ['/O=Example/CN=*.example.org',   '/O=Example/OU=CN=web7.example.org',          false],
  ['/o=example/cn=*.EXAMPLE.org',   '/O=Example/CN=Web7.Example.Org',             true],
  ['/CN=joe*',                      '/CN=joe',                                    true],
  ['/CN=*joe',                      '/CN=joe',                                    true],
  ['/CN=jo*oe',                     '/CN=joe',                                    false],
  ['/CN=*',                         '/CN=',                                       true],
  ['/CN=*',                         '/CN=a+5C/b+5C+2Bc',                          true],
  ['/CN=*',                         '/CN=a/O=b',                                  false],
  ['/CN=*',                         '/OU=a',                                      false],
  ['/CN=joe',                       '/CN=joe',                                    true],
  ['/CN=+2A',                       '/CN=*',                                      true],
  ['/CN=+2A',                       '/CN=joe',                                    false],
  ['/CN=Joe+20*',                   '/CN=Joe+20User',                             true],
  ['/CN=*0User',                    '/CN=Joe+20User',                             false],
  ['/CN=a+5C/*',                    '/CN=a+5C/b',                                 true],
  ['/CN=*+5CxAB',                   '/CN=Zo+5CxC3+5CxAB',                         true],
  ['/CN=*.example.org',             '/CN=evil.test+5Cx00.example.org',            false],
  ['/CN=*',                         '/CN=joe+5Cx0A',                              false],
  ['/CN=joe+5Cx0A',                 '/CN=joe+5Cx0A',                              true],
  ['/CN=*xAB',                      '/CN=Zo+5CxC3+5CxAB',                         false],
  ['/OU=Unit+2BCN=*',               '/OU=Unit+2BCN=joe',                          true],
  ['/OU=Unit+2BCN=*',               '/OU=Unit/CN=joe',                            false],
  ['/OU=Unit/CN=*',                 '/OU=Unit+2BCN=joe',                          false],
  ['/O=Example/**',                 '/O=Example',                                 true],
  ['/O=Example/**',                 '/O=Example/OU=a+2BCN=b/CN=c',                true],
  ['/O=Example/**',                 '/O=Example2/CN=c',                           false],
  ['/**/CN=joe',                    '/CN=joe',                                    true],
  ['/**/CN=joe',                    '/C=US/O=x/CN=joe',                           true],
  ['/**/CN=joe',                    '/C=US/O=x/CN=joe/CN=eve',                    false],
  ['/O=E/**/CN=joe',                '/O=E/CN=joe',                                true],
  ['/O=E/**/O=E',                   '/O=E',                                       false],
  ['/**',                           '/CN=anybody',                                true],
  ['/1.2.3.4=*',                    '/1.2.3.4=x',                                 true],
]

for (const [pattern, name, isMatch] of cases) {
  test(`S7: ${pattern} ${isMatch ? 'matches' : 'does not match'} ${name}`, () => assert.equal(matches(pattern, name), isMatch))
}

for (const text of ['', 'CN=joe', '/CN', '/CN=joe/', '/CN=*a*', '/**/CN=a/**', '/CN=a b', '/CN=a+b', '/CN="a"', '/CN=a+5Cb', '/*=a', '/***', '/CN=é']) {
  test(`not a pattern: ${text}`, () => assert.equal(parseNamePattern(text).ok, false))
}

/** The bytes that could be mistaken for a part of the form are likelier than chance would have them. */
const value = fc
  .array(fc.oneof(fc.constantFrom(...Buffer.from('/+=*CNOab2B5x')), fc.integer({ min: 0, max: 255 })), { maxLength: 10 })
  .map(bytes => Uint8Array.from(bytes.filter(byte => byte !== 0x5c)))

const anyName: fc.Arbitrary<DistinguishedName> = fc
  .array(fc.record({ type: fc.constantFrom('2.5.4.3', '2.5.4.10', '1.2.3'), value, isPlainText: fc.constant(true), startsRdn: fc.boolean() }, { noNullPrototype: true }), { minLength: 1, maxLength: 4 })
  .map(attributes => attributes.map((attribute, at) => (at === 0 ? { ...attribute, startsRdn: true } : attribute)))

const TYPES: Readonly<Record<string, string>> = { '2.5.4.3': 'cn', '2.5.4.10': 'o', '1.2.3': '1.2.3' }

test('S7: the parts of any name are its attributes, byte for byte', () =>
  fc.assert(
    fc.property(anyName, name => {
      const form = accessMapName(name)
      if (form.isAmbiguous) return
      const meant = name.map(({ type, value, startsRdn }) => ({
        shape: `${startsRdn ? '/' : '+'}${TYPES[type]}`,
        value: Buffer.from(value).toString('latin1').replace(/[A-Z]+/g, letters => letters.toLowerCase()),
      }))
      assert.deepEqual(nameParts(form.text), meant)
    }),
    { numRuns: 5000 },
  ))

test('S7: a name taken as a pattern, its stars encoded, matches that name and no other', () =>
  fc.assert(
    fc.property(anyName, anyName, (a, b) => {
      const [formA, formB] = [accessMapName(a), accessMapName(b)]
      if (formA.isAmbiguous || formB.isAmbiguous) return
      const pattern = formA.text.replaceAll('*', '+2A')
      assert.equal(matches(pattern, formA.text), true)
      assert.equal(matches(pattern, formB.text), formA.text.toLowerCase() === formB.text.toLowerCase())
    }),
    { numRuns: 5000 },
  ))

test('S12: names and patterns of any text are read to their end', () =>
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('/', '+', '*', '=', 'C', 'N', '2', 'B', '5', 'x'), maxLength: 400 }), text => {
      const pattern = parseNamePattern(text)
      const parts = nameParts(text)
      if (pattern.ok && parts !== null && !text.includes('*')) assert.equal(matchesName(pattern.value, parts), true)
    }),
  ))
