import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatHop, hopKey, nextHopOf, type ConfiguredHop, type Routing } from './route.ts'

const terms = { tls: 'verify', implicitTls: false, showCertificate: true, trustedPem: null, ignoredKeywords: [], requireTls: false } as const
const hop = (host: string): ConfiguredHop => ({ kind: 'host', key: host, host, port: 25, ...terms })
const direct: Routing = { smarthost: null, routes: new Map(), ownDomain: '', waivable: 'mx', mx: { tls: 'opportunistic', trustedPem: null, ignoredKeywords: [], port: 25 } }

function check(address: string, routing: Routing, key: string | null): void {
  const found = nextHopOf(address, routing, null)
  assert.equal(found.ok ? `${found.value.kind} ${formatHop(found.value)}` : null, key, address)
}

test('without routes and smarthost a recipient goes to the MX hosts of its domain', () => {
  check('ann@Example.NET', direct, 'mx example.net')
  check('"a@b"@example.net', direct, 'mx example.net')
  check('ann@[192.0.2.7]', direct, 'mx [192.0.2.7]')
})

test('S15: an address that the policy could not read goes nowhere, whatever would take it', () => {
  for (const address of ['ann@b@example.net', '"ann@example.net', 'ann@', '@example.net', '']) check(address, { ...direct, smarthost: hop('smart') }, null)
  check('@relay.example:ann@example.net', direct, 'mx example.net')
})

test('the most exact route wins, then the smarthost', () => {
  const routes = new Map(['example.org', '.example.org', '.sub.example.org', 'example.net'].map(domain => [domain, hop(`to-${domain}`)]))
  const routing = { ...direct, routes, smarthost: hop('smart') }
  check('a@example.org', routing, 'host to-example.org:25')
  check('a@x.example.org', routing, 'host to-.example.org:25')
  check('a@x.sub.example.org', routing, 'host to-.sub.example.org:25')
  check('a@sub.example.org', routing, 'host to-.example.org:25')
  check('a@notexample.org', routing, 'host smart:25')
  check('a@x.example.net', routing, 'host smart:25')
  check('a@else', { ...routing, routes: new Map([...routes, ['*', hop('star')]]) }, 'host star:25')
})

test('two routes to one server share nothing, since their terms may differ', () => {
  const routes = new Map([['a', hop('same')], ['b', { ...hop('same'), tls: 'none' as const }]])
  const keys = ['x@a', 'y@a', 'x@b'].map(address => {
    const found = nextHopOf(address, { ...direct, routes }, null)
    assert.ok(found.ok)
    return hopKey(found.value)
  })
  assert.equal(keys[0], keys[1])
  assert.notEqual(keys[0], keys[2])
})

test('our certificate is never shown to servers that only DNS named', () => {
  const found = nextHopOf('ann@example.net', direct, null)
  assert.equal(found.ok && found.value.showCertificate, false)
})

test('an address without a domain is at home in our first domain, or the smarthost knows (RFC 5321 §4.5.1)', () => {
  check('postmaster', direct, null)
  check('postmaster', { ...direct, ownDomain: 'example.org' }, 'mx example.org')
  check('postmaster', { ...direct, smarthost: hop('smart') }, 'host smart:25')
})

test('a sender who requires TLS gets the strictest terms wherever the message goes (RFC 8689)', () => {
  for (const routing of [direct, { ...direct, smarthost: hop('smart') }]) {
    const found = nextHopOf('a@b', routing, 'required')
    assert.deepEqual(found.ok ? [found.value.tls, found.value.requireTls] : [], ['verify', true])
    const usual = nextHopOf('a@b', routing, null)
    assert.ok(found.ok && usual.ok && hopKey(found.value) !== hopKey(usual.value), 'it shares no connection with those who do not')
  }
})

test('a sender waives TLS where the settings let it, and never asks for more by it', () => {
  const levelOf = (routing: Routing): string => {
    const found = nextHopOf('a@b', routing, 'waived')
    return found.ok ? found.value.tls : ''
  }
  const strict = (waivable: Routing['waivable']): Routing => ({ ...direct, waivable, mx: { ...direct.mx, tls: 'encrypt' } })
  assert.deepEqual((['none', 'mx', 'all'] as const).map(waivable => levelOf(strict(waivable))), ['encrypt', 'opportunistic', 'opportunistic'])
  assert.deepEqual((['none', 'mx', 'all'] as const).map(waivable => levelOf({ ...strict(waivable), smarthost: hop('smart') })), ['verify', 'verify', 'opportunistic'])
  assert.equal(levelOf({ ...direct, mx: { ...direct.mx, tls: 'none' } }), 'none')
})
