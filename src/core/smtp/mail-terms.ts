/**
 * Whether this client may have what it asks for with MAIL, and on which terms.
 *
 * What a parameter may be at all is parameters.ts's; who may send is the policy's.
 */

import type { Hold } from '../message/envelope.ts'
import type { Asker } from '../policy/decision.ts'
import { identityUnder } from '../policy/login.ts'
import { fail, ok, type Result } from '../result.ts'
import type { MailParameters } from './parameters.ts'
import { replies, type Reply } from './reply.ts'
import type { SessionSettings } from './session-events.ts'

/** The parameters as they are accepted, or the refusal. */
export function acceptTerms(asked: MailParameters, asker: Asker, settings: SessionSettings): Result<MailParameters, Reply> {
  const { limits, futureRelease } = settings
  // RFC 1870 §6.1: no need to send what will not be taken.
  if ((asked.sizeBytes ?? 0) > limits.messageBytes) return fail(replies.messageTooBig(limits.messageBytes))
  if (asked.tls === 'required' && asker.identity.kind === 'plaintext') return fail(replies.requireTlsInClear)
  if (asked.hold !== null) {
    if (futureRelease === null) return fail(replies.unknownParameter(asked.hold.kind === 'for' ? 'HOLDFOR' : 'HOLDUNTIL'))
    if (isTooLong(asked.hold, futureRelease)) return fail(replies.holdTooLong(futureRelease.mostSeconds))
  }
  return ok({ ...asked, priority: mayGoFirst(asker, settings) ? asked.priority : Math.min(asked.priority, 0) })
}

function isTooLong(hold: Hold, { mostSeconds, latestAt }: NonNullable<SessionSettings['futureRelease']>): boolean {
  return hold.kind === 'for' ? hold.seconds > mostSeconds : hold.at > latestAt
}

/** RFC 6710 §4: whose priorities count is for the site to say; ours are those who have proved who they are. */
function mayGoFirst(asker: Asker, { logins }: SessionSettings): boolean {
  return identityUnder(logins.rule, asker).kind === 'verified'
}
