/** A name server that knows the small world and nothing else. */

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import dnsPacket from 'dns-packet'
import { DOMAINS, HOSTS } from './world.ts'

type Found = { readonly answers: readonly dnsPacket.Answer[]; readonly rcode: number }

const SERVFAIL = 2
const NXDOMAIN = 3
/** Where a domain lives whose host never calls. */
const ELSEWHERE = '198.51.100.99'

export async function startNameServer(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => {
    const { id, questions = [] } = dnsPacket.decode(message)
    const [question] = questions
    if (question === undefined) return
    const { answers, rcode } = find(question.name.toLowerCase(), question.type)
    const flags = dnsPacket.AUTHORITATIVE_ANSWER | dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | rcode
    const reply: dnsPacket.Packet = { type: 'response', flags, questions, answers: [...answers], ...(id === undefined ? {} : { id }) }
    socket.send(dnsPacket.encode(reply), from.port, from.address)
  })
  socket.bind(53, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

function find(name: string, type: string): Found {
  if (name.endsWith('.arpa')) return findPointer(name)
  const record = DOMAINS[name] ?? ''
  if (record === 'tempfail') return { answers: [], rcode: SERVFAIL }
  const host = HOSTS.find(host => host.name?.toLowerCase() === name)
  if (record === '' && host === undefined) return { answers: [], rcode: NXDOMAIN }
  if (type === 'MX' && record.startsWith('mx ')) return found({ type: 'MX', name, data: { preference: 10, exchange: record.slice(3) } })
  if (record.startsWith('mx ')) return { answers: [], rcode: 0 }
  const address = host === undefined || host.resolve === 'FORGED' ? ELSEWHERE : host.address
  if (type === 'AAAA' && address.startsWith('IPv6:')) return found({ type: 'AAAA', name, data: address.slice('IPv6:'.length) })
  if (type === 'A' && !address.startsWith('IPv6:')) return found({ type: 'A', name, data: address })
  return { answers: [], rcode: 0 }
}

function found(answer: dnsPacket.Answer): Found {
  return { answers: [answer], rcode: 0 }
}

function findPointer(name: string): Found {
  const host = HOSTS.find(({ address }) => pointerName(address) === name)
  if (host?.resolve === 'TEMP') return { answers: [], rcode: SERVFAIL }
  if (host === undefined || host.name === null) return { answers: [], rcode: NXDOMAIN }
  return found({ type: 'PTR', name, data: host.name })
}

function pointerName(address: string): string {
  if (!address.startsWith('IPv6:')) return `${address.split('.').toReversed().join('.')}.in-addr.arpa`
  const digits = address.slice('IPv6:'.length).split(':').map(group => group.padStart(4, '0'))
  return `${[...digits.join('')].toReversed().join('.')}.ip6.arpa`
}
