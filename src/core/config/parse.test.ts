import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultConfig, formatConfigProblem, parseConfig } from './parse.ts'

/** The problems of a file, as an administrator reads them; none if it is right. */
function check(toml: string, expected: string): void {
  const parsed = parseConfig(toml, 'postern.toml')
  const problems = parsed.ok ? [] : parsed.problem.map(formatConfigProblem)
  assert.equal(problems.join('\n'), expected.trim().replace(/^ +/gm, ''))
}

test('a file that sets only the host name gets every default', () => {
  const config = defaultConfig('mx.example.org')
  assert.deepEqual(config.listeners.submission, { enabled: true, address: { host: '::', port: 587 }, fallbackPort: 2587, authentication: 'any', clientCaFiles: [], proxyFrom: [], xclientFrom: [] })
  assert.equal(config.relay.senderBinding, 'enforce')
  assert.equal(config.queue.lifetimeSeconds, 5 * 86400)
  assert.equal(config.delivery.tls, 'opportunistic')
})

test('values arrive in the units that their names say', () => {
  const parsed = parseConfig(
    `hostname = "MX.example.org"
     [listeners.mx]
     address = "127.0.0.1:2525"
     [queue]
     retry = "90s"
     delay-warning = "never"
     inline-size = "0B"
     [delivery]
     smarthost = "[2001:DB8::9]:25"
     resolvers = ["127.0.0.1", "[::1]:5353"]
     [[route]]
     domain = ".Example.com"
     to = "hub.example.com:587"`,
    'postern.toml',
  )
  assert.ok(parsed.ok)
  const { hostname, listeners, queue, delivery, routes } = parsed.value
  assert.equal(hostname, 'mx.example.org')
  assert.deepEqual(listeners.mx.address, { host: '127.0.0.1', port: 2525 })
  assert.equal(listeners.mx.fallbackPort, null, 'an address set by hand is never replaced')
  assert.deepEqual([queue.retrySeconds, queue.delayWarningSeconds, queue.inlineSizeBytes], [[90], null, 0])
  assert.deepEqual(delivery.smarthost, { host: '2001:db8::9', port: 25 })
  assert.deepEqual(delivery.resolvers, [{ host: '127.0.0.1', port: 53 }, { host: '::1', port: 5353 }])
  assert.equal(routes[0]?.domain, '.example.com')
})

test('all problems come at once, in the order of their lines', () =>
  check(
    `hostname = "mx"
[relay]
domains = [
  "example.org",
  "@example.net",
]
sender-bindung = "warn"

[queue] # how long
lifetime = 5
retry = ["5m", "soon"]
[[route]]
domain = "a.example"
to = "a.example"
[[route]]
to = "b.example:25"
`,
    `postern.toml:1: hostname: write this machine's full name, such as "mail.example.org", or "localhost" to try things out
     postern.toml:5: relay.domains[1]: write a domain such as "example.org", without "@" or a leading dot
     postern.toml:7: relay.sender-bindung: unknown key; did you mean "sender-binding"?
     postern.toml:10: queue.lifetime: write a duration as a number and a unit: 30s, 5m, 4h, 5d
     postern.toml:11: queue.retry: write one duration or a list of them: ["5m", "15m", "1h"]
     postern.toml:14: route[0].to: write HOST:PORT, such as "mail.example.org:25", "192.0.2.1:25" or "[2001:db8::9]:25"
     postern.toml:15: route[1].domain: is missing: write "example.org" for a domain, ".example.org" for all below it, or "*" for every other`,
  ))

test('a key in the wrong table is sent home', () => {
  check('hostname = "localhost"\nsmarthost = "h:25"', 'postern.toml:2: smarthost: unknown key here; it belongs under [delivery]')
  check(
    '[log]\nhostname = "localhost"',
    `postern.toml:1: hostname: is missing: write this machine's full name, such as "mail.example.org", or "localhost" to try things out
     postern.toml:2: log.hostname: unknown key here; it belongs at the top, above every [header]`,
  )
  check('hostname = "localhost"\nzebra = 1', 'postern.toml:2: zebra: unknown key; docs/reference/settings.md lists the known ones')
})

test('unknown listeners and keys of listeners are found', () =>
  check(
    'hostname = "localhost"\n[listeners.pages]\n[listeners.mx]\nadress = "[::]:25"',
    `postern.toml:2: listeners.pages: unknown key; docs/reference/settings.md lists the known ones
     postern.toml:4: listeners.mx.adress: unknown key; did you mean "address"?`,
  ))

test('what is not TOML is reported with its line', () => {
  check('hostname = "localhost"\n[queue\nretry = "5m"', 'postern.toml:2: not valid TOML: illegal character in key')
})

test('a value of the wrong type says what would be right', () =>
  check(
    'hostname = 7\nlisteners = 3\n[relay]\ndomains = "example.org"\n[delivery]\ntls = "starttls"\nimplicit-tls = "yes"\nconcurrency = 0',
    `postern.toml:1: hostname: write this machine's full name, such as "mail.example.org", or "localhost" to try things out
     postern.toml:2: listeners: write a table: a [header] with keys below it
     postern.toml:4: relay.domains: write a list of domains: ["example.org"]
     postern.toml:6: delivery.tls: write one of "none", "opportunistic", "encrypt", "verify"
     postern.toml:7: delivery.implicit-tls: write true or false, without quotes
     postern.toml:8: delivery.concurrency: write a whole number from 1 to 1000`,
  ))

test('durations and sizes have bounds', () =>
  check(
    'hostname = "localhost"\n[limits]\ncommand-timeout = "0s"\nmessage-size = "1B"',
    `postern.toml:3: limits.command-timeout: write a value from 1s to 1h
     postern.toml:4: limits.message-size: write a value from 1KiB to 4GiB`,
  ))
