import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { DerReader, TAG, formatOid } from './der-reader.ts'

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

test('reads elements in their order, and what is inside them', () => {
  const reader = DerReader.over(bytes('30 06 02 01 05 04 01 ff'))
  const inner = reader.enter(TAG.sequence, 'all')
  assert.deepEqual(inner.take(TAG.integer, 'number'), bytes('05'))
  assert.equal(inner.nextTag, TAG.octetString)
  assert.deepEqual(inner.peekWhole(TAG.octetString, 'string'), bytes('04 01 ff'))
  assert.deepEqual(inner.takeWhole(TAG.octetString, 'string'), bytes('04 01 ff'))
  assert.equal(inner.nextTag, null)
  inner.finish('all')
  assert.equal(reader.problem, null)
})

// prettier-ignore
const refused: readonly (readonly [what: string, der: string])[] = [
  ['nothing at all',                        ''],
  ['another type',                          '31 00'],
  ['a tag without a length',                '30'],
  ['a length beyond the end',               '30 02 05'],
  ['the indefinite length of BER',          '30 80 00 00'],
  ['a short length in the long form',       '30 81 01 05'],
  ['a length with a leading zero',          '30 82 00 81' + '00'.repeat(0x81)],
  ['a length of four bytes',                '30 84 00 00 00 00'],
  ['a length whose bytes are cut',          '30 82 01'],
  ['a tag of several bytes',                '3f 81 00 00'],
]

for (const [what, der] of refused) {
  test(`refuses ${what}`, () => {
    const reader = DerReader.over(bytes(der))
    assert.equal(reader.take(TAG.sequence, 'it').length, 0)
    assert.notEqual(reader.problem, null)
  })
}

test('keeps the first problem and answers with nothing from then on', () => {
  const reader = DerReader.over(bytes('30 03 02 01 05 30 00'))
  const inner = reader.enter(TAG.sequence, 'first')
  inner.take(TAG.octetString, 'the string')
  inner.take(TAG.integer, 'the number')
  assert.equal(reader.problem, 'the string has an unexpected type')
  assert.equal(reader.hasMore, false)
  assert.equal(reader.take(TAG.sequence, 'second').length, 0)
})

test('what follows the end is a problem', () => {
  const reader = DerReader.over(bytes('30 00 00'))
  reader.take(TAG.sequence, 'it')
  reader.finish('it')
  assert.equal(reader.problem, 'it is followed by something else')
})

test('passes over single bytes and whole elements, and notices when there are none', () => {
  const reader = DerReader.over(bytes('00 02 01 05'))
  reader.skipByte('the count')
  reader.skip('the number')
  assert.equal(reader.problem, null)
  reader.skipByte('one more')
  assert.equal(reader.problem, 'one more is missing')
  const empty = DerReader.over(bytes(''))
  empty.skip('anything')
  assert.equal(empty.problem, 'anything is missing')
})

test('refuses more bytes than any certificate has', () => {
  const size = 64 * 1024 + 1
  const reader = DerReader.over(Uint8Array.from({ length: size }))
  assert.match(reader.problem ?? '', /longer than/)
})

// prettier-ignore
const identifiers: readonly (readonly [hex: string, dotted: string | null])[] = [
  ['55 04 03',                   '2.5.4.3'],
  ['2a 86 48 86 f7 0d 01 09 01', '1.2.840.113549.1.9.1'],
  ['27',                         '0.39'],
  ['28',                         '1.0'],
  ['4f',                         '1.39'],
  ['50',                         '2.0'],
  ['88 37 03',                   '2.999.3'],
  ['2a 81 80 80 80 80 80 80 80 80 00', '1.2.9223372036854775808'],
  ['',                           null],
  ['2a 80 01',                   null],
  ['80 01',                      null],
  ['2a 81',                      null],
  ['2a' + '01'.repeat(128),      null],
]

for (const [hex, dotted] of identifiers) {
  test(`object identifier ${dotted ?? `refused: ${hex.slice(0, 20)}`}`, () => {
    const formatted = formatOid(bytes(hex))
    assert.equal(formatted.ok ? formatted.value : null, dotted)
  })
}

test('no bytes make it throw, and it never reads past the end', () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), input => {
      const reader = DerReader.over(input)
      let taken = 0
      while (reader.hasMore) {
        const tag = reader.nextTag ?? 0
        taken += reader.takeWhole(tag, 'it').length
      }
      assert.ok(taken <= input.length)
      assert.equal(reader.problem === null, taken === input.length)
    }),
  ))
