/**
 * `[limits]`: what one client, one network, one holder of a certificate, or all together may take up.
 *
 * The defaults are for a small site. Strangers get what a mail server of a busy provider needs to
 * bring a small site its mail; whoever has proved an identity gets more.
 */

import { z } from 'zod'
import { count, duration, listOf, peer, rate, size } from './forms.ts'
import { table } from './table.ts'

type Rates = { readonly connections: string; readonly messages: string; readonly recipients: string; readonly bytes: string; readonly errors: string }

function ratesTable(rates: Rates) {
  return table({
    'connection-rate': rate('count').prefault(rates.connections).describe('New connections. What exceeds it is told 421.'),
    'message-rate': rate('count').prefault(rates.messages).describe('Messages. What exceeds it is told 450 at MAIL.'),
    'recipient-rate': rate('count').prefault(rates.recipients).describe('Accepted recipients. What exceeds it is told 450 at RCPT.'),
    'byte-rate': rate('size').prefault(rates.bytes).describe('Octets of messages, also of those that were not finished. When they are used up, MAIL is told 450.'),
    'error-rate': rate('count')
      .prefault(rates.errors)
      .describe('Refused or wrong commands, and TLS handshakes that failed. When they are used up, connections are told 421.'),
  }).transform(rates => ({
    connections: rates['connection-rate'],
    messages: rates['message-rate'],
    recipients: rates['recipient-rate'],
    bytes: rates['byte-rate'],
    errors: rates['error-rate'],
  }))
}

const UNLIMITED: Rates = { connections: 'unlimited', messages: 'unlimited', recipients: 'unlimited', bytes: 'unlimited', errors: 'unlimited' }
const OF_AN_ADDRESS: Rates = { connections: '200/1m', messages: '1000/1h', recipients: '5000/1h', bytes: '2GiB/1h', errors: '200/10m' }
const OF_A_NETWORK: Rates = { connections: '600/1m', messages: '4000/1h', recipients: '20000/1h', bytes: '8GiB/1h', errors: '600/10m' }
const OF_AN_IDENTITY: Rates = { connections: '1000/1m', messages: '10000/1h', recipients: '50000/1h', bytes: '20GiB/1h', errors: '1000/10m' }

export const limits = table({
  'message-size': size('1KiB', '4GiB').prefault('50MiB').describe('Largest message accepted, announced with SIZE (RFC 1870).'),
  recipients: count(100_000).prefault(1000).describe('Recipients of one message (RFC 5321 §4.5.3.1.8: at least 100).'),
  'messages-per-connection': count(1_000_000).prefault(1000).describe('Messages accepted over one connection.'),
  errors: count(1000).prefault(20).describe('Refused or wrong commands after which a connection is closed.'),
  'failed-logins': count(100)
    .prefault(5)
    .describe('Failed logins after which a connection is closed. Some programs try one wrong password with every mechanism they know.'),
  'login-failure-rate': rate('count')
    .prefault('30/10m')
    .describe(
      'Failed logins of one network: an IPv4 /24, an IPv6 /48. Each makes the next login of that name or network wait longer, up to 8 seconds; ' +
        'when they are used up, nobody looks at passwords from there, and AUTH is told 454. Each worker process counts for itself.',
    ),
  connections: count(100_000).prefault(5000).describe('Connections at one time, over all listeners.'),
  'connections-per-address': count(100_000)
    .prefault(200)
    .describe('Connections at one time from one address (IPv6: from one /64) that has not proved an identity. `ClientConn:` in the access map stands in its place.'),
  'connections-per-network': count(100_000).prefault(400).describe('The same for one network: an IPv4 /24, an IPv6 /48.'),
  'connections-per-identity': count(100_000).prefault(500).describe('Connections at one time of one identity, wherever they come from.'),
  'header-size': size('1KiB', '16MiB').prefault('256KiB').describe('Largest header section of a message.'),
  'header-fields': count(100_000).prefault(1000).describe('Header fields of a message.'),
  'received-fields': count(1000).prefault(100).describe('Received fields after which a message is refused as looping (RFC 5321 §6.3).'),
  'command-timeout': duration('1h').prefault('5m').describe('How long a client may be silent between commands (RFC 5321 §4.5.3.2.7: at least 5 minutes).'),
  'data-timeout': duration('1h').prefault('3m').describe('How long a client may be silent within a message (RFC 5321 §4.5.3.2.5: 3 minutes).'),
  'message-timeout': duration('1d').prefault('1h').describe('How long one message may take from DATA to its end, however steadily it trickles in.'),
  handshakes: count(100_000)
    .prefault(500)
    .describe('TLS handshakes under way at one time in each worker. When there are more, the one that has taken longest is ended.'),
  'handshake-timeout': duration('5m').prefault('30s').describe('How long a TLS handshake may take.'),
  'greet-delay': z
    .union([z.literal('off'), duration('4m')], { error: 'write "off", or a duration such as "5s"' })
    .prefault('off')
    .describe(
      'How long clients wait for the greeting on `mx`; whoever speaks before it is refused with 554. `GreetPause:` lines of the ' +
        'access map say so for single clients, in milliseconds, on every listener.',
    ),
  'future-release': z
    .union([z.literal('never'), duration('366d')], { error: 'write a duration such as "7d"; or "never"' })
    .prefault('7d')
    .describe('How far ahead a message may be submitted, to be delivered later (RFC 4865); on the submission listeners. `"never"` turns that off.'),
  exempt: listOf(peer, 'write a list of addresses and networks: ["192.0.2.7", "10.0.0.0/8"]')
    .prefault(['127.0.0.0/8', '::1'])
    .describe(
      'Networks whose clients no limit for an address, a network or an identity counts for; lines of the access map still do. ' +
        'The default is this very machine, whose programs have easier ways to keep it busy.',
    ),
  address: ratesTable(OF_AN_ADDRESS)
    .prefault({})
    .describe(
      'How much one address (IPv6: one /64) may do that has not proved an identity. A rate is an allowance that may be used at ' +
        'once, and comes back evenly over its time.',
    ),
  network: ratesTable(OF_A_NETWORK).prefault({}).describe('The same for one network of such clients: an IPv4 /24, an IPv6 /48.'),
  identity: ratesTable(OF_AN_IDENTITY)
    .prefault({})
    .describe(
      'How much one identity may do, wherever it connects from: a person or machine with all of its certificates, a certificate of another ' +
        'CA that counts here, or an address that may relay by a `Connect:` line.',
    ),
  all: ratesTable(UNLIMITED).prefault({}).describe('How much all clients together may do.'),
}).transform(limits => ({
  messageSizeBytes: limits['message-size'],
  recipients: limits.recipients,
  messagesPerConnection: limits['messages-per-connection'],
  errors: limits.errors,
  failedLogins: limits['failed-logins'],
  loginFailureRate: limits['login-failure-rate'],
  connections: limits.connections,
  connectionsPerAddress: limits['connections-per-address'],
  connectionsPerNetwork: limits['connections-per-network'],
  connectionsPerIdentity: limits['connections-per-identity'],
  headerSizeBytes: limits['header-size'],
  headerFields: limits['header-fields'],
  receivedFields: limits['received-fields'],
  commandTimeoutSeconds: limits['command-timeout'],
  dataTimeoutSeconds: limits['data-timeout'],
  messageTimeoutSeconds: limits['message-timeout'],
  handshakes: limits.handshakes,
  handshakeTimeoutSeconds: limits['handshake-timeout'],
  greetDelaySeconds: limits['greet-delay'] === 'off' ? 0 : limits['greet-delay'],
  futureReleaseSeconds: limits['future-release'] === 'never' ? null : limits['future-release'],
  exempt: limits.exempt,
  address: limits.address,
  network: limits.network,
  identity: limits.identity,
  all: limits.all,
}))
