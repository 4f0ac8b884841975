/**
 * S10: no bytes that anybody sends change what the queue knows of a message, and no record that is
 * not as it was written is mistaken for mail.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import type { QueuedMessage } from '../../src/core/message/envelope.ts'
import { LmdbEnvironment } from '../../src/io/lmdb-environment.ts'
import type { Operation } from '../../src/io/lmdb-environment.ts'
import { openLmdbSpool } from '../../src/io/lmdb-spool.ts'
import type { SpoolReport } from '../../src/io/lmdb-spool.ts'
import { decodeRecord, encodeRecord } from '../../src/io/spool-records.ts'
import type { SpoolRecord } from '../../src/io/spool-records.ts'
import { SPOOL_TABLES } from '../../src/io/spool-tables.ts'
import type { SpoolTable } from '../../src/io/spool-tables.ts'
import type { Spool } from '../../src/relay/ports.ts'
import { claimAll, drafted, emptyFolder, enqueue, message, NOW, recipient, textOf } from '../support/queued.ts'

/** Any string there is, those that look like records, lines or keys among them. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme-composite' }),
  // Lone surrogates are strings too.
  fc.array(fc.integer({ min: 0, max: 0xffff })).map(units => String.fromCharCode(...units)),
  fc.constantFrom('","state":"delivered', '\r\n.\r\n', '\u0000', '\u2028', '__proto__', '000000000000000m2', '../../etc/passwd', '"}]}', '\\'),
)

/** A message whose every text was chosen by somebody else. */
const anyMessage = fc.record({ texts: fc.array(anyText, { minLength: 13, maxLength: 13 }), count: fc.integer({ min: 1, max: 4 }) }).map(({ texts, count }) => {
  const [reversePath = '', address = '', hello = '', listener = '', from = '', sessionId = '', fingerprint = '', holder = '', because = '', reply = '', to = '', original = '', passwordId = ''] = texts
  return message('m1', {
    envelope: {
      reversePath,
      recipients: [{ forwardPath: to, notify: ['DELAY'], originalRecipient: original }],
      bodyType: '8BITMIME',
      utf8: true,
      tls: 'required',
      declaredSizeBytes: 5,
      returned: 'HDRS',
      envelopeId: to,
      deliverBy: { seconds: -5, mode: 'notify', trace: true },
      hold: { kind: 'until', at: NOW },
      priority: -9,
    },
    origin: { sessionId, listener, address: from, hello, fingerprint, holder, passwordId, isKnown: true },
    heldBecause: because,
    recipients: Array.from({ length: count }, (_, i) => recipient({ address: `${address}${i}`, lastReply: reply, dueAt: NOW + i, attempts: i })),
  })
})

test('S10: a record reads back as it was written, whatever its texts hold', () => {
  fc.assert(
    fc.property(anyMessage, written => {
      const record: SpoolRecord = { message: written, body: { kind: 'inline', crc: 7 } }
      assert.deepEqual(decodeRecord(Buffer.from(encodeRecord(record))), { ok: true, value: record })
    }),
    { numRuns: 500 },
  )
})

test('S10: in the spool, the texts of one message change neither its state nor another message', async t => {
  const { spool } = await openLmdbSpool({ folder: emptyFolder(t), now: () => NOW })
  await enqueue(spool, 'm2')
  const other = spool.find('m2')
  await fc.assert(
    fc.asyncProperty(anyMessage, anyText, async (chosen, body) => {
      await spool.enqueue(await drafted(spool, 'm1', body, { ...chosen, heldBecause: null }), { leased: false })
      const found = spool.find('m1')
      assert.deepEqual(found, { ...chosen, heldBecause: null, sizeBytes: Buffer.byteLength(body) })
      assert.deepEqual(spool.find('m2'), other)
      assert.equal(await textOf(spool.body('m1')), Buffer.from(body).toString('latin1'))
      assert.deepEqual(spool.list({ filter: {}, after: null, limit: 9 }).map(({ id }) => id), ['m1', 'm2'])
      const leases = await claimAll(spool)
      assert.deepEqual(leases.map(lease => [lease.message.id, lease.due]), [['m1', [0]], ['m2', [0]]])
      for (const lease of leases) await spool.giveBack(lease.message.id)
      await spool.change('m1', () => null)
    }),
    { numRuns: 100 },
  )
  await spool.close()
})

test('S10: an id is no key of another table, path or record', async t => {
  const { spool } = await openLmdbSpool({ folder: emptyFolder(t), now: () => NOW, inlineBytes: 0 })
  for (const id of ['', '.'.repeat(65), '../m1', 'm 1', 'm\u00001', 'é']) await assert.rejects(enqueue(spool, id), `"${id}" is refused`)
  assert.equal(spool.stats().messages, 0)
  await spool.close()
})

test('S10: no byte of a record can change unnoticed', () => {
  const bytes = Buffer.from(encodeRecord({ message: message('m1'), body: { kind: 'inline', crc: 7 } }))
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [1, 16, 128]) {
      const damaged = Buffer.from(bytes)
      damaged.writeUInt8(damaged.readUInt8(at) ^ bit, at)
      assert.equal(decodeRecord(damaged).ok, false, `bit ${bit} of byte ${at}`)
    }
    assert.equal(decodeRecord(bytes.subarray(0, at)).ok, false, `cut to ${at} bytes`)
  }
})

/** What a hand could write that knows about the checksum. */
const FORGERIES: readonly (readonly [what: string, (record: Record<string, unknown>, message: Record<string, unknown>) => unknown])[] = [
  ['.message.recipients[0].state', (_, forged) => (forged['recipients'] = [{ ...recipient(), state: 'leased' }])],
  ['.message.recipients[0].state', (_, forged) => (forged['recipients'] = [{ ...recipient(), state: 'sent' }])],
  ['.message.recipients[0].dueAt', (_, forged) => (forged['recipients'] = [{ ...recipient(), dueAt: -1 }])],
  ['.message.recipients[0].dueAt', (_, forged) => (forged['recipients'] = [{ ...recipient(), dueAt: 1e15 }])],
  ['.message.recipients[0].attempts', (_, forged) => (forged['recipients'] = [{ ...recipient(), attempts: '1' }])],
  ['.message.recipients[0]', (_, forged) => (forged['recipients'] = [{ ...recipient(), extra: 1 }])],
  ['.message.recipients[1]', (_, forged) => (forged['recipients'] = [recipient(), null])],
  ['.message.recipients', (_, forged) => (forged['recipients'] = [])],
  ['.message.id', (_, forged) => (forged['id'] = '../x')],
  ['.message.sizeBytes', (_, forged) => (forged['sizeBytes'] = 1.5)],
  ['.message.envelope.bodyType', (_, forged) => (forged['envelope'] = { ...message('m1').envelope, bodyType: 'BINARY' })],
  ['.message', (_, forged) => delete forged['origin']],
  ['.body.name', record => (record['body'] = { kind: 'file', name: '../../etc/passwd', crc: 1 })],
  ['.body', record => (record['body'] = null)],
]

for (const [where, forge] of FORGERIES) {
  test(`S10: a record with a right checksum and a wrong ${where} is not mail`, () => {
    const forged: Record<string, unknown> = { ...message('m1') }
    const record: Record<string, unknown> = { message: forged, body: { kind: 'inline', crc: 7 } }
    forge(record, forged)
    assert.deepEqual(decodeRecord(withChecksum(JSON.stringify(record))), { ok: false, problem: `the record is wrong at ${where}` })
  })
}

test('S10: a record from the future says so', () => {
  const record = Buffer.from(encodeRecord({ message: message('m1'), body: { kind: 'inline', crc: 7 } }))
  record.writeUInt8(2, 0)
  assert.deepEqual(decodeRecord(record), { ok: false, problem: 'the record has format 2; this Postern reads formats up to 1' })
})

test('S10: a spool from the future is left alone', async t => {
  const folder = emptyFolder(t)
  const { spool } = await openLmdbSpool({ folder, now: () => NOW })
  await enqueue(spool, 'm1')
  await spool.close()
  await editByHand(folder, [{ table: 'meta', key: 'format', value: Buffer.from('2') }])
  await assert.rejects(openLmdbSpool({ folder, now: () => NOW }), /the spool has format 2, of a newer Postern/)
  await editByHand(folder, [{ table: 'meta', key: 'format', value: Buffer.from('1') }])
  const again = await openLmdbSpool({ folder, now: () => NOW })
  assert.equal(again.report.resumed, 1, 'it was not touched')
  await again.spool.close()
})

const RECORD = withChecksum('{"message":1}')
const TEXT = Buffer.from('Subject: test\r\n\r\n')
/** Whole in every way, and so is the body it leads to: the message would go out twice. */
const RECORD_OF_GOOD = encodeRecord({ message: message('good', { sizeBytes: TEXT.length }), body: { kind: 'inline', crc: crc32(TEXT) } })

for (const [what, edits] of Object.entries<readonly Operation<SpoolTable>[]>({
  'a record that was edited': [{ table: 'records', key: 'bad', value: Buffer.from('edited') }],
  'a record of another shape': [{ table: 'records', key: 'bad', value: RECORD }],
  'a record under a wrong id': [{ table: 'records', key: 'bad', value: RECORD_OF_GOOD }],
  'a body that was edited': [{ table: 'bodies', key: 'bad', value: Buffer.from('Subject: tess\r\n\r\n') }],
  'a body that is missing': [{ table: 'bodies', key: 'bad', value: null }],
})) {
  test(`S10: ${what} is set aside and reported, and the queue goes on`, async t => {
    const { spool, reports } = await editedSpool(t, edits)
    assert.deepEqual((await claimAll(spool)).map(lease => lease.message.id), ['good'])
    assert.deepEqual(reports.map(({ kind }) => kind), ['quarantined'])
    await settled(spool)
    assert.deepEqual(spool.stats(), { messages: 1, leased: 1, quarantinedRecords: 1 })
    assert.equal(spool.find('bad'), null)
    assert.equal(spool.body('bad'), null)
    assert.equal(spool.nextDueAt(), null)
    await spool.close()
  })
}

test('S10: what is found out by looking is set aside too, and never claimed', async t => {
  const { spool, reports } = await editedSpool(t, [{ table: 'records', key: 'bad', value: RECORD }])
  assert.deepEqual(spool.list({ filter: {}, after: null, limit: 9 }).map(({ id }) => id), ['good'])
  assert.equal(spool.find('bad'), null)
  assert.equal(reports.length, 1)
  await settled(spool)
  assert.deepEqual((await claimAll(spool)).map(lease => lease.message.id), ['good'])
  await settled(spool)
  assert.equal(spool.nextDueAt(), null)
  assert.equal(reports.length, 1)
  await spool.close()
})

test('S10: an index that was edited leads to no attempt before its time, and is mended', async t => {
  const later = message('later', { recipients: [recipient({ dueAt: NOW + 1000 })] })
  const { spool, reports } = await editedSpool(t, [{ table: 'due', key: `${String(NOW - 5).padStart(15, '0')}later`, value: Buffer.alloc(0) }], later)
  assert.deepEqual((await claimAll(spool)).map(lease => lease.message.id), ['bad', 'good'])
  await settled(spool)
  assert.equal(spool.nextDueAt(), NOW + 1000)
  assert.deepEqual((await claimAll(spool, NOW + 1000)).map(lease => lease.message.id), ['later'])
  assert.deepEqual(reports, [])
  await spool.close()
})

async function editedSpool(
  t: Parameters<typeof emptyFolder>[0],
  edits: readonly Operation<SpoolTable>[],
  third?: QueuedMessage,
): Promise<{ readonly spool: Spool; readonly reports: readonly SpoolReport[] }> {
  const folder = emptyFolder(t)
  const first = await openLmdbSpool({ folder, now: () => NOW })
  for (const id of ['bad', 'good']) await enqueue(first.spool, id)
  if (third !== undefined) await enqueue(first.spool, third.id, third)
  await first.spool.close()
  await editByHand(folder, edits)
  const reports: SpoolReport[] = []
  const { spool } = await openLmdbSpool({ folder, now: () => NOW, report: report => reports.push(report) })
  return { spool, reports }
}

async function editByHand(folder: string, edits: readonly Operation<SpoolTable>[]): Promise<void> {
  const environment = new LmdbEnvironment({ folder, tables: SPOOL_TABLES, onBroken: why => assert.fail(why) })
  await environment.commit(edits)
  await environment.close()
}

/** When this is written, so is all that came before it. */
async function settled(spool: Spool): Promise<void> {
  await enqueue(spool, 'next')
  await spool.change('next', () => null)
}

function withChecksum(json: string): Buffer {
  const body = Buffer.from(json)
  const header = Buffer.alloc(5)
  header.writeUInt8(1, 0)
  header.writeUInt32BE(crc32(body), 1)
  return Buffer.concat([header, body])
}
