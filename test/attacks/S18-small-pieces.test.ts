/**
 * S18: a client that sends an octet at a time, or hides one in a packet of commands. What is kept of it takes up
 * about as much memory as it has octets, not what each piece or its packet does.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import type { BodyFiles } from '../../src/io/body-files.ts'
import { SocketChannel } from '../../src/io/channel.ts'
import { SpoolDraft } from '../../src/io/spool-draft.ts'
import { SpoolRoom } from '../../src/io/spool-room.ts'

const PACKET_BYTES = 64 * 1024
const OCTETS = 150_000

test('S18: a message in single octets keeps none of the packets that they came in', async () => {
  for (const inlineBytes of [0, 1024 * 1024]) {
    const { draft, kept } = draftWith(inlineBytes)
    for (let sent = 0; sent < OCTETS; sent++) await draft.write(octetOfPacket(sent))
    const { bytes } = await draft.seal()
    const all = bytes === null ? kept : [bytes]
    assert.equal(Buffer.concat(all).length, OCTETS)
    assert.ok(Buffer.concat(all).every((octet, at) => octet === at % 251), 'every octet is there, in order')
    assert.ok(all.length < 100, `${all.length} pieces`)
    assert.ok(takenUp(all) < 2.5 * OCTETS, `${takenUp(all)} octets are kept for ${OCTETS}`)
  }
})

test('S18: small and large pieces stay in order, and large ones are not copied', async () => {
  const { draft } = draftWith(1024 * 1024)
  const large = Buffer.alloc(PACKET_BYTES, 'L')
  for (const piece of ['a', 'b', large, 'c', large, '', 'd']) await draft.write(Buffer.from(piece))
  const { bytes } = await draft.seal()
  assert.equal(Buffer.from(bytes ?? []).toString(), `ab${large}c${large}d`)
})

test('S18: while nobody reads them, few pieces wait, however small', async t => {
  const { channel, accepted, client } = await connected()
  t.after(() => client.destroy())
  t.after(() => channel.close())
  let pieces = 0
  for (; pieces < 1000 && !accepted.isPaused(); pieces++) accepted.emit('data', Buffer.from('x'))
  assert.ok(pieces <= 100, `${pieces} pieces waited`)
  for (let read = 0; read < pieces; read++) assert.equal(String(await channel.read()), 'x')
  assert.equal(accepted.isPaused(), false, 'it goes on once they are read')
})

/** One octet, as a view of a packet. */
function octetOfPacket(value: number): Uint8Array {
  return packets[value % 251]?.subarray(100, 101) ?? new Uint8Array()
}
const packets = Array.from({ length: 251 }, (_, value) => Buffer.alloc(PACKET_BYTES, value))

/** Octets of all the buffers that these are views of, each counted once. */
function takenUp(parts: readonly Uint8Array[]): number {
  return [...new Set(parts.map(part => part.buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0)
}

function draftWith(inlineBytes: number) {
  const kept: Uint8Array[] = []
  const file = { append: async (parts: readonly Uint8Array[]) => parts.forEach(part => kept.push(part)), close: async () => {} }
  const files: BodyFiles = { create: async () => file, read: async function* () {}, sizeOf: () => null, remove: async () => {}, names: () => [], usedBytes: () => 0 }
  const room = new SpoolRoom(() => ({ usedBytes: 0, reusableBytes: 1e9, freeBytes: 1e9, freeFiles: null }), { maxBytes: null, keepFreeBytes: 0, keepFreeFiles: 0 })
  return { draft: new SpoolDraft({ files, inlineBytes, room }), kept }
}

async function connected(): Promise<{ channel: SocketChannel; accepted: Socket; client: Socket }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  server.close()
  return { channel: new SocketChannel(accepted, null, '127.0.0.1', null), accepted, client }
}
