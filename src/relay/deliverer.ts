/**
 * Takes one message to one next hop: finds a host that talks to us, and says what became of it.
 *
 * Hosts are tried in order until one is ready for a message. A problem before that is the host's, and
 * the next one may do better; a 5yz greeting bounces only when no host is left (RFC 5321 §5.1).
 */

import { fail, ok, type Result } from '../core/result.ts'
import { isPermanent, type AttemptProblem, type Outcome } from '../core/message/outcome.ts'
import type { NextHop } from '../core/message/route.ts'
import { accessAddress } from '../core/policy/client-address.ts'
import type { PeerHost } from '../core/policy/session-features.ts'
import { Connection } from './connection.ts'
import type { DeliverySettings } from './delivery-settings.ts'
import { findTargets, type Target } from './host-finder.ts'
import type { ClientTls, Dialer, Lease, Resolver, System } from './ports.ts'

export type DelivererHost = {
  readonly system: System
  readonly dialer: Dialer
  readonly resolver: Resolver
}

/** Sends a message to some of its recipients. One outcome for each index, in order. */
export async function deliverOver(
  connection: Connection,
  lease: Lease,
  indices: readonly number[],
): Promise<{ readonly outcomes: readonly Outcome[]; readonly wentAway: boolean }> {
  const { envelope, recipients } = lease.message
  return connection.deliver(
    {
      reversePath: envelope.reversePath,
      forwardPaths: indices.map(index => recipients[index]?.address ?? ''),
      bodyType: envelope.bodyType,
      utf8: envelope.utf8,
      sizeBytes: lease.body.sizeBytes,
    },
    lease.body,
  )
}

/** A connection to the next hop that is ready for a message, or why there is none. */
export async function openConnection(
  hop: NextHop,
  settings: DeliverySettings,
  host: DelivererHost,
): Promise<Result<Connection, AttemptProblem>> {
  const targets = await findTargets(hop, { ...host, ownNames: settings.ownNames })
  if (!targets.ok) return targets
  let problem: AttemptProblem | null = null
  for (const target of targets.value) {
    const opened = await openTo(target, hop, settings, host)
    if (opened.ok) return opened
    // One host that may do better later is reason enough to wait.
    if (problem === null || isPermanent(problem)) problem = opened.problem
  }
  return fail(problem ?? { kind: 'noRoute', cause: 'noAddress', domain: targets.value[0]?.name ?? '', detail: 'no address to try' })
}

async function openTo(target: Target, hop: NextHop, settings: DeliverySettings, host: DelivererHost): Promise<Result<Connection, AttemptProblem>> {
  const opened = await tryHost(target, hop, null, settings, host)
  // RFC 7435: a broken handshake is no worse than a server without TLS, if neither was required. Bytes
  // injected before the handshake (S4) are worse: somebody is there, and gets no clear text from us.
  if (opened.ok || !fallsBack(hop) || opened.problem.kind !== 'tlsFailed' || opened.problem.cause !== 'handshake') return opened
  return tryHost(target, hop, opened.problem.detail, settings, host)
}

/** What fails in the handshake is sent in clear, unless the access map is against it. */
function fallsBack({ tls, implicitTls }: NextHop): boolean {
  return tls === 'opportunistic' && !implicitTls
}

async function tryHost(
  target: Target,
  hop: NextHop,
  clearBecause: string | null,
  settings: DeliverySettings,
  host: DelivererHost,
): Promise<Result<Connection, AttemptProblem>> {
  const peer = target.name === target.address ? `[${target.address}]:${target.port}` : `${target.name}[${target.address}]:${target.port}`
  const { address, port } = target
  const channel = await host.dialer.connect({ address, port, timeoutSeconds: settings.connectTimeoutSeconds })
  if ('failed' in channel) return fail({ kind: 'connectionFailed', peer, detail: channel.failed })
  const connection = new Connection(channel, clientTls(target, hop, settings), settings.policy)
  const { tls, implicitTls } = hop
  const { helloName } = settings
  const ready = await connection.greet({ peer, server: peerHost(target), helloName, tls, implicitTls, fallsBack: fallsBack(hop), clearBecause })
  return ready.ok ? ok(connection) : ready
}

/** As access map entries write it: a server that has no name is known by its address in brackets. */
function peerHost({ name, address }: Target): PeerHost {
  const inMap = accessAddress(address)
  return { name: name === address ? `[${inMap}]` : name, address: inMap }
}

/** Our certificate goes to next hops whose terms say so, never to servers that only DNS named. */
function clientTls(target: Target, hop: NextHop, settings: DeliverySettings): ClientTls {
  const shown = hop.showCertificate ? settings.certificate : null
  return {
    serverName: target.name,
    trustedPem: hop.trustedPem,
    certificatePem: shown?.certificatePem ?? null,
    keyPem: shown?.keyPem ?? null,
  }
}
