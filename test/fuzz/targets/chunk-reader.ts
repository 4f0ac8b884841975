/** A message in chunks: the octets are the same ones whatever chunks and packets they come in, and so is the judgement. */

import assert from 'node:assert/strict'
import { ChunkReader } from '../../../src/core/smtp/chunk-reader.ts'
import { IncomingMessage } from '../../../src/core/smtp/incoming-message.ts'
import type { Random } from '../../support/random.ts'
import { siteSettings } from '../../transcripts/site.ts'
import { cutAnywhere, type FuzzTarget } from '../target.ts'

const LIMITS = { ...siteSettings.limits, messageBytes: 200, headerBytes: 100, headerFields: 4, receivedFields: 1 }
const TREATMENT = { hostname: 'mx.example.org', submission: null, readsAuthors: false }

export const target: FuzzTarget = {
  name: 'chunk-reader',
  seeds: ['Subject: a\r\nFrom: b@example.org\r\n\r\ntext\r\n.\r\n', 'Received: a\r\nReceived: b\r\n\r\n', '\r\n\0\n.\n', 'A: b\r\n c\r\nno field\r\n', 'A: b'].map(text => Buffer.from(text)),
  words: ['Received: x\r\n', 'Authentication-Results: mx.example.org; none\r\n', 'A: b\r\n', ' folded\r\n', '\r\n\r\n'],
  check(input, random) {
    const isBinary = random.chance(0.5)
    const once = read([input], isBinary, octets => [octets])
    const cut = read(chunksOf(input, random), isBinary, octets => cutAnywhere(octets, random))
    assert.deepEqual(cut, once)
    const text = input.toString('latin1')
    if (!isBinary && once.refusal === '') assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n|\0/)
  },
}

function chunksOf(input: Buffer, random: Random): readonly Buffer[] {
  const chunks: Buffer[] = [input.subarray(0, 0)]
  for (let at = 0; at < input.length; ) {
    const length = random.between(0, 60)
    chunks.push(input.subarray(at, at + length))
    at += length
  }
  return chunks
}

function read(chunks: readonly Buffer[], isBinary: boolean, cut: (octets: Buffer) => readonly Buffer[]): { readonly refusal: string; readonly stored: string } {
  const reader = new ChunkReader()
  const message = new IncomingMessage(LIMITS, TREATMENT, reader, isBinary)
  let stored = ''
  for (const [at, chunk] of chunks.entries()) {
    reader.begin({ sizeOctets: chunk.length, isLast: at === chunks.length - 1 })
    // Even where nothing is in a chunk, it ends.
    for (const piece of chunk.length === 0 ? [chunk] : cut(chunk)) {
      const taken = message.read(Buffer.concat([piece, Buffer.alloc(piece.length < chunk.length ? 0 : 3)]))
      assert.equal(taken.read, piece.length, 'what is behind the chunk is not read')
      for (const part of taken.store) stored += part.kind === 'body' ? Buffer.from(part.bytes).toString('latin1') : ''
    }
    assert.equal(reader.atChunkEnd, true)
  }
  assert.equal(message.ended, true)
  const refusal = message.refusal()
  return refusal === null ? { refusal: '', stored } : { refusal: refusal.lines.join(' '), stored: '' }
}
