import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { formatRecord, readIndex } from './records.ts'
import type { IndexRecord, IssuedRecord } from './records.ts'

function issued(change: Partial<IssuedRecord> = {}): IssuedRecord {
  return {
    record: 'issued',
    at: 1,
    serial: '41',
    fingerprint: 'a'.repeat(64),
    subject: '/O=example.org/CN=joe',
    purpose: 'person',
    name: 'joe',
    addresses: ['joe@example.org'],
    senders: ['joe@example.org'],
    notBefore: 0,
    notAfter: 10,
    certificate: 'AAAA',
    ...change,
  }
}

const first = issued()
const second = issued({ serial: '42', fingerprint: 'b'.repeat(64) })
const web = issued({ serial: '43', fingerprint: 'c'.repeat(64), name: 'web7', purpose: 'machine', senders: [] })
const revokeFirst: IndexRecord = { record: 'revoked', at: 5, fingerprints: [first.fingerprint] }
const removeJoe: IndexRecord = { record: 'removed', at: 7, name: 'joe' }

function read(...records: readonly IndexRecord[]) {
  const index = readIndex(records.map(formatRecord).join(''), 'index')
  assert.ok(index.ok, index.ok ? '' : index.problem)
  return index.value.issued
}

function problemOf(text: string): string {
  const index = readIndex(text, 'ca/index.jsonl')
  return index.ok ? '' : index.problem
}

test('an empty index has nothing', () => assert.deepEqual(read().all(), []))

test('what was issued is there, live and listed', () => {
  assert.deepEqual(read(first, web).all(), [
    { ...first, revokedAt: null, isListed: true },
    { ...web, revokedAt: null, isListed: true },
  ])
  assert.equal(read(first).hasSerial('41'), true)
  assert.equal(read(first).hasSerial('99'), false)
})

test('a revocation takes what it names, and the first one counts', () => {
  const all = read(first, second, revokeFirst, { ...revokeFirst, at: 6 }).all()
  assert.deepEqual(all.map(({ revokedAt }) => revokedAt), [5, null])
})

test('removing a holder revokes what is left and takes it off the list', () => {
  const index = read(first, second, web, revokeFirst, removeJoe)
  assert.deepEqual(index.all().map(({ revokedAt, isListed }) => [revokedAt, isListed]), [[5, false], [7, false], [null, true]])
  assert.deepEqual(index.listedAs('joe'), [])
})

test('a removed name may come back, without what was before', () => {
  const back = issued({ serial: '44', fingerprint: 'd'.repeat(64) })
  assert.deepEqual(read(first, removeJoe, back).listedAs('joe').map(({ serial }) => serial), ['44'])
})

test('names that differ in case only are one name', () => assert.equal(read(first).listedAs('JOE').length, 1))

test('CAs and servers are no clients', () => {
  const others = (['root', 'issuing', 'server'] as const).map((purpose, at) => issued({ purpose, serial: `5${at}`, fingerprint: `${at}`.repeat(64) }))
  assert.deepEqual(read(...others).clients(), [])
})

const line = (record: unknown): string => `${JSON.stringify(record)}\n`

// prettier-ignore
const damaged: readonly (readonly [what: string, line: string, problem: RegExp])[] = [
  ['a line that is no JSON',           '{"record":\n',                                   /is not JSON/],
  ['an empty line',                    '\n',                                             /is not JSON/],
  ['a line that is no record',         line([]),                                         /./],
  ['a record of an unknown kind',      line({ ...first, record: 'granted' }),            /record/],
  ['a field that nobody knows',        line({ ...second, admin: true }),                 /admin/],
  ['a field that is missing',          line({ ...second, senders: undefined }),          /senders/],
  ['a field of another type',          line({ ...second, senders: 'joe' }),              /senders/],
  ['a time that is no number',         line({ ...second, notAfter: 'never' }),           /notAfter/],
  ['a purpose that nobody knows',      line({ ...second, purpose: 'admin' }),            /purpose/],
  ['a fingerprint in other case',      line({ ...second, fingerprint: 'B'.repeat(64) }), /fingerprint/],
  ['a serial number with zeros',       line({ ...second, serial: '041' }),               /serial/],
  ['a certificate that is no base64',  line({ ...second, certificate: '?' }),            /certificate/],
  ['the same certificate again',       line({ ...first, serial: '99' }),                 /is there twice/],
  ['the same serial number again',     line({ ...second, serial: '41' }),                /serial number 41 is there twice/],
  ['a revocation of nothing',          line({ ...revokeFirst, fingerprints: [] }),       /fingerprints/],
  ['a revocation of what never was',   line({ ...revokeFirst, fingerprints: ['e'.repeat(64)] }), /was never issued/],
  ['a removal of nobody',              line({ ...removeJoe, name: 'eve' }),             /not on the list/],
]

for (const [what, bad, problem] of damaged) {
  test(`S10: refuses an index with ${what}, and says where`, () => {
    const text = formatRecord(first) + bad + formatRecord(web)
    assert.match(problemOf(text), /^ca\/index\.jsonl:2: /)
    assert.match(problemOf(text), problem)
  })
}

test('a part of a record at the end counts for nothing', () => {
  const index = readIndex(formatRecord(first) + formatRecord(second).slice(0, 50), 'index')
  assert.ok(index.ok)
  assert.equal(index.value.issued.all().length, 1)
  assert.equal(index.value.soundBytes, formatRecord(first).length)
  assert.deepEqual(index.value.unfinished, { text: formatRecord(second).slice(0, 50), record: null })
})

test('a whole record that lacks only its end of line is found', () => {
  const index = readIndex(formatRecord(first) + formatRecord(revokeFirst).trimEnd(), 'index')
  assert.deepEqual(index.ok ? index.value.unfinished?.record : null, revokeFirst)
})

test('sound bytes are bytes, not characters', () => {
  const text = formatRecord(issued({ senders: ['jöe@bücher.example'] }))
  const index = readIndex(`${text}{`, 'index')
  assert.equal(index.ok ? index.value.soundBytes : 0, Buffer.byteLength(text))
})

test('S10: no text in a record changes how many records there are', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }), (subject, sender) => {
      const record = issued({ subject, senders: [sender] })
      const [only, ...others] = read(record).all()
      assert.deepEqual(only, { ...record, revokedAt: null, isListed: true })
      assert.equal(others.length, 0)
      assert.equal(formatRecord(record).indexOf('\n'), formatRecord(record).length - 1)
    }),
  ))
