/**
 * Takes one message to one next hop: finds a host that talks to us, and says what became of it.
 *
 * Hosts are tried in order until one is ready for a message. A problem before that is the host's, and
 * the next one may do better; a 5yz greeting bounces only when no host is left (RFC 5321 §5.1).
 */

import { assert, fail, ok, type Result } from '../core/result.ts'
import { secondsLeft } from '../core/message/notification.ts'
import { isPermanent, type AttemptProblem, type Outcome } from '../core/message/outcome.ts'
import type { NextHop } from '../core/message/route.ts'
import { accessAddress } from '../core/policy/client-address.ts'
import { formatAccessLine } from '../core/policy/access-map.ts'
import { findTlsSessionEntry, type PeerHost } from '../core/policy/session-features.ts'
import type { GreetingPlan } from '../core/smtp/client-greeting.ts'
import { Connection } from './connection.ts'
import type { ClientTlsSettings, DeliverySettings } from './delivery-settings.ts'
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
  now: number,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly wentAway: boolean }> {
  const { envelope } = lease.message
  const seconds = secondsLeft(lease.message, now)
  const delivery = {
    ...envelope,
    recipients: indices.map(index => at(envelope.recipients, index)),
    sizeBytes: lease.body.sizeBytes,
    deliverBy: envelope.deliverBy === null || seconds === null ? null : { ...envelope.deliverBy, seconds },
  }
  return connection.deliver(delivery, lease.body)
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  assert(item !== undefined, 'a lease names recipients of its message')
  return item
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
  const approach = approachTo(target, hop, settings)
  const opened = await tryHost(target, approach, null, settings, host)
  // RFC 7435: a broken handshake is no worse than a server without TLS, if neither was required. Bytes
  // injected before the handshake (S4) are worse: somebody is there, and gets no clear text from us.
  if (opened.ok || !approach.plan.fallsBack || opened.problem.kind !== 'tlsFailed' || opened.problem.cause !== 'handshake') return opened
  return tryHost(target, approach, opened.problem.detail, settings, host)
}

/** How a server is spoken to. */
type Approach = { readonly plan: Omit<GreetingPlan, 'clearBecause'>; readonly tls: ClientTls }

async function tryHost(
  { address, port }: Target,
  { plan, tls }: Approach,
  clearBecause: string | null,
  settings: DeliverySettings,
  host: DelivererHost,
): Promise<Result<Connection, AttemptProblem>> {
  const channel = await host.dialer.connect({ address, port, timeoutSeconds: settings.connectTimeoutSeconds })
  if ('failed' in channel) return fail({ kind: 'connectionFailed', peer: plan.peer, detail: channel.failed })
  const connection = new Connection(channel, tls, settings.policy)
  const ready = await connection.greet({ ...plan, clearBecause })
  return ready.ok ? ok(connection) : ready
}

const SMTP_PORT = 25
/** On other ports of this host there may be other programs, which rightly have its name. */
const NO_NAMES: ReadonlySet<string> = new Set()

/** By the terms of the next hop, and a line of the access map for this server. */
function approachTo(target: Target, hop: NextHop, settings: DeliverySettings): Approach {
  const { name, address, port } = target
  const server = peerHost(target)
  const line = findTlsSessionEntry({ policy: settings.policy, because: [] }, 'TLS_Clt_Features', server)
  const session = line === null ? null : (settings.sessionTls.get(line.value) ?? { unusable: 'it has not been read' })
  const wanted = session === null || 'unusable' in session ? null : session
  const mayFallBack = hop.tls === 'opportunistic' && !hop.implicitTls
  return {
    plan: {
      peer: name === address ? `[${address}]:${port}` : `${name}[${address}]:${port}`,
      server,
      helloName: settings.helloName,
      ownNames: port === SMTP_PORT ? settings.ownNames : NO_NAMES,
      ignoredKeywords: hop.ignoredKeywords,
      tls: hop.tls,
      requireTls: hop.requireTls,
      implicitTls: hop.implicitTls,
      fallsBack: mayFallBack && wanted?.fallsBack !== false,
      tlsLine: line === null ? null : { text: formatAccessLine(line), unusable: session !== null && 'unusable' in session ? session.unusable : null },
    },
    tls: clientTls(target, hop, wanted, settings),
  }
}

/** As access map entries write it: a server that has no name is known by its address in brackets. */
function peerHost({ name, address }: Target): PeerHost {
  const inMap = accessAddress(address)
  return { name: name === address ? `[${inMap}]` : name, address: inMap }
}

/** Our certificate goes to next hops whose terms or whose line say so, never to servers that only DNS named. */
function clientTls(target: Target, hop: NextHop, wanted: ClientTlsSettings | null, settings: DeliverySettings): ClientTls {
  const shown = (wanted?.certificatePem ?? null) !== null ? wanted : hop.showCertificate ? settings.certificate : null
  return {
    serverName: target.name,
    trustedPem: hop.trustedPem,
    certificatePem: shown?.certificatePem ?? null,
    keyPem: shown?.keyPem ?? null,
    options: wanted?.options ?? 0,
    ciphers: wanted?.ciphers ?? null,
  }
}
