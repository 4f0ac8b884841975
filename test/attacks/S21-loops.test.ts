/** S21: mail that would come back to us, bounces that would be answered, and domains that take no mail. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { envelopeTo } from '../support/queued.ts'
import { startSink } from '../support/sink.ts'
import { dns, hopTo, smarthost, startRelay } from '../delivery/relay.ts'

type Test = Parameters<typeof startRelay>[0]

const names = dns(
  {
    'self.test': [[10, 'relay.test']],
    'backup.test': [[10, 'primary.test'], [20, 'relay.test'], [30, 'worse.test']],
    'loopback.test': [[10, 'localhost.test']],
    'nowhere.test': [[10, 'zero.test']],
    'null.test': [[0, '.']],
    'relay.test': [],
  },
  {
    'relay.test': ['192.0.2.1'], 'primary.test': ['192.0.2.2'], 'worse.test': ['192.0.2.3'],
    'localhost.test': ['127.0.0.1', '::1', '::ffff:127.0.0.1'], 'zero.test': ['0.0.0.0', '::', '255.255.255.255', '224.0.0.1'],
  },
)

async function becomes(t: Test, address: string): Promise<string> {
  const sink = await startSink()
  t.after(() => sink.stop())
  // Every address there is leads to a server that would take the message.
  const everywhere = { get: () => sink.port } as unknown as ReadonlyMap<string, number>
  const relay = await startRelay(t, { dns: names, network: everywhere })
  await relay.submit('m1', address, { envelope: envelopeTo([address], { reversePath: '' }) })
  return ((await relay.attempts(1))[0] ?? '').replace(`m1 ${address} `, '').replace(/^delivered.*\((.*)\[.*$/, 'delivered to $1')
}

for (const [address, expected] of [
  ['ann@self.test', 'failed: no route to self.test: its best mail exchanger is this server, which does not know it as a domain of ours'],
  ['ann@relay.test', 'failed: no route to relay.test: its best mail exchanger is this server, which does not know it as a domain of ours'],
  ['ann@backup.test', 'delivered to primary.test'],
  ['ann@loopback.test', 'failed: no route to loopback.test: its mail exchangers have no address that mail can be sent to'],
  ['ann@nowhere.test', 'failed: no route to nowhere.test: its mail exchangers have no address that mail can be sent to'],
  ['ann@null.test', 'failed: no route to null.test: the domain says that it takes no mail'],
  ['ann@no.test', 'failed: no route to no.test: there is no such domain'],
  ['ann@[127.0.0.1]', 'failed: no route to [127.0.0.1]: mail cannot be sent to this address'],
  ['ann@[IPv6:::1]', 'failed: no route to [ipv6:::1]: mail cannot be sent to this address'],
  ['ann@[IPv6:::ffff:7f00:1]', 'failed: no route to [ipv6:::ffff:7f00:1]: mail cannot be sent to this address'],
  ['ann@[127.1]', 'failed: no route to [127.1]: mail cannot be sent to this address'],
  ['ann@[nonsense]', 'failed: no route to [nonsense]: this is no address literal'],
] as const)
  test(`S21: a message to ${address}: ${expected.split(':')[0]}`, async t => assert.equal(await becomes(t, address), expected))

test('S21: a server that the configuration names may be on this machine', async t => {
  const sink = await startSink()
  t.after(() => sink.stop())
  const relay = await startRelay(t, { settings: { routing: { ...smarthost(1).routing, smarthost: null, routes: new Map([['b', hopTo(sink.port)]]) } } })
  await relay.submit('m1', 'ann@b')
  assert.match((await relay.attempts(1))[0] ?? '', /delivered/)
})

test('S21: nothing that comes from the null reverse-path is answered', async t => {
  const sink = await startSink({ answer: ({ at }) => (at === 'rcpt' ? '550 5.1.1 no' : null) })
  t.after(() => sink.stop())
  const relay = await startRelay(t, { settings: smarthost(sink.port) })
  await relay.submit('m1', 'ann@b', { envelope: envelopeTo(['ann@b'], { reversePath: '' }) })
  await relay.attempts(1)
  await relay.idle()
  await relay.clock.run(3)
  assert.equal(relay.reports.length, 1)
  assert.equal(relay.spool.stats().messages, 0)
})
