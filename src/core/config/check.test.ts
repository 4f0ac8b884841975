import assert from 'node:assert/strict'
import { test } from 'node:test'
import { weaknessesOf } from './check.ts'
import { parseConfig } from './parse.ts'

/** The keys that a configuration is warned about. */
function check(toml: string, ...expected: readonly string[]): void {
  const parsed = parseConfig(`hostname = "mx.example.org"\n${toml}`, 'postern.toml')
  assert.ok(parsed.ok, JSON.stringify(parsed))
  assert.deepEqual(weaknessesOf(parsed.value).map(({ path }) => path.join('.')), expected)
}

test('the defaults give nothing away', () => check(''))

test('each weakened setting is listed', () => {
  check('[relay]\nsender-binding = "off"', 'relay.sender-binding')
  check('[relay]\nsender-binding = "warn"', 'relay.sender-binding')
  check('[relay]\nheader-from-binding = "off"', 'relay.header-from-binding')
  check('[delivery]\ntls = "none"', 'delivery.tls')
  check('[delivery]\nsmarthost = "hub.example.net:25"\ntls = "none"', 'delivery.tls')
  check('[[route]]\ndomain = "a.example"\nto = "a.example:25"\ntls = "none"', 'route.0.tls')
  check('[queue]\nlifetime = "1d"', 'queue.lifetime')
})

test('domains of ours that go where all other mail goes are named', () => {
  const smarthost = '[delivery]\nsmarthost = "smtp.isp.example:587"\n'
  const route = (domain: string): string => `[[route]]\ndomain = "${domain}"\nto = "imap.example.org:25"\n`
  const ours = `[relay]\ndomains = ["Example.org", "lab.example.org"]\n${smarthost}`
  check(ours, 'relay.domains')
  check(`${ours}${route('example.org')}`, 'relay.domains')
  check(`${ours}${route('example.org')}${route('.example.org')}`)
  check(`${ours}${route('*')}`)
  check('[relay]\ndomains = ["example.org"]')
})

test('settings that contradict their purpose are listed', () => {
  check('[delivery]\ntls = "verify"', 'delivery.tls')
  check('[delivery]\ntls = "verify"\nsmarthost = "hub.example.net:25"')
  check('[queue]\nlifetime = "4d"\ndelay-warning = "4d"', 'queue.delay-warning')
  check('[listeners.submission]\nxclient-from = ["10.0.0.6"]', 'listeners.submission.xclient-from')
  check('[listeners.mx]\nxclient-from = ["10.0.0.6"]')
  check('[web]\naddress = "127.0.0.1:8443"', 'web.address')
  const off = ['mx', 'submission', 'submissions'].map(name => `[listeners.${name}]\nenabled = false`).join('\n')
  check(off, 'listeners')
})
