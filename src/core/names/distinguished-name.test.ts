import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runDnCase } from '../../../test/vectors/dn-encoding.ts'
import { makeName } from '../../../test/support/certificate-maker.ts'
import { DerReader, TAG } from './der-reader.ts'
import { accessMapCommonName, accessMapName, olderAccessMapName, readName } from './distinguished-name.ts'
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
    return { type: types[type] ?? type, value: Buffer.from(value), isPlainText: true, startsRdn: plus !== '+' }
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

// prettier-ignore
const olderNames: readonly (readonly [why: string, parts: readonly string[], olderName: string | null])[] = [
  ['a plus sign in an address',                ['CN=darth+cert@endor.example'],    '/CN=darth+2Bcert@endor.example'],
  ['a slash in a service name',                ['O=Example', 'CN=smtp/mx.example'], '/O=Example/CN=smtp/mx.example'],
  ['separators at the ends',                   ['O=/a+', 'CN=b/'],                 '/O=/a+2B/CN=b/'],
  ['nothing that the older form has otherwise', ['O=Foo', 'CN=admin'],             null],
  ['a value that reads as an attribute',       ['O=Foo/CN=admin'],                 null],
  ['one that reads as an attribute of the RDN', ['OU=Unit+CN=admin'],              null],
  ['one that reads as a dotted attribute',     ['O=Foo/1.2.3=admin'],              null],
  ['attributes of one RDN',                    ['O=Foo', '+CN=admin'],             null],
  ['a backslash',                              ['CN=a\\/b'],                       null],
]

for (const [why, parts, olderName] of olderNames) {
  test(`the older spelling stands for a name only if it can stand for no other: ${why}`, () => assert.equal(olderAccessMapName(name(...parts)), olderName))
}

/** Bytes that matter to the form are likelier than chance would have them. */
const value = fc
  .array(fc.oneof(fc.constantFrom(...Buffer.from('/+=\\xC3 CNOa"<')), fc.integer({ min: 0, max: 255 })), { maxLength: 12 })
  .map(bytes => Uint8Array.from(bytes))

const anyName: fc.Arbitrary<DistinguishedName> = fc
  .array(fc.record({ type: fc.constantFrom('2.5.4.3', '2.5.4.10', '2.5.4.11', '1.2.3'), value, isPlainText: fc.constant(true), startsRdn: fc.boolean() }, { noNullPrototype: true }), { maxLength: 4 })
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

test('S7: two different names never share a form, whichever spelling finds the one and the other', () =>
  fc.assert(
    fc.property(anyName, anyName, (a, b) => {
      const shared = formsThatMatch(a).filter(form => formsThatMatch(b).includes(form))
      if (shared.length > 0) assert.deepEqual(a, b)
    }),
    { numRuns: 20_000 },
  ))

/** Close relatives of one name: its separators are escaped, split off and joined in all ways. */
test('S7: what one spelling hides the other does not find', () =>
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '/', '+', 'CN=', 'O=', '=', '1.2=', '\\'), { minLength: 1, maxLength: 7 }), pieces => {
      const names = readingsOf(pieces.join(''))
      const owners = new Map<string, DistinguishedName>()
      for (const reading of names) {
        for (const form of formsThatMatch(reading)) {
          const owner = owners.get(form)
          if (owner !== undefined) assert.deepEqual(owner, reading)
          owners.set(form, reading)
        }
      }
    }),
    { numRuns: 5000 },
  ))

/** Every form by which a line of an access map would find the name. */
function formsThatMatch(name: DistinguishedName): readonly string[] {
  const current = accessMapName(name)
  const older = olderAccessMapName(name)
  return current.isAmbiguous ? [] : [current.text, ...(older === null ? [] : [older])]
}

/** Every name whose values, types and separators written in a row are this text behind `CN=`. */
function readingsOf(text: string): readonly DistinguishedName[] {
  const cut = (from: number, type: string, startsRdn: boolean): DistinguishedName[] => {
    const whole = [name(`${startsRdn ? '' : '+'}${type}=${text.slice(from)}`)]
    const split = [...text.slice(from).matchAll(/([/+])(CN|O|1\.2)=/g)].flatMap(({ 0: found, 1: separator, 2: next = '', index }) => {
      const head = name(`${startsRdn ? '' : '+'}${type}=${text.slice(from, from + index)}`)
      return cut(from + index + found.length, next, separator === '/').map(rest => [...head, ...rest])
    })
    return [...whole, ...split]
  }
  return cut(0, 'CN', true)
}

test('S7: no two attribute types share a name in access maps, which ignore case', () => {
  const types = [...Array.from({ length: 130 }, (_, arc) => `2.5.4.${arc}`), ...Array.from({ length: 70 }, (_, arc) => `0.9.2342.19200300.100.1.${arc}`)]
  const forms = types
    .map(type => accessMapName([{ type, value: Buffer.from('x'), isPlainText: true, startsRdn: true }]))
    .filter(({ isAmbiguous }) => !isAmbiguous)
    .map(({ text }) => text.toLowerCase())
  assert.ok(forms.includes('/uid=x'))
  assert.equal(new Set(forms).size, forms.length)
})

/** How each string type that is taken for text reads its bytes. */
const DECODERS: ReadonlyMap<number, (bytes: Uint8Array) => string> = new Map([
  [TAG.utf8String, bytes => Buffer.from(bytes).toString('utf8')],
  [TAG.printableString, bytes => Buffer.from(bytes).toString('latin1')],
  [TAG.ia5String, bytes => Buffer.from(bytes).toString('latin1')],
  [TAG.teletexString, bytes => Buffer.from(bytes).toString('latin1')],
  [TAG.bmpString, bytes => Buffer.from(bytes).swap16().toString('utf16le')],
])

const typedValue = fc.record({ tag: fc.constantFrom(...DECODERS.keys()), bytes: fc.array(fc.constantFrom(0, 0x61, 0x62, 0xc3, 0xa9, 0xe9), { maxLength: 4 }).map(bytes => Uint8Array.from(bytes)) })

test('S7: two texts never share a form that is not marked ambiguous, whatever their string types', () =>
  fc.assert(
    fc.property(typedValue, typedValue, (a, b) => {
      const formA = formOfCommonName(a.tag, a.bytes)
      const formB = formOfCommonName(b.tag, b.bytes)
      if (formA === null || formA !== formB) return
      assert.equal(DECODERS.get(a.tag)?.(a.bytes), DECODERS.get(b.tag)?.(b.bytes))
    }),
    { numRuns: 50_000 },
  ))

/** Null if the name is refused or ambiguous. */
function formOfCommonName(tag: number, bytes: Uint8Array): string | null {
  const reader = DerReader.over(makeName([[{ type: '2.5.4.3', tag, value: bytes }]]))
  const { text, isAmbiguous } = accessMapName(readName(reader, 'the name'))
  return reader.problem !== null || isAmbiguous ? null : text
}

// prettier-ignore
const stringTypes: readonly (readonly [what: string, tag: number, hex: string, form: string | null])[] = [
  ['ASCII as UTF8String',             TAG.utf8String,      '6a6f65',       '/CN=joe'],
  ['ASCII as PrintableString',        TAG.printableString, '6a6f65',       '/CN=joe'],
  ['ASCII as TeletexString',          TAG.teletexString,   '6a6f65',       '/CN=joe'],
  ['UTF-8 as UTF8String',             TAG.utf8String,      '6ac3a9',       '/CN=j+5CxC3+5CxA9'],
  ['the same bytes as TeletexString', TAG.teletexString,   '6ac3a9',       null],
  ['the same bytes as IA5String',     TAG.ia5String,       '6ac3a9',       null],
  ['Latin-1 as TeletexString',        TAG.teletexString,   '6ae9',         '/CN=j+5CxE9'],
  ['the same bytes as IA5String',     TAG.ia5String,       '6ae9',         null],
  ['ASCII as BMPString',              TAG.bmpString,       '006a006f0065', null],
  ['the same bytes as UTF8String',    TAG.utf8String,      '006a006f0065', '/CN=+5Cx00j+5Cx00o+5Cx00e'],
  ['ASCII as UniversalString',        TAG.universalString, '0000006a',     null],
  ['bits',                            TAG.bitString,       '006a',         null],
]

for (const [what, tag, hex, form] of stringTypes) {
  test(`S7: of all string types that make the same form only one counts: ${what}`, () => assert.equal(formOfCommonName(tag, Buffer.from(hex, 'hex')), form))
}

/** What someone sees who reads a form as its rules were meant. */
function readBack(text: string): DistinguishedName {
  const oneLine = text.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const types: Readonly<Record<string, string>> = { CN: '2.5.4.3', O: '2.5.4.10', OU: '2.5.4.11' }
  return [...oneLine.matchAll(/([/+])([^=]+)=((?:\\[/+]|\\x[0-9A-F]{2}|(?![/+][A-Za-z0-9.-]*=)[^\\])*)/g)].map(([, separator, type = '', escaped = '']) => ({
    type: types[type] ?? type,
    value: Uint8Array.from(
      Buffer.from(
        escaped.replace(/\\x([0-9A-F]{2})|\\([/+])/g, (_, hex: string | undefined, sign: string) => (hex === undefined ? sign : String.fromCharCode(Number.parseInt(hex, 16)))),
        'latin1',
      ),
    ),
    isPlainText: true,
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
