import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { ProxyGate, readHeader } from './proxy-gate.ts'

const LOOPBACK = { groups: [0x7f00, 1], length: 32 }

/** Both ends of a new connection. */
async function pair(t: TestContext): Promise<{ readonly proxy: Socket; readonly accepted: Socket }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  proxy.on('error', () => {})
  t.after(() => {
    proxy.destroy()
    accepted.destroy()
    server.close()
  })
  return { proxy, accepted }
}

test('S17: a header that does not come whole in time is none', async t => {
  const { proxy, accepted } = await pair(t)
  proxy.write('PROXY TCP4 192.0.2.7')
  assert.deepEqual(await readHeader(accepted, 50), { ok: false, problem: 'no whole PROXY header came in time' })
})

test('S17: what follows the header is left to whoever reads next, however it is cut', async t => {
  const { proxy, accepted } = await pair(t)
  const reading = readHeader(accepted, 10_000)
  for (const octet of 'PROXY TCP4 192.0.2.7 192.0.2.1 1 25\r\nEHLO') {
    proxy.write(octet)
    await new Promise<void>(resolve => setImmediate(resolve))
  }
  assert.deepEqual(await reading, { ok: true, value: { client: { address: '192.0.2.7', port: 1 } } })
  let rest = ''
  accepted.setEncoding('latin1').on('data', (text: string) => (rest += text)).resume()
  proxy.end()
  await once(accepted, 'end')
  assert.equal(rest, 'EHLO')
})

test('S17: only so many may wait with their header', async t => {
  const gate = new ProxyGate()
  const [first, second, third] = [await pair(t), await pair(t), await pair(t)]
  const waiting = gate.admit(first.accepted, '127.0.0.1', [LOOPBACK], 1)
  const refused = await gate.admit(second.accepted, '127.0.0.1', [LOOPBACK], 1)
  assert.equal(refused.ok, false)
  assert.ok(second.accepted.destroyed)
  assert.ok((await gate.admit(third.accepted, '192.0.2.9', [LOOPBACK], 1)).ok, 'who is not listed does not wait')
  first.proxy.write('PROXY UNKNOWN\r\n')
  assert.deepEqual(await waiting, { ok: true, value: { client: null } })
})
