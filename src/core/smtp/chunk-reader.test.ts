import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, integer, property, record, uint8Array } from 'fast-check'
import { ChunkReader } from './chunk-reader.ts'

test('a chunk is as long as was announced, whatever is in it and behind it', () => {
  const reader = new ChunkReader()
  reader.begin({ sizeOctets: 5, isLast: false })
  assert.deepEqual(reader.decode(Buffer.from('.\r\n.\r\nQUIT')), { text: Buffer.from('.\r\n.\r'), read: 5 })
  assert.deepEqual([reader.atChunkEnd, reader.ended], [true, false])
  reader.begin({ sizeOctets: 2, isLast: true })
  assert.deepEqual([reader.atChunkEnd, reader.ended], [false, false])
  reader.decode(Buffer.from('\n'))
  reader.decode(Buffer.from('QUIT'))
  assert.deepEqual([reader.atChunkEnd, reader.ended], [true, true])
})

test('a chunk of no octets is complete at once', () => {
  const reader = new ChunkReader()
  reader.begin({ sizeOctets: 0, isLast: false })
  assert.deepEqual([reader.atChunkEnd, reader.ended], [true, false])
  reader.begin({ sizeOctets: 0, isLast: true })
  assert.equal(reader.ended, true)
  assert.throws(() => reader.begin({ sizeOctets: 1, isLast: true }), 'nothing comes after the last')
})

test('the octets of all chunks are the message, wherever they are cut', () => {
  const chunks = array(record({ octets: uint8Array({ maxLength: 20 }), cut: integer({ min: 1, max: 25 }) }), { minLength: 1, maxLength: 6 })
  check(
    property(chunks, chunks => {
      const reader = new ChunkReader()
      let [message, rest] = ['', '']
      for (const [at, { octets, cut }] of chunks.entries()) {
        reader.begin({ sizeOctets: octets.length, isLast: at === chunks.length - 1 })
        const sent = Buffer.concat([octets, Buffer.from('NOOP')])
        for (let from = 0; from < sent.length; from += cut) {
          const piece = sent.subarray(from, from + cut)
          const { text, read } = reader.decode(piece)
          message += text.toString('latin1')
          rest += piece.subarray(read).toString('latin1')
        }
        assert.equal(reader.atChunkEnd, true)
      }
      assert.equal(message, Buffer.concat(chunks.map(({ octets }) => octets)).toString('latin1'))
      assert.equal(rest, 'NOOP'.repeat(chunks.length))
      assert.equal(reader.ended, true)
    }),
  )
})
