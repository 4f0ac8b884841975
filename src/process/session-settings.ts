/** From the configuration, and what is known of a connection when it is accepted, to what its session is told. */

import type { Config } from '../core/config/schema.ts'
import { isListed } from '../core/peers/peer-list.ts'
import { isForSubmission } from '../core/policy/decision.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import type { SessionSettings } from '../core/smtp/session-events.ts'
import type { ServerChannel } from '../relay/ports.ts'
import type { WorkerLogins } from './worker-logins.ts'

/** What a session must know of the connection that it is for. */
type Accepted = { readonly listener: ListenerName; readonly channel: ServerChannel; readonly hasTls: boolean; readonly logins: WorkerLogins; readonly now: number }

export function sessionSettings(config: Config, { listener, channel, hasTls, logins, now }: Accepted): SessionSettings {
  const { hostname, limits, listeners, submission, relay, etrn } = config
  return {
    listener,
    hostname,
    offersStartTls: hasTls && listener !== 'submissions',
    greetDelaySeconds: listener === 'mx' ? limits.greetDelaySeconds : 0,
    completesHeader: isForSubmission(listener) && submission.completesHeader,
    asksAboutAuthors: relay.headerFromBinding !== 'off',
    postmasterDomain: relay.domains.includes(hostname) ? null : hostname,
    etrn,
    futureRelease: isForSubmission(listener) ? futureRelease(limits.futureReleaseSeconds, now) : null,
    // Behind a PROXY header there is a stranger, whoever has connected.
    takesXclient: channel.proxyAddress === null && isListed(channel.remoteAddress, listeners[listener].xclientFrom),
    logins: logins.offered(config, listener),
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

function futureRelease(mostSeconds: number | null, now: number): SessionSettings['futureRelease'] {
  return mostSeconds === null ? null : { mostSeconds, latestAt: now + mostSeconds * 1000 }
}
