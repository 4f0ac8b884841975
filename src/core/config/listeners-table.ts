/** [listeners]: where clients connect, and what is peculiar to each of these places. */

import type { Network } from '../policy/networks.ts'
import { accountName, flag, listenAddress, listOf, localListenAddress, oneOf, path, peer, socketMode } from './forms.ts'
import { table } from './table.ts'

/** A UNIX socket with its permissions. */
export type SocketPlace = { readonly unixPath: string; readonly mode: number; readonly group: string | null }

const peerList = listOf(peer, 'write a list of addresses and networks: ["10.0.0.5", "192.0.2.0/24"]')

const LOGINS = ['certificate', 'password', 'any', 'both'] as const
type Login = (typeof LOGINS)[number]

/** What every listener has besides its address. */
const commonKeys = (authentication: Login) => ({
  'client-ca': listOf(path, 'write a list of files: ["partner-ca.pem"]')
    .prefault([])
    .describe(
      'PEM files of further CAs whose certificates count on this listener, beside our own CA. The access map still ' +
        'says which of them may relay. The system\'s public CAs never count.',
    ),
  'proxy-from': peerList
    .prefault([])
    .describe(
      'Proxies that say for whom they speak by the PROXY protocol (version 1 or 2), before anything else. From these ' +
        'addresses it is required, from all others it is never read. Limits, policy and Received fields see the client\'s address.',
    ),
  'xclient-from': peerList
    .prefault([])
    .describe(
      'Filters and proxies that may say for whom they speak by XCLIENT, as Postfix documents it. It is offered to these ' +
        'addresses only. What they say of a login (`LOGIN`) gives nobody anything, so that on `submission` and `submissions` whomever they speak for is refused.',
    ),
  authentication: oneOf(LOGINS)
    .prefault(authentication)
    .describe(
      'How clients prove who they are: by a `certificate`; by a `password` of "postern user passwd", and a certificate gives nothing; by `any` of the two; ' +
        'or by `both`, certificate and password of the same person or machine. Passwords are offered within TLS only, and only if somebody has one. With `[oauth]`, tokens stand for passwords here.',
    ),
})

type CommonValues = {
  readonly authentication: Login
  readonly 'client-ca': string[]
  readonly 'proxy-from': Network[]
  readonly 'xclient-from': Network[]
}

function commonValues(listener: CommonValues) {
  const { authentication } = listener
  return { authentication, clientCaFiles: listener['client-ca'], proxyFrom: listener['proxy-from'], xclientFrom: listener['xclient-from'] }
}

function listenerTable(port: number, fallbackPort: number, authentication: Login) {
  return table({
    address: listenAddress
      .optional()
      .describe(
        `Where to listen. Left out: port ${port} on every address, or port ${fallbackPort} where ports below 1024 can't be ` +
          `bound. Port ${fallbackPort} is never taken in place of an address that is set here.`,
      ),
    enabled: flag().prefault(true).describe('`false` turns this listener off.'),
    ...commonKeys(authentication),
  }).transform(listener => ({
    enabled: listener.enabled,
    address: listener.address ?? { host: '::', port },
    /** Taken when the default port can't be bound; null when the address was set by hand. */
    fallbackPort: listener.address === undefined ? fallbackPort : null,
    ...commonValues(listener),
  }))
}

const lmtp = table({
  enabled: flag().prefault(false).describe('`true` turns this listener on.'),
  address: localListenAddress
    .prefault('unix:/run/postern/lmtp.sock')
    .refine(address => !('port' in address) || address.port !== 25, { error: 'LMTP is never spoken on port 25 (RFC 2033 §5); take another, such as 24' })
    .describe('Where to listen: a UNIX socket for programs of this host, or an address and a port. The folder of a socket must exist.'),
  mode: socketMode.prefault('0660').describe('Permissions of the UNIX socket: who may write to it may speak to us.'),
  group: accountName.optional().describe('Group of the UNIX socket. Left out: the one that Postern is started with.'),
  relay: flag()
    .prefault(false)
    .describe(
      '`true` lets whoever may open the UNIX socket send to everybody. `false`: to `relay.domains` only, unless the access ' +
        'map says more of 127.0.0.1, which stands for clients of the socket. Not for TCP.',
    ),
  ...commonKeys('certificate'),
})
  .refine(({ address, relay }) => !relay || 'unixPath' in address, {
    path: ['relay'],
    error: 'only of a UNIX socket is it known that its clients are of this host; give it an address such as "unix:/run/postern/lmtp.sock"',
  })
  .transform(({ enabled, address, mode, group, relay, ...listener }) => ({
    enabled,
    address: 'unixPath' in address ? { ...address, mode, group: group ?? null } : address,
    fallbackPort: null,
    ...commonValues(listener),
    relay,
  }))

export const listeners = table({
  mx: listenerTable(25, 2525, 'certificate').prefault({}).describe(
    'Mail from other servers: STARTTLS is offered, certificates are asked for. Without a certificate that may relay, ' +
      'only recipients in `relay.domains` are accepted.',
  ),
  submission: listenerTable(587, 2587, 'any').prefault({}).describe(
    'Mail from people and machines: STARTTLS and an identity are required to send.',
  ),
  submissions: listenerTable(465, 2465, 'any').prefault({}).describe('As submission, with TLS from the first byte (RFC 8314 §3.3).'),
  lmtp: lmtp.prefault({}).describe(
    'LMTP (RFC 2033), for mail servers and filters that want an answer for each recipient. Off unless it is turned on. ' +
      'Over TCP it accepts what `mx` does.',
  ),
})
