/** XCLIENT: whatever a peer says, an introduction is an address in canonical form and nothing that could be read twice (S17). */

import assert from 'node:assert/strict'
import { formatAddress } from '../../../src/core/peers/ip-address.ts'
import { parseXclient } from '../../../src/core/peers/xclient.ts'
import type { FuzzTarget } from '../target.ts'

export const target: FuzzTarget = {
  name: 'xclient',
  seeds: [
    'ADDR=192.0.2.7', 'NAME=mail.example.com ADDR=192.0.2.7 PORT=50000 PROTO=ESMTP HELO=mail.example.com LOGIN=joe+40example.org DESTADDR=192.0.2.1 DESTPORT=25',
    'ADDR=IPV6:2001:db8::9 NAME=[UNAVAILABLE]', 'ADDR=IPV6:::ffff:192.0.2.7 NAME=[TEMPUNAVAIL] HELO=[UNAVAILABLE] PROTO=SMTP LOGIN=+5BUNAVAILABLE+5D',
  ].map(argument => Buffer.from(argument, 'latin1')),
  words: [' ADDR=', ' NAME=', ' LOGIN=', ' HELO=', ' PROTO=SMTP', 'IPV6:', '[UNAVAILABLE]', '[TEMPUNAVAIL]', '+0D+0A', '+00', '+', '=', '::', '192.0.2.7'],
  check(input) {
    const argument = input.toString('latin1')
    const introduction = parseXclient(argument)
    if (!introduction.ok) return assert.doesNotMatch(introduction.problem, /[\r\n]/)
    const { host, hello, login } = introduction.value
    assert.equal(formatAddress(host.address), host.address)
    if (host.name?.resolve === 'OK') assert.match(host.name.name, /^[a-z0-9_.-]{1,253}$/)
    if (hello !== null) assert.match(hello.name, /^[!-~]{1,255}$/)
    if (login !== null) assert.doesNotMatch(login, /\p{Cc}/u)
    assert.equal(argument.toUpperCase().split(/(?:^| )ADDR=/).length, 2, 'an address that is said twice is not believed')
  },
}
