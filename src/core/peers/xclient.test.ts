import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, property, string } from 'fast-check'
import { parseXclient, type Introduction } from './xclient.ts'

const UNNAMED = { address: '192.0.2.7', name: null }

const read: readonly (readonly [argument: string, introduction: Partial<Introduction>])[] = [
  ['ADDR=192.0.2.7', { host: UNNAMED, hello: null, login: null }],
  ['addr=192.0.2.7', { host: UNNAMED }],
  ['  ADDR=192.0.2.7  PORT=25 ', { host: UNNAMED }],
  ['ADDR=IPV6:2001:DB8::9', { host: { address: '2001:db8::9', name: null } }],
  ['ADDR=ipv6:0:0:0:0:0:0:0:1', { host: { address: '::1', name: null } }],
  ['ADDR=IPV6:::ffff:192.0.2.7', { host: UNNAMED }],
  ['ADDR=192.0.2.7 NAME=Mail.Example.COM', { host: { address: '192.0.2.7', name: { resolve: 'OK', name: 'mail.example.com' } } }],
  ['ADDR=192.0.2.7 NAME=[UNAVAILABLE]', { host: { address: '192.0.2.7', name: { resolve: 'FAIL' } } }],
  ['ADDR=192.0.2.7 NAME=[tempunavail]', { host: { address: '192.0.2.7', name: { resolve: 'TEMP' } } }],
  ['ADDR=192.0.2.7 NAME=+5BUNAVAILABLE+5D', { host: { address: '192.0.2.7', name: { resolve: 'FAIL' } } }],
  ['ADDR=192.0.2.7 HELO=my_pc', { hello: { name: 'my_pc', extended: true } }],
  ['ADDR=192.0.2.7 HELO=[192.0.2.7] PROTO=SMTP', { hello: { name: '[192.0.2.7]', extended: false } }],
  ['ADDR=192.0.2.7 HELO=[UNAVAILABLE]', { hello: null }],
  ['ADDR=192.0.2.7 PROTO=ESMTP', { hello: null }],
  ['ADDR=192.0.2.7 LOGIN=joe+40example.org', { login: 'joe@example.org' }],
  ['ADDR=192.0.2.7 LOGIN=jos+C3+A9', { login: 'josé' }],
  ['ADDR=192.0.2.7 LOGIN=[UNAVAILABLE]', { login: null }],
  ['ADDR=192.0.2.7 LOGIN=a=b', { login: 'a=b' }],
  ['ADDR=192.0.2.7 DESTADDR=[UNAVAILABLE] DESTPORT=0', { host: UNNAMED }],
]

const unreadable: readonly string[] = [
  '',
  'ADDR',
  'ADDR=',
  'ADDR=192.0.2.7 ADDR=192.0.2.8',
  'ADDR=192.0.2.7 addr=192.0.2.7',
  'ADDR=[UNAVAILABLE]',
  'ADDR=[TEMPUNAVAIL]',
  'ADDR=[192.0.2.7]',
  'ADDR=192.0.2.256',
  'ADDR=192.0.2.07',
  'ADDR=192.0.2',
  'ADDR=2001:db8::9',
  'ADDR=IPV6:192.0.2.7',
  'ADDR=IPV6:::f1.0.2.7',
  'ADDR=IPV6:::ffff:1.2.3',
  'ADDR=IPV6:2001:db8::9%eth0',
  'ADDR=mail.example.com',
  'NAME=mail.example.com',
  'ADDR=192.0.2.7 NAME=',
  'ADDR=192.0.2.7 NAME=a+20b',
  'ADDR=192.0.2.7 NAME=-a.example.com',
  `ADDR=192.0.2.7 NAME=${'a.'.repeat(127)}`,
  'ADDR=192.0.2.7 PORT=65536',
  'ADDR=192.0.2.7 PORT=-1',
  'ADDR=192.0.2.7 PORT=[TEMPUNAVAIL]',
  'ADDR=192.0.2.7 PROTO=LMTP',
  'ADDR=192.0.2.7 PROTO=[UNAVAILABLE]',
  'ADDR=192.0.2.7 HELO=two+20words',
  'ADDR=192.0.2.7 LOGIN=joe+0D+0AMAIL',
  'ADDR=192.0.2.7 LOGIN=joe+00',
  'ADDR=192.0.2.7 LOGIN=+99',
  'ADDR=192.0.2.7 LOGIN=+C2+99',
  'ADDR=192.0.2.7 LOGIN=+4',
  'ADDR=192.0.2.7 LOGIN=+zz',
  'ADDR=192.0.2.7 LOGIN=joe+',
  'ADDR=192.0.2.7 DESTADDR=nowhere',
  'ADDR=192.0.2.7 DESTPORT=99999',
  'ADDR=192.0.2.7 CERT=joe',
  'ADDR=192.0.2.7\tLOGIN=joe',
]

for (const [argument, expected] of read) {
  test(`XCLIENT ${argument}`, () => {
    const result = parseXclient(argument)
    assert.ok(result.ok, 'it can be read')
    for (const [field, value] of Object.entries(expected)) assert.deepEqual(result.value[field as keyof Introduction], value)
  })
}

for (const argument of unreadable) {
  test(`XCLIENT ${argument.slice(0, 60)}: cannot be read`, () => assert.equal(parseXclient(argument).ok, false))
}

test('whatever is said, an introduction has an address in canonical form and no control characters', () => {
  check(
    property(string(), string(), (name, login) => {
      const result = parseXclient(`ADDR=192.0.2.7 NAME=${name} LOGIN=${login}`)
      if (!result.ok) return
      assert.equal(result.value.host.address, '192.0.2.7')
      // JSON writes a backslash twice: what is left of it behind those pairs is an escape.
      assert.doesNotMatch(JSON.stringify(result.value).replaceAll('\\\\', ''), /\\u00[01]|\\[nrtbf]/)
    }),
  )
})
