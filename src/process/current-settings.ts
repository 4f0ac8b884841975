/** The settings of a worker, parsed and ready for use. */

import { formatConfigProblem, parseConfig } from '../core/config/parse.ts'
import type { Config } from '../core/config/schema.ts'
import type { TrustedAuthority } from '../core/names/identify.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import type { TlsGateOptions } from '../io/tls-servers.ts'
import { authorityOf } from '../io/x509.ts'
import type { LmtpAddress, WorkerSettings } from './messages.ts'
import { LISTENER_NAMES } from './sockets.ts'

export type CurrentSettings = {
  readonly config: Config
  readonly settings: WorkerSettings
  readonly trusted: ReadonlyMap<ListenerName, readonly TrustedAuthority[]>
}

export function readSettings(settings: WorkerSettings): CurrentSettings {
  const parsed = parseConfig(settings.configText, settings.configFile)
  if (!parsed.ok) throw new Error(parsed.problem.map(formatConfigProblem).join('; '))
  const own = [settings.ownIssuingPem, settings.ownRootPem].map(pem => authorityOf(pem, 'own'))
  const trusted = new Map(
    LISTENER_NAMES.map(name => [name, [...own, ...settings.clientAuthoritiesPem[name].map(pem => authorityOf(pem, 'foreign'))]]),
  )
  return { config: parsed.value, settings, trusted }
}

/**
 * A changed address is used after a restart, also by a worker that has to be started again. Until then
 * nobody may relay because of the place where he could connect after it.
 */
export function withBoundLmtp(next: CurrentSettings, address: LmtpAddress): CurrentSettings {
  const { lmtp } = next.config.listeners
  if ('unixPath' in lmtp.address === 'unixPath' in address) return next
  const listeners = { ...next.config.listeners, lmtp: { ...lmtp, address, relay: false } }
  return { ...next, config: { ...next.config, listeners } }
}

export function gateOptions({ config, settings }: CurrentSettings, name: ListenerName): TlsGateOptions {
  return {
    certificatePem: settings.serverCertificatePem,
    keyPem: settings.serverKeyPem,
    clientAuthoritiesPem: [settings.ownIssuingPem, settings.ownRootPem, ...settings.clientAuthoritiesPem[name]],
    minVersion: config.tls.minVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    // Other servers are better served by an old cipher than by none; who logs in can do better.
    oldCiphers: name === 'mx',
    handshakeTimeoutSeconds: config.limits.handshakeTimeoutSeconds,
  }
}
