/** From the configuration, and what is known of a connection when it is accepted, to what its session is told. */

import type { Config } from '../core/config/schema.ts'
import { isListed } from '../core/peers/peer-list.ts'
import { isForSubmission } from '../core/policy/decision.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import type { SessionRules, SessionSettings } from '../core/smtp/session-events.ts'
import type { ServerChannel } from '../relay/ports.ts'
import type { WorkerLogins } from './worker-logins.ts'

type Connected = { readonly listener: ListenerName; readonly channel: ServerChannel; readonly logins: WorkerLogins }

/** What a session must know of the connection that it is for. */
type Accepted = Connected & { readonly hasTls: boolean; readonly now: number }

export function sessionSettings(config: Config, { listener, channel, hasTls, logins, now }: Accepted): SessionSettings {
  const { hostname, limits, submission } = config
  return {
    ...sessionRules(config, { listener, channel, logins }),
    listener,
    hostname,
    offersStartTls: hasTls && listener !== 'submissions',
    greetDelaySeconds: listener === 'mx' ? limits.greetDelaySeconds : 0,
    completesHeader: isForSubmission(listener) && submission.completesHeader,
    futureRelease: isForSubmission(listener) ? futureRelease(limits.futureReleaseSeconds, now) : null,
    limits: {
      messageBytes: limits.messageSizeBytes,
      recipients: limits.recipients,
      messages: limits.messagesPerConnection,
      errors: limits.errors,
      logins: limits.failedLogins,
      headerBytes: limits.headerSizeBytes,
      headerFields: limits.headerFields,
      receivedFields: limits.receivedFields,
      commandSeconds: limits.commandTimeoutSeconds,
      dataSeconds: limits.dataTimeoutSeconds,
      messageSeconds: limits.messageTimeoutSeconds,
    },
  }
}

/** What a reload changes for sessions that are open. */
export function sessionRules(config: Config, { listener, channel, logins }: Connected): SessionRules {
  const { hostname, listeners, relay, etrn } = config
  return {
    asksAboutAuthors: relay.headerFromBinding !== 'off',
    postmasterDomain: relay.domains.includes(hostname) ? null : hostname,
    etrn,
    // Behind a PROXY header there is a stranger, whoever has connected.
    takesXclient: channel.proxyAddress === null && isListed(channel.remoteAddress, listeners[listener].xclientFrom),
    logins: logins.offered(config, listener),
  }
}

function futureRelease(mostSeconds: number | null, now: number): SessionSettings['futureRelease'] {
  return mostSeconds === null ? null : { mostSeconds, latestAt: now + mostSeconds * 1000 }
}
