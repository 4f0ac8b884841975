/** S18: what one client may take up over all of its connections, whoever it is. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EntryLimit } from '../../src/core/policy/client-terms.ts'
import type { ClientLimits, Excess } from '../../src/core/limits/limits.ts'
import { USAGES, UsageTable } from '../../src/core/limits/usage-table.ts'
import type { ClientIdentity } from '../../src/core/names/identity.ts'
import { Visit } from '../../src/relay/limiter.ts'
import { isError } from '../../src/relay/visit-charges.ts'
import { callerNamed } from '../decisions/people.ts'
import { limiterWith, noLimits, noRates, noTerms } from '../support/visits.ts'

const TWO_A_MINUTE = { amount: 2, seconds: 60 }
const joe = callerNamed('joe').identity

test('S18: connections at one time are limited by address, by IPv6 /64, by network and in all', () => {
  const full = (limits: Partial<ClientLimits>, addresses: readonly string[]): string | null => {
    const limiter = limiterWith(limits)
    const refused = addresses.map(address => limiter.admit(address, noTerms, 0)).find(visit => !(visit instanceof Visit))
    return refused === undefined ? null : (refused as Excess).limit
  }
  assert.equal(full({ connectionsPerAddress: 2 }, ['192.0.2.7', '192.0.2.8', '192.0.2.7']), null)
  assert.equal(full({ connectionsPerAddress: 2 }, ['192.0.2.7', '192.0.2.7', '192.0.2.7']), 'limits.connections-per-address = 2')
  assert.equal(full({ connectionsPerAddress: 2 }, ['2001:db8::1', '2001:db8::2', '2001:db8::3']), 'limits.connections-per-address = 2')
  assert.equal(full({ connectionsPerNetwork: 2 }, ['192.0.2.7', '192.0.2.8', '192.0.3.9']), null)
  assert.equal(full({ connectionsPerNetwork: 2 }, ['192.0.2.7', '192.0.2.8', '192.0.2.9']), 'limits.connections-per-network = 2')
  assert.equal(full({ connections: 2 }, ['192.0.2.7', '198.51.100.8', '203.0.113.9']), 'limits.connections = 2')
})

test('S18: a connection that is over makes room', () => {
  const limiter = limiterWith({ connectionsPerAddress: 1 })
  const first = limiter.admit('192.0.2.7', noTerms, 0)
  assert.equal(limiter.admit('192.0.2.7', noTerms, 0) instanceof Visit, false)
  if (first instanceof Visit) first.end()
  assert.equal(limiter.admit('192.0.2.7', noTerms, 0) instanceof Visit, true)
})

for (const usage of USAGES) {
  for (const whose of ['address', 'network', 'identity', 'all'] as const) {
    test(`S18: ${usage} of ${whose === 'all' ? 'all' : `one ${whose}`} are limited in time, and come back`, () => {
      const table = new UsageTable(1000, false)
      const limiter = limiterWith({ [whose]: { ...noRates, [usage]: TWO_A_MINUTE } }, table)
      const use = (now: number): Excess | null => {
        const visit = limiter.admit('192.0.2.7', noTerms, now)
        if (!(visit instanceof Visit)) return visit
        const excess = whose === 'identity' ? visit.identify(joe, now) : null
        const used = excess ?? (usage === 'connections' ? null : visit.use(usage, 1, now))
        visit.end()
        return used
      }
      const setting = `limits.${whose}.${{ connections: 'connection', messages: 'message', recipients: 'recipient', bytes: 'byte', errors: 'error' }[usage]}-rate`
      assert.deepEqual([use(0), use(0)], [null, null])
      const excess = use(0)
      assert.deepEqual([excess?.of, excess?.what, excess?.limit.split(' ')[0]], [whose, usage, setting])
      assert.equal(use(61_000), null)
    })
  }
}

test('S18: octets are charged when they have come, and the next message learns of it', () => {
  const limiter = limiterWith({ address: { ...noRates, bytes: { amount: 1000, seconds: 60 } } })
  const visit = admitted(limiter.admit('192.0.2.7', noTerms, 0))
  assert.equal(visit.excess('bytes', 0), null)
  visit.charge('bytes', 5000, 0)
  assert.equal(visit.excess('bytes', 239_000)?.what, 'bytes')
  assert.equal(visit.excess('bytes', 241_000), null)
})

test('S18: who has proved an identity is no longer charged as a stranger, from wherever it comes', () => {
  const limiter = limiterWith({ connectionsPerAddress: 1, connectionsPerIdentity: 2 })
  const identify = (address: string): Excess | null => admitted(limiter.admit(address, noTerms, 0)).identify(joe, 0)
  assert.equal(identify('192.0.2.7'), null)
  assert.equal(identify('192.0.2.7'), null)
  assert.equal(identify('198.51.100.9')?.limit, 'limits.connections-per-identity = 2')
})

test('S18: a certificate that does not count, or none, is a stranger\'s', () => {
  const limiter = limiterWith({ connectionsPerAddress: 1 })
  const strangers: readonly ClientIdentity[] = [callerNamed('revoked joe').identity, { kind: 'plaintext' }]
  for (const [index, identity] of strangers.entries()) {
    const visit = admitted(limiter.admit(`192.0.2.${index}`, noTerms, 0))
    assert.equal(visit.identify(identity, 0), null)
    assert.equal(limiter.admit(`192.0.2.${index}`, noTerms, 0) instanceof Visit, false)
  }
})

test('S18: exempt networks are held to what counts for all, and to lines of the access map', () => {
  const limits: Partial<ClientLimits> = { connectionsPerAddress: 1, connectionsPerNetwork: 1, connectionsPerIdentity: 1, connections: 3, exempt: [{ groups: [0xc000, 0x0200], length: 24 }] }
  const limiter = limiterWith(limits)
  for (let connection = 0; connection < 3; connection++) admitted(limiter.admit('192.0.2.7', noTerms, 0)).identify(joe, 0)
  assert.equal((limiter.admit('192.0.2.7', noTerms, 0) as Excess).limit, 'limits.connections = 3')

  const entry = limitOf('ClientConn:192.0.2', 1)
  const strict = limiterWith(limits)
  admitted(strict.admit('192.0.2.7', { ...noTerms, connections: entry }, 0))
  const excess = strict.admit('192.0.2.7', { ...noTerms, connections: entry }, 0) as Excess
  assert.deepEqual([excess.limit, excess.entry], ['access:3 ClientConn:192.0.2 1', entry.entry])
})

test('S18: an address that may relay by a Connect: line has an identity\'s limits', () => {
  const limiter = limiterWith({ connectionsPerAddress: 1, connectionsPerNetwork: 1, connectionsPerIdentity: 2 })
  const terms = { ...noTerms, mayRelay: true }
  admitted(limiter.admit('192.0.2.7', terms, 0))
  admitted(limiter.admit('192.0.2.7', terms, 0))
  assert.equal((limiter.admit('192.0.2.7', terms, 0) as Excess).of, 'identity')
})

test('S18: ClientRate and ClientConn stand in place of the settings for one address; 0 is no limit', () => {
  const limits: Partial<ClientLimits> = { connectionsPerAddress: 1, address: { ...noRates, connections: TWO_A_MINUTE } }
  const none = { connections: limitOf('ClientConn:', 0), connectionRate: limitOf('ClientRate:', 0), mayRelay: false }
  const open = limiterWith(limits)
  for (let connection = 0; connection < 100; connection++) admitted(open.admit('192.0.2.7', none, 0))

  const strict = limiterWith({ ...limits, connectionsPerAddress: 100 })
  const one = { ...none, connectionRate: limitOf('ClientRate:', 1) }
  admitted(strict.admit('192.0.2.7', one, 0))
  const excess = strict.admit('192.0.2.7', one, 0) as Excess
  assert.deepEqual([excess.what, excess.limit, excess.entry], ['connections', 'access:3 ClientRate: 1', one.connectionRate.entry])
  admitted(strict.admit('192.0.2.7', one, 61_000))
})

test('S18: a connection that turns out to be another client\'s is charged to that one', () => {
  const limiter = limiterWith({ connectionsPerAddress: 1 })
  const proxied = admitted(limiter.admit('192.0.2.7', noTerms, 0))
  proxied.become(admitted(limiter.admit('198.51.100.9', noTerms, 0)), 0)
  assert.equal((limiter.admit('198.51.100.9', noTerms, 0) as Excess).of, 'address')
  const next = admitted(limiter.admit('192.0.2.7', noTerms, 0))
  proxied.end()
  next.end()
  for (const address of ['192.0.2.7', '198.51.100.9']) admitted(limiter.admit(address, noTerms, 0))
})

test('S18: and has what that one has: no exemption of the peer, no right to relay, no identity', () => {
  const exempt = [{ groups: [0xc000, 0x0200], length: 24 }]
  const limiter = limiterWith({ exempt, connectionsPerIdentity: 1 })
  const peer = (): Visit => admitted(limiter.admit('192.0.2.7', { ...noTerms, mayRelay: true }, 0))
  const client = (mayRelay = false): Visit => admitted(limiter.admit('198.51.100.9', { ...noTerms, mayRelay }, 0))

  const speaking = peer()
  speaking.become(client(), 0)
  assert.equal(speaking.mayRelay, false)
  assert.equal(speaking.identify(joe, 0), null)
  assert.equal(client().identify(joe, 0)?.of, 'identity', 'the client is held to the limits of identities')

  const known = admitted(limiter.admit('203.0.113.5', noTerms, 0))
  known.identify(callerNamed('printer').identity, 0)
  known.become(client(true), 0)
  assert.equal(known.mayRelay, true)
  assert.equal(known.identify(callerNamed('printer').identity, 0), null, 'who proves it anew is charged anew')
  assert.equal(admitted(limiter.admit('203.0.113.5', noTerms, 0)).identify(callerNamed('printer').identity, 0)?.of, 'identity')
})

test('S18: a refusal counts against its client, and not a farewell or too many recipients (RFC 5321 §4.5.3.1.10)', () => {
  const counted = [220, 250, 354, 421, 450, 451, 452, 500, 550, 554].filter(code => isError({ code, enhanced: null, lines: [] }))
  assert.deepEqual(counted, [450, 451, 500, 550, 554])
})

test('S18: what was used still counts after a reload, against the new limits', () => {
  const limiter = limiterWith({ address: { ...noRates, messages: { amount: 10, seconds: 60 } } })
  const visit = admitted(limiter.admit('192.0.2.7', noTerms, 0))
  for (let message = 0; message < 10; message++) assert.equal(visit.use('messages', 1, 0), null)
  limiter.reconfigure({ ...noLimits, address: { ...noRates, messages: { amount: 20, seconds: 60 } } })
  assert.equal(visit.use('messages', 1, 0)?.limit, 'limits.address.message-rate = 20/1m')
})

function admitted(visit: Visit | Excess): Visit {
  assert.ok(visit instanceof Visit, `turned away: ${visit instanceof Visit ? '' : visit.limit}`)
  return visit
}

/** A line of the access map. */
function limitOf(key: string, count: number): EntryLimit {
  const entry = { key, value: String(count), file: 'access', line: 3 }
  return { count, entry }
}
