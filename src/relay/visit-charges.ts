/**
 * What of a session is charged to a visit, and when.
 *
 * Asked after the policy has accepted: what it refuses has used nothing. Octets are charged when they
 * have come, so that of them only the next message learns.
 */

import type { Excess } from '../core/limits/limits.ts'
import type { Question } from '../core/policy/decision.ts'
import { identityUnder, type LoginRule } from '../core/policy/login.ts'
import type { Reply } from '../core/smtp/reply.ts'
import type { Visit } from './limiter.ts'

/** Charges what the policy has just accepted, or says which limit it exceeds. */
export function excessOf(visit: Visit, question: Question, rule: LoginRule, now: number): Excess | null {
  const identify = (): Excess | null => visit.identify(identityUnder(rule, question.asker), now)
  switch (question.kind) {
    case 'connection':
    case 'authors':
    case 'startTls':
    case 'xclient':
    case 'etrn':
    case 'standing':
      return null
    case 'handshake':
      return identify()
    case 'sender':
      return identify() ?? visit.excess('bytes', now) ?? visit.use('messages', 1, now)
    case 'recipient':
      return visit.use('recipients', 1, now)
  }
}

/**
 * A refusal that counts against a client. What a limit puts off counts, too: whoever goes on all the
 * same is turned away at the door before long, where it costs us less. A farewell does not, nor that a
 * message has no room for more recipients, which RFC 5321 §4.5.3.1.10 lets every client run into.
 */
export function isError({ code }: Reply): boolean {
  return code >= 400 && code !== 421 && code !== 452
}
