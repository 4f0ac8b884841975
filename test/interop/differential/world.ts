/**
 * The small world in which the generated sessions play: its hosts, its domains and its names.
 *
 * The policy is told of it as facts; Sendmail finds the same out for itself, from a name server that
 * answers by these tables and from connections that come from these addresses.
 */

export const HOSTNAME = 'mx.home.example'

/** A client's host as DNS shows it. `name` is its PTR record, if there is one. */
export type Host = {
  /** As in the access map: IPv6 is written out. */
  readonly address: string
  readonly name: string | null
  readonly resolve: 'OK' | 'FAIL' | 'FORGED' | 'TEMP'
}

export const HOSTS: readonly Host[] = [
  { address: '192.0.2.10', name: 'host.friend.example', resolve: 'OK' },
  { address: '192.0.2.11', name: 'deep.sub.friend.example', resolve: 'OK' },
  { address: '192.0.2.12', name: 'friend.example', resolve: 'OK' },
  { address: '192.0.2.20', name: 'client.relay.example', resolve: 'OK' },
  { address: '192.0.2.21', name: 'notrelay.example', resolve: 'OK' },
  { address: '192.0.2.22', name: 'forged.relay.example', resolve: 'FORGED' },
  { address: '192.0.2.23', name: null, resolve: 'TEMP' },
  { address: '192.0.2.26', name: 'relay.example', resolve: 'OK' },
  { address: '192.0.2.30', name: HOSTNAME, resolve: 'OK' },
  { address: '192.0.2.31', name: 'pc.home.example', resolve: 'OK' },
  { address: '192.0.2.40', name: 'Host.MIXED.Example', resolve: 'OK' },
  { address: '192.0.2.66', name: null, resolve: 'FAIL' },
  { address: '198.51.100.7', name: 'pc.isp.example', resolve: 'OK' },
  { address: '203.0.113.5', name: 'badhost.spam.example', resolve: 'OK' },
  { address: '10.2.0.1', name: 'gw.corp.example', resolve: 'OK' },
  { address: '10.20.0.1', name: null, resolve: 'FAIL' },
  { address: '127.0.0.1', name: 'localhost', resolve: 'OK' },
  { address: '127.0.0.2', name: null, resolve: 'FAIL' },
  { address: 'IPv6:2001:db8:0:0:0:0:0:10', name: 'v6.friend.example', resolve: 'OK' },
  { address: 'IPv6:2001:db8:1:2:0:0:0:5', name: null, resolve: 'FAIL' },
]

/** What DNS says of the domains in addresses; of all others it says that they do not exist. */
export const DOMAINS: Readonly<Record<string, string>> = {
  'home.example': 'addr',
  [HOSTNAME]: 'addr',
  'pc.home.example': 'addr',
  'relay.example': 'addr',
  'sub.relay.example': 'addr',
  'dest.example': 'addr',
  'sub.dest.example': 'addr',
  'ok.example': 'addr',
  'mail.example': 'addr',
  'spam.example': 'addr',
  'sub.spam.example': 'addr',
  'mxonly.example': 'mx mail.example',
  'mxserved.example': `mx ${HOSTNAME}`,
  'unresolved.example': 'tempfail',
}

/** The same with the names of the hosts, as a session's facts have it. */
export const RECORDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(HOSTS.flatMap(({ name }) => (name === null || name === 'localhost' ? [] : [[name.toLowerCase(), 'addr']]))),
  ...DOMAINS,
}

export const LOCAL_DOMAINS = ['home.example']
export const RELAY_DOMAINS = ['relay.example', '10.2']
export const OWN_DOMAINS = ['home.example']

/** Those that there is a mailbox for are among the mailboxes of the vectors. */
export const LOCAL_PARTS = [
  'alice', 'bob', 'Carol', 'spamtrap', 'abuse', 'postmaster', 'friend', 'hater', 'info', 'stranger', 'joe+tag', 'user+x', 'alice+tag', 'first.last', '"a b"',
] as const

/** Local parts that hold an address of their own. */
export const ROUTED_LOCAL_PARTS = [
  'u%dest.example', 'alice%home.example', 'u%relay.example', 'dest.example!u', 'relay!u', '"u@dest.example"', 'u%dest.example%relay.example', 'bob%spam.example',
] as const

export const ADDRESS_DOMAINS = [
  ...Object.keys(DOMAINS), 'missing.example', 'sub.home.example', 'localhost', 'friend.example', '[192.0.2.9]', '[IPv6:2001:db8:0:0:0:0:0:9]', 'notrelay.example',
] as const
