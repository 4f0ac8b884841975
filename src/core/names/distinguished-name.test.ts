import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runDnCase } from '../../../test/vectors/dn-encoding.ts'
import { accessMapCommonName, accessMapName } from './distinguished-name.ts'
import type { DistinguishedName } from './distinguished-name.ts'

const vectors = JSON.parse(readFileSync(new URL('../../../test/vectors/sendmail/dn-encoding.json', import.meta.url), 'utf8')) as readonly unknown[]

test('writes every name as sendmail does', () => {
  const problems = vectors.map(runDnCase).filter(({ problem }) => problem !== null)
  assert.ok(vectors.length > 100)
  assert.deepEqual(problems, [])
})

/** `CN=joe`, or `+CN=joe` for an attribute of the RDN before it. */
function name(...parts: readonly string[]): DistinguishedName {
  const types: Readonly<Record<string, string>> = { CN: '2.5.4.3', O: '2.5.4.10', OU: '2.5.4.11', C: '2.5.4.6' }
  return parts.map(part => {
    const [, plus, type = '', value = ''] = /^(\+?)([A-Z0-9.]+)=(.*)$/s.exec(part) ?? []
    return { type: types[type] ?? type, value: Buffer.from(value), startsRdn: plus !== '+' }
  })
}

// prettier-ignore
const older: readonly (readonly [parts: readonly string[], current: string, older: string])[] = [
  [['CN=a+b'],             '/CN=a+5C+2Bb',        '/CN=a+2Bb'],
  [['CN=a/b'],             '/CN=a+5C/b',          '/CN=a/b'],
  [['CN=a\\b'],            '/CN=a+5Cb',           '/CN=a+5Cb'],
  [['OU=Unit', '+CN=joe'], '/OU=Unit+2BCN=joe',   '/OU=Unit/CN=joe'],
  [['O=x', 'CN=joe'],      '/O=x/CN=joe',         '/O=x/CN=joe'],
]

for (const [parts, current, before] of older) {
  test(`${parts.join(' ')} in the spelling of OpenSSL 3 and of those before`, () => {
    assert.equal(accessMapName(name(...parts)).text, current)
    assert.equal(accessMapName(name(...parts), 'older').text, before)
  })
}

// prettier-ignore
const ambiguous: readonly (readonly [why: string, parts: readonly string[], isAmbiguous: boolean])[] = [
  ['a plain name is its own',                      ['O=x', 'CN=joe'],            false],
  ['separators in a value are marked',             ['CN=a/b+c'],                 false],
  ['bytes that do not print are marked',           ['CN=a\x00\n\x7fé'],          false],
  ['no name at all',                               [],                           true],
  ['a backslash could mark what follows',          ['CN=a\\'],                   true],
  ['a backslash could be an escape',               ['CN=\\xC3'],                 true],
  ['255 bytes fit',                                [`O=${'y'.repeat(245)}`, 'CN=joe'], false],
  ['256 bytes lose their end',                     [`O=${'y'.repeat(246)}`, 'CN=joe'], true],
  ['a first attribute that does not fit',          [`CN=${'x'.repeat(254)}`],    true],
  ['a type with a long number',                    [`1.3.${'1234567890.'.repeat(8)}1=x`], true],
  ['a type with a number that fits',               ['1.2.3.4=x'],                false],
]

for (const [why, parts, isAmbiguous] of ambiguous) {
  test(`ambiguity: ${why}`, () => assert.equal(accessMapName(name(...parts)).isAmbiguous, isAmbiguous))
}

test('the older spelling is ambiguous wherever it hides a separator', () => {
  assert.equal(accessMapName(name('O=Foo/CN=admin'), 'older').isAmbiguous, true)
  assert.equal(accessMapName(name('O=Foo', '+CN=admin'), 'older').isAmbiguous, true)
  assert.equal(accessMapName(name('O=Foo', 'CN=admin'), 'older').isAmbiguous, false)
})

/** Bytes that matter to the form are likelier than chance would have them. */
const value = fc
  .array(fc.oneof(fc.constantFrom(...Buffer.from('/+=\\xC3 CNOa"<')), fc.integer({ min: 0, max: 255 })), { maxLength: 12 })
  .map(bytes => Uint8Array.from(bytes))

const anyName: fc.Arbitrary<DistinguishedName> = fc
  .array(fc.record({ type: fc.constantFrom('2.5.4.3', '2.5.4.10', '2.5.4.11', '1.2.3'), value, startsRdn: fc.boolean() }, { noNullPrototype: true }), { maxLength: 4 })
  .map(attributes => attributes.map((attribute, at) => (at === 0 ? { ...attribute, startsRdn: true } : attribute)))

for (const spelling of ['current', 'older'] as const) {
  test(`S7: two different names never share a form that is not marked ambiguous (${spelling} spelling)`, () =>
    fc.assert(
      fc.property(anyName, anyName, (a, b) => {
        const formA = accessMapName(a, spelling)
        const formB = accessMapName(b, spelling)
        if (formA.text !== formB.text || formA.isAmbiguous || formB.isAmbiguous) return
        assert.deepEqual(a, b)
      }),
      { numRuns: 20_000 },
    ))

  test(`S7: a form that is not marked ambiguous reads back as its one name (${spelling} spelling)`, () =>
    fc.assert(
      fc.property(anyName, original => {
        const form = accessMapName(original, spelling)
        if (!form.isAmbiguous) assert.deepEqual(readBack(form.text), original)
      }),
      { numRuns: 20_000 },
    ))
}

/** What someone sees who reads a form as its rules were meant. */
function readBack(text: string): DistinguishedName {
  const oneLine = text.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const types: Readonly<Record<string, string>> = { CN: '2.5.4.3', O: '2.5.4.10', OU: '2.5.4.11' }
  return [...oneLine.matchAll(/([/+])([^=]+)=((?:\\[/+]|\\x[0-9A-F]{2}|[^/+\\])*)/g)].map(([, separator, type = '', escaped = '']) => ({
    type: types[type] ?? type,
    value: Uint8Array.from(
      Buffer.from(
        escaped.replace(/\\x([0-9A-F]{2})|\\([/+])/g, (_, hex: string | undefined, sign: string) => (hex === undefined ? sign : String.fromCharCode(Number.parseInt(hex, 16)))),
        'latin1',
      ),
    ),
    startsRdn: separator === '/',
  }))
}

test('the form holds nothing that could end a line of a file or a log', () =>
  fc.assert(
    fc.property(anyName, original => {
      assert.match(accessMapName(original).text, /^[\x21-\x7e]*$/)
      assert.match(accessMapCommonName(original), /^[\x21-\x7e]*$/)
    }),
  ))
