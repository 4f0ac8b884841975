import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatHop, hopKey, nextHopOf, type ConfiguredHop, type Routing } from './route.ts'

const terms = { tls: 'verify', implicitTls: false, showCertificate: true, trustedPem: null } as const
const hop = (host: string): ConfiguredHop => ({ kind: 'host', host, port: 25, ...terms })
const direct: Routing = { smarthost: null, routes: new Map(), ownDomain: '', mx: { tls: 'opportunistic', trustedPem: null, port: 25 } }

function check(address: string, routing: Routing, key: string | null): void {
  const found = nextHopOf(address, routing)
  assert.equal(found.ok ? `${found.value.kind} ${formatHop(found.value)}` : null, key, address)
}

test('without routes and smarthost a recipient goes to the MX hosts of its domain', () => {
  check('ann@Example.NET', direct, 'mx example.net')
  check('"a@b"@example.net', direct, 'mx example.net')
  check('ann@[192.0.2.7]', direct, 'mx [192.0.2.7]')
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
    const found = nextHopOf(address, { ...direct, routes })
    assert.ok(found.ok)
    return hopKey(found.value)
  })
  assert.equal(keys[0], keys[1])
  assert.notEqual(keys[0], keys[2])
})

test('our certificate is never shown to servers that only DNS named', () => {
  const found = nextHopOf('ann@example.net', direct)
  assert.equal(found.ok && found.value.showCertificate, false)
})

test('an address without a domain is at home in our first domain, or the smarthost knows (RFC 5321 §4.5.1)', () => {
  check('postmaster', direct, null)
  check('postmaster', { ...direct, ownDomain: 'example.org' }, 'mx example.org')
  check('postmaster', { ...direct, smarthost: hop('smart') }, 'host smart:25')
})
