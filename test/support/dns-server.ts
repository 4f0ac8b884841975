/** A DNS server on 127.0.0.1 that knows what a test tells it. */

import dgram from 'node:dgram'
import { once } from 'node:events'
import dnsPacket, { type Answer } from 'dns-packet'

/** `A mail.example`, `PTR 7.2.0.192.in-addr.arpa`: the values, or 'SERVFAIL'. Whatever is not there does not exist. */
export type Records = ReadonlyMap<string, readonly string[] | 'SERVFAIL'>

export type DnsServer = { readonly port: number; readonly asked: readonly string[]; readonly stop: () => void }

export async function startDnsServer(records: Records): Promise<DnsServer> {
  const socket = dgram.createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (bytes, peer) => {
    const query = dnsPacket.decode(bytes)
    const [question] = query.questions ?? []
    const { name, type } = question ?? { name: '', type: 'A' as const }
    asked.push(`${type} ${name.toLowerCase()}`)
    const found = records.get(`${type} ${name.toLowerCase()}`)
    const rcode = found === 'SERVFAIL' ? 2 : found === undefined && !hasOther(records, name) ? 3 : 0
    const values = Array.isArray(found) ? (found as readonly string[]) : []
    const answers = values.map(value => ({ type, name, ttl: 60, data: type === 'MX' ? { preference: 10, exchange: value } : value }) as Answer)
    const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | rcode
    socket.send(dnsPacket.encode({ type: 'response', id: query.id ?? 0, questions: query.questions ?? [], answers, flags }), peer.port, peer.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { port: socket.address().port, asked, stop: () => socket.close() }
}

/** The name exists with a record of another type: no NXDOMAIN. */
function hasOther(records: Records, name: string): boolean {
  return [...records.keys()].some(key => key.endsWith(` ${name.toLowerCase()}`))
}
