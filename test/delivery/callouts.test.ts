/** Whether a next hop has a recipient: who is asked, how often, and for how long what it said counts. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../support/processes.ts'
import { inOneLine, startCallouts, startHop } from './callouts.ts'
import { smarthost } from './relay.ts'

const HOUR_SECONDS = 3600

test('an answer is asked for once, and again when it has grown old', async t => {
  const hop = await startHop(t, recipient => (recipient.startsWith('eve') ? '550 5.1.1 nobody' : '250 ok'))
  const { said, clock } = await startCallouts(t, { settings: smarthost(hop.port) })
  assert.match(await said('ann@b'), /^yes: 250 ok \(\[127\.0\.0\.1\]:\d+, after RCPT\)$/)
  assert.match(await said('eve@b'), /^no: 550 5\.1\.1 nobody/)
  clock.advance(600)
  assert.match(await said('ann@b'), /, 600 seconds ago$/)
  assert.match(await said('eve@b'), /, 600 seconds ago$/)
  assert.deepEqual(hop.asked(), ['ann@b', 'eve@b'])
  clock.advance(1)
  await said('eve@b')
  clock.advance(6 * HOUR_SECONDS)
  await said('ann@b')
  assert.deepEqual(hop.asked(), ['ann@b', 'eve@b', 'eve@b', 'ann@b'])
})

test('the case of a domain makes no other recipient, that of a local part may (RFC 5321 §2.4)', async t => {
  const hop = await startHop(t, () => '250 ok')
  const { said } = await startCallouts(t, { settings: smarthost(hop.port) })
  for (const recipient of ['ann@b', 'ann@B', 'Ann@b']) await said(recipient)
  assert.deepEqual(hop.asked(), ['ann@b', 'Ann@b'])
})

test('the same question is asked once, however many wait for it', async t => {
  const hop = await startHop(t, () => '550 5.1.1 nobody')
  const { said } = await startCallouts(t, { settings: smarthost(hop.port) })
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => said('eve@b', `192.0.2.${n}`)))
  assert.ok(answers.every(answer => answer.startsWith('no: ')))
  assert.deepEqual(hop.asked(), ['eve@b'])
})

test('a next hop that cannot be reached is left alone for a minute, whatever the recipient', async t => {
  const { said, told, clock } = await startCallouts(t, { settings: smarthost(1) })
  assert.match(await said('ann@b'), /^unknown: no connection to \[127\.0\.0\.1\]:1: /)
  assert.match(await said('bob@b'), /^unknown: no connection .*, 0 seconds ago$/)
  assert.equal(told.length, 1)
  clock.advance(61)
  assert.match(await said('bob@b'), /^unknown: no connection .*[^o]$/)
  assert.equal(told.length, 2)
})

test('who existed a week ago still does while the next hop does not answer', async t => {
  let reply = '250 ok'
  const hop = await startHop(t, () => reply)
  const { said, clock } = await startCallouts(t, { settings: smarthost(hop.port) })
  await said('ann@b')
  reply = '451 4.3.0 later'
  clock.advance(7 * HOUR_SECONDS)
  assert.match(await said('ann@b'), /^yes: 250 ok .*, 25200 seconds ago$/)
  assert.match(await said('bob@b'), /^unknown: 451 4\.3\.0 later/)
  assert.deepEqual(hop.asked(), ['ann@b', 'ann@b', 'bob@b'], 'it is asked all the same')
  clock.advance(7 * 24 * HOUR_SECONDS)
  assert.match(await said('ann@b'), /^unknown: 451/)
})

test('a client waits ten seconds; what the next hop says later is there for its next try', async t => {
  const hop = await startHop(t, () => null)
  const late = await startCallouts(t, { settings: smarthost(hop.port) })
  const first = late.ask('ann@b', '192.0.2.7')
  await waitFor('the next hop to be asked', () => hop.asked().length === 1)
  late.clock.advance(10)
  assert.equal(inOneLine(await first), 'unknown: the next hop has not answered within 10 seconds')
  hop.say('250 ok\r\n')
  await waitFor('its answer', () => late.told.length === 1)
  assert.match(await late.said('ann@b'), /^yes: 250 ok/)
  assert.equal(hop.asked().length, 1)
})

test('a reload forgets a no and what was unreachable; a yes is for its route', async t => {
  const hop = await startHop(t, recipient => (recipient.startsWith('eve') ? '550 5.1.1 nobody' : '250 ok'))
  const other = await startHop(t, () => '250 other')
  const { said, reconfigure } = await startCallouts(t, { settings: smarthost(hop.port) })
  await said('ann@b')
  await said('eve@b')
  reconfigure({})
  await said('ann@b')
  await said('eve@b')
  assert.deepEqual(hop.asked(), ['ann@b', 'eve@b', 'eve@b'])
  reconfigure(smarthost(other.port))
  assert.match(await said('ann@b'), /^yes: 250 other/)
})

test('what was said to a question from before a reload is not remembered, but for a yes', async t => {
  const hop = await startHop(t, () => null)
  const { ask, said, reconfigure, told } = await startCallouts(t, { settings: smarthost(hop.port) })
  const before = ask('eve@b', '192.0.2.7')
  await waitFor('the next hop to be asked', () => hop.asked().length === 1)
  reconfigure({})
  hop.say('550 5.1.1 nobody\r\n')
  assert.match(inOneLine(await before), /^no: /)
  void said('eve@b')
  await waitFor('it to be asked again', () => hop.asked().length === 2)
  hop.say('250 ok\r\n')
  await waitFor('the answer', () => told.length === 2)
})

test('a next hop that does not prove what its route asks for is told no recipient', async t => {
  const hop = await startHop(t, () => '250 ok')
  const { said } = await startCallouts(t, { settings: smarthost(hop.port, { tls: 'verify' }) })
  assert.match(await said('ann@b'), /^unknown: no TLS with .*it does not offer STARTTLS, and TLS is required/)
  assert.deepEqual(hop.lines().filter(line => !/^(?:EHLO|QUIT)/.test(line)), [])
})

test('a sender that requires TLS has no recipient named without it (RFC 8689 §4.2.1)', async t => {
  const hop = await startHop(t, () => '250 ok')
  const { said } = await startCallouts(t, { settings: smarthost(hop.port) })
  assert.match(await said('ann@b', '192.0.2.7', true), /^cannotAsk: .* offers no TLS, which the sender requires/)
  assert.deepEqual(hop.asked(), [])
  assert.match(await said('ann@b'), /^yes: /, 'others do not mind')
})
