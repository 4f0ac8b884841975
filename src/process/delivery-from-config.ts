/** `[delivery]`, `[[route]]` and `[queue]` of postern.toml, as the delivery side wants them. */

import type { Config, RouteConfig } from '../core/config/schema.ts'
import type { ConfiguredHop, HopTerms } from '../core/message/route.ts'
import type { Policy } from '../core/policy/policy.ts'
import { DEFAULT_LIMITS } from '../relay/delivery-settings.ts'
import type { DeliverySettings } from '../relay/delivery-settings.ts'
import type { WorkerSettings } from './messages.ts'
import { SessionLines } from './session-tls.ts'

const SMTP_PORT = 25

export function deliveryFromConfig(config: Config, settings: WorkerSettings, policy: Policy): DeliverySettings {
  const { delivery, queue, hostname } = config
  const { clientCertificatePem, clientKeyPem, trustedPem } = settings
  const trusted = (files: readonly string[] | null): readonly string[] | null => files?.map(file => trustedPem[file] ?? '') ?? null
  const usual = { tls: delivery.tls, trustedPem: trusted(delivery.trustedCaFiles), ignoredKeywords: delivery.ignoredKeywords }
  const smarthost: ConfiguredHop | null =
    delivery.smarthost === null
      ? null
      : { kind: 'host', key: 'smarthost', ...delivery.smarthost, ...usual, requireTls: false, implicitTls: delivery.implicitTls, showCertificate: true }
  return {
    hostname,
    helloName: delivery.helloName ?? hostname,
    ownNames: new Set([hostname.toLowerCase()]),
    routing: {
      smarthost,
      waivable: delivery.waivableTls,
      ownDomain: config.relay.domains[0] ?? '',
      routes: new Map(config.routes.map(route => [route.domain, routeHop(route, usual, trusted)])),
      mx: { ...usual, port: SMTP_PORT },
    },
    policy,
    sessionTls: sessionTls(policy, settings),
    certificate:
      clientCertificatePem === null || clientKeyPem === null ? null : { certificatePem: clientCertificatePem, keyPem: clientKeyPem },
    retry: {
      delaysSeconds: queue.retrySeconds,
      lifetimeSeconds: queue.lifetimeSeconds,
      warnAfterSeconds: queue.delayWarningSeconds,
    },
    connectTimeoutSeconds: delivery.connectTimeoutSeconds,
    limits: {
      ...DEFAULT_LIMITS,
      connectionsPerHop: delivery.concurrency,
      messagesPerConnection: delivery.connectionMessages,
      recipientsPerTransaction: delivery.recipientsPerMessage,
    },
  }
}

/** A map of a million lines is gone through only if one of them can be meant. */
function sessionTls({ survey, access }: Policy, { sessionPem }: WorkerSettings): DeliverySettings['sessionTls'] {
  return survey.tags.has('tls_clt_features') ? new SessionLines(access).settings(file => sessionPem[file] ?? null) : new Map()
}

function routeHop(
  route: RouteConfig,
  usual: Pick<HopTerms, 'tls' | 'trustedPem' | 'ignoredKeywords'>,
  trusted: (files: readonly string[] | null) => readonly string[] | null,
): ConfiguredHop {
  return {
    kind: 'host',
    key: `route ${route.domain}`,
    ...route.to,
    requireTls: false,
    tls: route.tls ?? usual.tls,
    trustedPem: trusted(route.trustedCaFiles) ?? usual.trustedPem,
    implicitTls: route.implicitTls,
    showCertificate: route.showCertificate,
    ignoredKeywords: route.ignoredKeywords ?? usual.ignoredKeywords,
  }
}
