/**
 * S18 and S19: strangers choose what next hops are asked, and a next hop may mean harm. Neither gets more
 * than a few connections at one time, no client waits for longer than it was promised, and what is remembered
 * is about whom it was said of.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inOneLine, startCallouts, startHop } from '../delivery/callouts.ts'
import { smarthost, startRawServer } from '../delivery/relay.ts'
import { turn } from '../support/conversations.ts'
import { waitFor } from '../support/processes.ts'

const BUSY = /^busy: too many callouts are under way/
const OF_ONE_CLIENT = 5
const IN_ALL = 20

test('S18: one client has five callouts under way, in all its connections, and an IPv6 client all of its /64', async t => {
  const hop = await startHop(t, () => null)
  const { ask, said, clock } = await startCallouts(t, { settings: smarthost(hop.port) })
  const waiting = Array.from({ length: OF_ONE_CLIENT }, (_, n) => ask(`nobody${n}@b`, `2001:db8::${n}`))
  assert.match(await said('nobody6@b', '2001:db8::ffff'), BUSY)
  await waitFor('the next hop to be asked', () => hop.asked().length === OF_ONE_CLIENT)
  clock.advance(10)
  assert.ok((await Promise.all(waiting)).every(({ says }) => says === 'unknown'))
  assert.match(await said('nobody7@b', '2001:db8::1'), BUSY, 'a client that waits no more has freed no connection')
  void ask('ann@b', '192.0.2.7')
  await waitFor('another client to be served', () => hop.asked().includes('ann@b'))
})

test('S18: all clients together have twenty, and have room again when those are over; a busy answer is not remembered', async t => {
  const hop = await startHop(t, recipient => (recipient === 'ann@b' ? '250 ok' : null))
  const { ask, said, clock, told } = await startCallouts(t, { settings: smarthost(hop.port) })
  for (let n = 0; n < 1000; n++) void ask(`nobody${n}@b`, `192.0.${n >> 8}.${n & 255}`)
  assert.match(await said('ann@b'), BUSY)
  await waitFor('the next hop to be asked', () => hop.asked().length === IN_ALL)
  assert.equal(hop.connections(), IN_ALL)
  clock.advance(30)
  await waitFor('the callouts to end', () => told.length === IN_ALL)
  assert.ok(told.every(answer => inOneLine(answer) === 'unknown: the next hop has not answered within 30 seconds'))
  await waitFor('room', async () => (await said('ann@b')).startsWith('yes'))
})

test('S18: while strangers take all there is, who existed lately still does', async t => {
  const hop = await startHop(t, recipient => (recipient === 'ann@b' ? '250 ok' : null))
  const { ask, said, clock } = await startCallouts(t, { settings: smarthost(hop.port) })
  assert.match(await said('ann@b'), /^yes: /)
  clock.advance(7 * 3600)
  let strangers = 0
  await waitFor('strangers to take all there is', () => {
    void ask(`nobody${strangers}@b`, `192.0.2.${strangers++}`)
    return hop.asked().length > IN_ALL
  })
  assert.match(await said('bob@b'), BUSY)
  assert.match(await said('ann@b'), /^yes: 250 ok .*, 25200 seconds ago$/)
})

test('S18: a question that goes wrong here is about its recipient, and not about the next hop', async t => {
  const hop = await startHop(t, () => '250 ok')
  const { said } = await startCallouts(t, { settings: smarthost(hop.port) })
  assert.match(await said('eve\x01@b'), /^unknown: the callout failed: /)
  assert.match(await said('ann@b'), /^yes: /)
})

for (const [at, replies] of [
  ['MAIL', '250 ok\r\n250 stray\r\n'],
  ['RCPT', '250 stray\r\n550 5.1.1 no\r\n'],
] as const)
  test(`S2: a next hop that says more than it was asked at ${at} has said nothing of a recipient`, async t => {
    const server = await startRawServer(t, (line, socket) => {
      const usual = line.startsWith('RCPT') ? '550 5.1.1 no\r\n' : '250 ok\r\n'
      socket.write(line.startsWith(at) ? replies : usual)
    })
    const { said } = await startCallouts(t, { settings: smarthost(server.port) })
    assert.match(await said('eve@b'), /^unknown: .* does not speak SMTP, .*: it has said more than it was asked$/)
  })

for (const [what, worst] of [
  ['says nothing', ''],
  ['answers a byte at a time', '2'],
  ['never ends a reply', '250-and more\r\n'],
] as const)
  for (const at of ['greeting', 'EHLO', 'MAIL', 'RCPT', 'QUIT'])
    test(`S19: a next hop that ${what} at ${at} holds nobody longer than the deadline`, async t => {
      let reached = 0
      const server = await startRawServer(
        t,
        (line, socket) => {
          const isWorst = line.startsWith(at)
          if (isWorst) reached++
          socket.write(isWorst ? worst : '250 ok\r\n')
        },
        at === 'greeting' ? worst : '220 raw\r\n',
      )
      const { ask, clock, told } = await startCallouts(t, { settings: smarthost(server.port) })
      const answer = ask('ann@b', '192.0.2.7')
      await waitFor('its worst', () => (at === 'greeting' ? server.connections() : reached) === 1)
      if (at === 'QUIT') assert.match(inOneLine(await answer), /^yes: /, 'the client does not wait for the farewell')
      clock.advance(10)
      if (at !== 'QUIT') assert.equal(inOneLine(await answer), 'unknown: the next hop has not answered within 10 seconds')
      clock.advance(20)
      await waitFor('the end of the callout', () => told.length === 1)
      await turn()
      const others = Array.from({ length: OF_ONE_CLIENT }, (_, n) => ask(`other${n}@b`, '192.0.2.7'))
      await turn()
      clock.advance(10)
      assert.ok((await Promise.all(others)).every(({ says }) => says !== 'busy'), 'its place is free again')
    })

test('S19: replies without an end are cut off at once', async t => {
  const server = await startRawServer(t, (line, socket) => {
    socket.write(line.startsWith('RCPT') ? '250-and another thing\r\n'.repeat(10_000) : '250 ok\r\n')
  })
  const { said } = await startCallouts(t, { settings: smarthost(server.port) })
  assert.match(await said('ann@b'), /^unknown: .* does not speak SMTP, after RCPT: a reply of more than 128 lines/)
})

test('S14: nothing that a recipient is made of becomes a command of its own', async t => {
  const hop = await startHop(t, () => '250 ok')
  const { said } = await startCallouts(t, { settings: smarthost(hop.port) })
  assert.match(await said('ann>\r\nDATA\r\n@b'), /^unknown: the callout failed: /)
  assert.match(await said('ann@b>\r\nDATA\r\n@b'), /^unknown: no route to /)
  assert.deepEqual(hop.lines().filter(line => !/^(?:EHLO|MAIL|QUIT)/.test(line)), [])
})
