/**
 * What EHLO lists (RFC 5321 §4.1.1.1): the extensions that work for this client at this moment.
 *
 * What is listed works (§4.2.4), from the command into the queue and out again;
 * docs/reference/extensions.md says what becomes of each where the next hop lacks it.
 */

import { XCLIENT_KEYWORD } from '../peers/xclient.ts'
import type { ListenerName } from '../policy/decision.ts'
import type { SessionLimits, SessionSettings } from './session-events.ts'

export type Offer = {
  readonly listener: ListenerName
  readonly limits: Pick<SessionLimits, 'messageBytes' | 'recipients' | 'messages'>
  readonly futureRelease: SessionSettings['futureRelease']
  readonly startTls: boolean
  /** The connection is in TLS (RFC 8689 §2: only then REQUIRETLS is offered). */
  readonly inTls: boolean
  /** SASL mechanisms; none: AUTH is not listed. */
  readonly mechanisms: readonly string[]
  readonly xclient: boolean
  readonly etrn: boolean
  /** Keywords that the access map takes away from this client. */
  readonly hidden: ReadonlySet<string>
}

/** The lines behind our name, each a keyword with its parameters. */
export function offeredKeywords({ listener, limits, futureRelease, startTls, inTls, mechanisms, xclient, etrn, hidden }: Offer): readonly string[] {
  const isLmtp = listener === 'lmtp'
  const lines = [
    'PIPELINING',
    `SIZE ${limits.messageBytes}`,
    '8BITMIME',
    ...(isLmtp ? [] : ['CHUNKING', 'BINARYMIME']),
    'SMTPUTF8',
    ...(startTls ? ['STARTTLS'] : []),
    ...(inTls ? ['REQUIRETLS'] : []),
    ...(mechanisms.length > 0 ? [`AUTH ${mechanisms.join(' ')}`] : []),
    ...(xclient ? [XCLIENT_KEYWORD] : []),
    ...(etrn && !isLmtp ? ['ETRN'] : []),
    'DSN',
    'DELIVERBY',
    'MT-PRIORITY',
    // RFC 4865 §3: the longest time, and the latest instant.
    ...(futureRelease === null ? [] : [`FUTURERELEASE ${futureRelease.mostSeconds} ${new Date(futureRelease.latestAt).toISOString()}`]),
    // RFC 9422 §4.
    `LIMITS MAILMAX=${limits.messages} RCPTMAX=${limits.recipients}`,
    'ENHANCEDSTATUSCODES',
  ]
  return lines.filter(line => !hidden.has(line.split(' ')[0] ?? ''))
}
