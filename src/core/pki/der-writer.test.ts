import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { DerReader, TAG, formatOid } from '../names/der-reader.ts'
import { bitString, bmpString, boolean, element, explicit, implicit, integer, nothing, octetString, oid, sequence, setOf, time, unsignedInteger, utf8String } from './der-writer.ts'

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

// prettier-ignore
const cases: readonly (readonly [what: string, written: Uint8Array, expected: string])[] = [
  ['zero',                            integer(0),                        '020100'],
  ['127 in one byte',                 integer(127),                      '02017f'],
  ['128 with a byte for its sign',    integer(128),                      '02020080'],
  ['600000',                          integer(600_000),                  '02030927c0'],
  ['a number without leading zeros',  unsignedInteger(Uint8Array.of(0, 0, 0x7f)), '02017f'],
  ['a number of zeros',               unsignedInteger(Uint8Array.of(0, 0)), '020100'],
  ['true',                            boolean(true),                     '0101ff'],
  ['null',                            nothing(),                         '0500'],
  ['bits',                            bitString(Uint8Array.of(0x80), 7), '03020780'],
  ['explicit and implicit tags',      explicit(3, implicit(1, Uint8Array.of(9))), 'a303810109'],
  ['UTF-8',                           utf8String('é'),                   '0c02c3a9'],
  ['UTF-16',                          bmpString('aé'),                   '1e04006100e9'],
  ['a set in the order of its bytes', setOf(integer(2), integer(1), octetString(Uint8Array.of())), '31080201010201020400'],
  ['equal members of a set, too',     setOf(integer(1), integer(1)),     '3106020101020101'],
  ['the last second of UTCTime',      time(Date.UTC(2049, 11, 31, 23, 59, 59, 999)), `170d${Buffer.from('491231235959Z').toString('hex')}`],
  ['the first of GeneralizedTime',    time(Date.UTC(2050, 0, 1)),        `180f${Buffer.from('20500101000000Z').toString('hex')}`],
]

for (const [what, written, expected] of cases) {
  test(`writes ${what}`, () => assert.equal(hex(written), expected))
}

test('what it writes, the strict reader reads: any length', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_000]) {
    const reader = DerReader.over(sequence(octetString(new Uint8Array(length)), integer(7)))
    const inner = reader.enter(TAG.sequence, 'all')
    assert.equal(inner.take(TAG.octetString, 'bytes').length, length)
    assert.equal(inner.take(TAG.integer, 'number')[0], 7)
    assert.equal(reader.problem, null)
  }
})

test('object identifiers come back as they were', () =>
  fc.assert(
    fc.property(fc.nat({ max: 2 }), fc.nat({ max: 39 }), fc.array(fc.nat(), { maxLength: 8 }), (first, second, others) => {
      const dotted = [first, second, ...others].join('.')
      const reader = DerReader.over(oid(dotted))
      const formatted = formatOid(reader.take(TAG.oid, 'it'))
      assert.equal(formatted.ok ? formatted.value : formatted.problem, dotted)
    }),
  ))

test('numbers come back as they were', () =>
  fc.assert(
    fc.property(fc.nat(), number => {
      const content = DerReader.over(integer(number)).take(TAG.integer, 'it')
      assert.equal(Number.parseInt(hex(content), 16), number)
      assert.ok((content[0] ?? 0) < 0x80)
    }),
  ))

test('an element of nothing has a length of zero', () => assert.equal(hex(element(TAG.sequence)), '3000'))
