/**
 * One question to one DNS server, over UDP, and over TCP where the answer does not fit.
 *
 * Each question has a socket of its own, connected to the server, so the operating system picks a
 * random port and drops what comes from elsewhere; the id is random, too, and the question has to
 * come back as it was asked (RFC 5452 §4, S22). Whatever else arrives is not our answer, and is
 * waited out.
 */

import { randomInt } from 'node:crypto'
import dgram from 'node:dgram'
import net from 'node:net'
import dnsPacket, { type DecodedPacket } from 'dns-packet'

export type DnsServer = { readonly host: string; readonly port: number }
export type DnsQuestion = { readonly name: string; readonly type: 'A' | 'AAAA' | 'MX' | 'PTR' }

/** dns-packet decodes the code, and its types forget it. */
export type DnsReply = DecodedPacket & { readonly rcode: string }

/** Fits the smallest path of today's Internet, so no fragments (RFC 9715). */
const UDP_PAYLOAD_BYTES = 1232

export async function exchange(
  question: DnsQuestion,
  server: DnsServer,
  timeoutMilliseconds: number,
): Promise<DnsReply | { readonly failed: string }> {
  const reply = await overUdp(question, server, timeoutMilliseconds)
  return 'failed' in reply || !reply.flag_tc ? reply : overTcp(question, server, timeoutMilliseconds)
}

function overUdp(question: DnsQuestion, server: DnsServer, timeoutMilliseconds: number): Promise<DnsReply | { readonly failed: string }> {
  return new Promise(resolve => {
    const socket = dgram.createSocket(net.isIPv6(server.host) ? 'udp6' : 'udp4')
    const end = (outcome: DnsReply | { readonly failed: string }): void => {
      clearTimeout(timer)
      socket.removeAllListeners()
      // An error may still be on its way from the kernel; nobody is left to care.
      socket.on('error', ignore)
      socket.close()
      resolve(outcome)
    }
    const timer = setTimeout(() => end({ failed: `no answer from ${server.host}` }), timeoutMilliseconds)
    const query = makeQuery(question)
    socket.once('error', error => end({ failed: `${server.host}: ${error.message}` }))
    socket.on('message', bytes => {
      const reply = readReply(bytes, query.id, question)
      if (reply !== null) end(reply)
    })
    socket.connect(server.port, server.host, (error?: Error) => {
      // Called for a failure too, as where there is no route; a socket that is not connected cannot send.
      if (error instanceof Error) return end({ failed: `${server.host}: ${error.message}` })
      socket.send(dnsPacket.encode(query))
    })
  })
}

function overTcp(question: DnsQuestion, server: DnsServer, timeoutMilliseconds: number): Promise<DnsReply | { readonly failed: string }> {
  return new Promise(resolve => {
    const socket = net.connect({ host: server.host, port: server.port })
    const end = (outcome: DnsReply | { readonly failed: string }): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(outcome)
    }
    const timer = setTimeout(() => end({ failed: `no answer from ${server.host} over TCP` }), timeoutMilliseconds)
    const query = makeQuery(question)
    let received = Buffer.alloc(0)
    socket.on('error', error => end({ failed: `${server.host} over TCP: ${error.message}` }))
    socket.on('close', () => end({ failed: `${server.host} closed the connection without an answer` }))
    socket.on('connect', () => socket.write(dnsPacket.streamEncode(query)))
    socket.on('data', (chunk: Buffer) => {
      // RFC 1035 §4.2.2: two octets of length, so this is bounded by 64 KiB and a chunk.
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const reply = readReply(received.subarray(2, 2 + received.readUInt16BE(0)), query.id, question)
      end(reply ?? { failed: `${server.host} answered something else over TCP` })
    })
  })
}

function makeQuery(question: DnsQuestion): dnsPacket.Packet & { readonly id: number } {
  return {
    type: 'query',
    id: randomInt(0x10000),
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [question],
    additionals: [
      { type: 'OPT', name: '.', udpPayloadSize: UDP_PAYLOAD_BYTES, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] },
    ],
  }
}

/** The packet, if it is the answer to this very question. */
function readReply(bytes: Buffer, id: number, question: DnsQuestion): DnsReply | null {
  let reply: DnsReply
  try {
    reply = dnsPacket.decode(bytes) as DnsReply
  } catch {
    return null
  }
  const [asked] = reply.questions ?? []
  const isOurs = reply.flag_qr && reply.id === id && reply.questions?.length === 1
  return isOurs && asked?.type === question.type && asked.name.toLowerCase() === question.name ? reply : null
}

function ignore(): void {}
