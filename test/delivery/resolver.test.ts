/** The stub resolver against a DNS server of the test's own, which can be as wrong as it likes. */

import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { test, type TestContext } from 'node:test'
import dnsPacket, { type Answer, type DecodedPacket, type Packet } from 'dns-packet'
import { createResolver, parseResolvConf, reverseName, type ResolverOptions } from '../../src/io/resolver.ts'
import type { Resolver } from '../../src/relay/ports.ts'

type Query = DecodedPacket & { readonly overTcp: boolean }
type Reply = Packet & { readonly rcode?: number }

/** A server that answers as told; null is silence. Counts what it is asked. */
async function startServer(t: TestContext, answer: (query: Query, name: string) => Reply | readonly Reply[] | null) {
  let asked = 0
  const replies = (bytes: Buffer, overTcp: boolean): Buffer[] => {
    asked++
    const query = { ...dnsPacket.decode(bytes), overTcp }
    const given = answer(query, query.questions?.[0]?.name ?? '')
    const list = given === null ? [] : Array.isArray(given) ? given : [given as Reply]
    return list.map(({ rcode, ...reply }: Reply) =>
      dnsPacket.encode({ type: 'response', id: query.id ?? 0, questions: query.questions ?? [], ...reply, flags: (reply.flags ?? 0) | (rcode ?? 0) }))
  }
  const tcp = net.createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      for (const reply of replies(bytes.subarray(2), true)) {
        const length = Buffer.alloc(2)
        length.writeUInt16BE(reply.length)
        socket.write(Buffer.concat([length, reply]))
      }
    })
  })
  const { udp, port } = await onePort(tcp)
  udp.on('message', (bytes, peer) => {
    for (const reply of replies(bytes, false)) udp.send(reply, peer.port, peer.address)
  })
  t.after(() => {
    udp.close()
    tcp.close()
  })
  const resolver = (options: Partial<ResolverOptions> = {}): Resolver =>
    createResolver({ servers: [{ host: '127.0.0.1', port }], hostsFile: '', timeoutMilliseconds: 150, ...options })
  return { port, asked: () => asked, resolver }
}

/** DNS has one port for both: a free one of TCP may be taken in UDP, so it is tried until both can be had. */
async function onePort(tcp: net.Server): Promise<{ readonly udp: dgram.Socket; readonly port: number }> {
  for (;;) {
    const udp = dgram.createSocket('udp4')
    udp.bind(0, '127.0.0.1')
    await once(udp, 'listening')
    const { port } = udp.address()
    try {
      tcp.listen(port, '127.0.0.1')
      await once(tcp, 'listening')
      return { udp, port }
    } catch (error) {
      udp.close()
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

const mx = (name: string, preference: number, exchange: string): Answer => ({ type: 'MX', name, ttl: 60, data: { preference, exchange } })
const a = (name: string, data: string): Answer => ({ type: 'A', name, ttl: 60, data })
const TRUNCATED = dnsPacket.TRUNCATED_RESPONSE
const NXDOMAIN = 3
const SERVFAIL = 2

test('MX records are read, and kept for as long as they may be', async t => {
  const server = await startServer(t, (_, name) => ({ answers: [mx(name, 10, 'MX1.example.net'), mx(name, 20, 'mx2.example.net')] }))
  const resolver = server.resolver()
  const expected = { kind: 'found', values: [{ preference: 10, host: 'mx1.example.net' }, { preference: 20, host: 'mx2.example.net' }] }
  assert.deepEqual(await resolver.mx('Example.NET'), expected)
  assert.deepEqual(await resolver.mx('example.net.'), expected)
  assert.equal(server.asked(), 1)
})

test('the null MX is kept apart from no MX and from no domain (RFC 7505)', async t => {
  const server = await startServer(t, (_, name) =>
    name === 'null.test' ? { answers: [mx(name, 0, '.')] } : name === 'none.test' ? { answers: [] } : { rcode: NXDOMAIN })
  const resolver = server.resolver()
  assert.deepEqual(await resolver.mx('null.test'), { kind: 'found', values: [{ preference: 0, host: '.' }] })
  assert.deepEqual(await resolver.mx('none.test'), { kind: 'noData' })
  assert.deepEqual(await resolver.mx('else.test'), { kind: 'noName' })
})

test('addresses of both families are found behind an alias', async t => {
  const server = await startServer(t, (query, name) => ({
    answers: [
      { type: 'CNAME', name, ttl: 60, data: 'real.test' },
      query.questions?.[0]?.type === 'A' ? a('real.test', '192.0.2.7') : { type: 'AAAA', name: 'real.test', ttl: 60, data: '2001:db8::7' },
    ],
  }))
  assert.deepEqual(await server.resolver().addresses('alias.test'), { kind: 'found', values: ['192.0.2.7', '2001:db8::7'] })
  assert.equal(server.asked(), 2)
  assert.deepEqual(await server.resolver().addresses('alias.test', 'ipv4'), { kind: 'found', values: ['192.0.2.7'] })
  assert.equal(server.asked(), 3, 'one family alone is one question')
})

test('an alias that leads round in a circle ends', async t => {
  const server = await startServer(t, () => ({
    answers: [{ type: 'CNAME', name: 'a.test', ttl: 60, data: 'b.test' }, { type: 'CNAME', name: 'b.test', ttl: 60, data: 'a.test' }],
  }))
  assert.equal((await server.resolver().mx('a.test')).kind, 'failed')
})

test('a family that cannot be looked up does not hide the other', async t => {
  const server = await startServer(t, (query, name) => (query.questions?.[0]?.type === 'A' ? { answers: [a(name, '192.0.2.7')] } : { rcode: SERVFAIL }))
  assert.deepEqual(await server.resolver().addresses('mx.test'), { kind: 'found', values: ['192.0.2.7'] })
})

test('what does not fit a datagram is asked for over TCP', async t => {
  const server = await startServer(t, (query, name) => (query.overTcp ? { answers: [mx(name, 1, 'mx.test')] } : { flags: TRUNCATED }))
  assert.deepEqual(await server.resolver().mx('big.test'), { kind: 'found', values: [{ preference: 1, host: 'mx.test' }] })
})

test('S22: an answer with another id or another question is not believed', async t => {
  const server = await startServer(t, (query, name) => [
    { id: ((query.id ?? 0) + 1) % 65536, answers: [mx(name, 0, 'evil.test')] },
    { questions: [{ type: 'MX', name: 'other.test' }], answers: [mx(name, 0, 'evil.test')] },
    { questions: [{ type: 'A', name }], answers: [mx(name, 0, 'evil.test')] },
    { answers: [mx(name, 0, 'good.test')] },
  ])
  assert.deepEqual(await server.resolver().mx('x.test'), { kind: 'found', values: [{ preference: 0, host: 'good.test' }] })
})

test('S22: records for other names do not count', async t => {
  const server = await startServer(t, () => ({ answers: [mx('other.test', 0, 'evil.test')] }))
  assert.deepEqual(await server.resolver().mx('x.test'), { kind: 'noData' })
})

test('S22: silence, SERVFAIL and noise all mean "later", and the next server is asked', async t => {
  const silent = await startServer(t, () => null)
  const broken = await startServer(t, () => ({ rcode: SERVFAIL }))
  const good = await startServer(t, (_, name) => ({ answers: [mx(name, 0, 'mx.test')] }))
  const at = (server: { port: number }) => ({ host: '127.0.0.1', port: server.port })
  assert.equal((await silent.resolver().mx('x.test')).kind, 'failed')
  assert.equal(silent.asked(), 2)
  assert.equal((await broken.resolver().mx('x.test')).kind, 'failed')
  const all = good.resolver({ servers: [at(silent), at(broken), at(good)] })
  assert.equal((await all.mx('x.test')).kind, 'found')
})

test('S10: names with spaces, control characters or nothing at all are no hosts', async t => {
  const server = await startServer(t, (_, name) => ({ answers: [mx(name, 1, 'a b.test'), mx(name, 2, 'x\r\ny.test'), mx(name, 3, 'ok.test')] }))
  assert.deepEqual(await server.resolver().mx('x.test'), { kind: 'found', values: [{ preference: 3, host: 'ok.test' }] })
  const bad = await startServer(t, (_, name) => ({ answers: [mx(name, 1, 'a b.test')] }))
  assert.equal((await bad.resolver().mx('x.test')).kind, 'failed')
})

test('names that cannot be in DNS are not asked for; internationalized ones are', async t => {
  const server = await startServer(t, (_, name) => ({ answers: [mx(name, 1, 'mx.test')] }))
  const resolver = server.resolver()
  for (const name of ['', '.', 'a..b', 'a b', '-x.test', 'x'.repeat(64), 'a\0b']) assert.deepEqual(await resolver.mx(name), { kind: 'noName' }, name)
  assert.equal(server.asked(), 0)
  assert.equal((await resolver.mx('bücher.test')).kind, 'found')
})

test('the hosts file, localhost and addresses need no DNS', async () => {
  const resolver = createResolver({ servers: [], hostsFile: '# x\n192.0.2.9 smart Smart.test # y\n2001:db8::9\tsmart\n' })
  assert.deepEqual(await resolver.addresses('SMART'), { kind: 'found', values: ['192.0.2.9', '2001:db8::9'] })
  assert.deepEqual(await resolver.addresses('localhost'), { kind: 'found', values: ['127.0.0.1', '::1'] })
  assert.deepEqual(await resolver.addresses('192.0.2.1'), { kind: 'found', values: ['192.0.2.1'] })
  assert.equal((await resolver.addresses('else.test')).kind, 'failed')
})

test('addresses are turned round for PTR', async t => {
  assert.equal(reverseName('192.0.2.7'), '7.2.0.192.in-addr.arpa')
  assert.equal(reverseName('2001:db8::7'), `7.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`)
  assert.equal(reverseName('::1'), `1.${'0.'.repeat(31)}ip6.arpa`)
  for (const address of ['x', '::ffff:192.0.2.7', 'fe80::1%eth0']) assert.equal(reverseName(address), null)
  const server = await startServer(t, (_, name) => ({ answers: [{ type: 'PTR', name, ttl: 60, data: 'Host.Test' }] }))
  assert.deepEqual(await server.resolver().ptr('192.0.2.7'), { kind: 'found', values: ['host.test'] })
})

test('resolv.conf names the servers', () => {
  assert.deepEqual(parseResolvConf('; c\nnameserver 192.0.2.1\nnameserver ::1 # x\nsearch a\nnameserver x\n').map(server => server.host), ['192.0.2.1', '::1'])
  assert.deepEqual(parseResolvConf(''), [{ host: '127.0.0.1', port: 53 }])
})

test('a server that cannot be reached at all is a failure like any other', async () => {
  // The kernel does not connect a socket to the broadcast address, as it does not without a route.
  const resolver = createResolver({ servers: [{ host: '255.255.255.255', port: 53 }], hostsFile: '', timeoutMilliseconds: 150 })
  const answer = await resolver.ptr('192.0.2.7')
  assert.equal(answer.kind, 'failed')
})
