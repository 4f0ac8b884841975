/**
 * What of a session is charged to a visit, and when.
 *
 * Asked after the policy has accepted: what it refuses has used nothing. Octets are charged when they
 * have come, so that of them only the next message learns.
 */

import type { Excess } from '../core/limits/limits.ts'
import type { Question } from '../core/policy/decision.ts'
import type { Reply } from '../core/smtp/reply.ts'
import type { SessionInput } from '../core/smtp/session-events.ts'
import type { Visit } from './limiter.ts'

/** Charges what the policy has just accepted, or says which limit it exceeds. */
export function excessOf(visit: Visit, question: Question, now: number): Excess | null {
  const { identity, authentication } = question.asker
  switch (question.kind) {
    case 'connection':
    case 'authors':
      return null
    case 'handshake':
      return visit.identify(identity, authentication, now)
    case 'sender':
      return visit.identify(identity, authentication, now) ?? visit.excess('bytes', now) ?? visit.use('messages', 1, now)
    case 'recipient':
      return visit.use('recipients', 1, now)
  }
}

/** A refusal that counts against a client: not one for a limit, which is no fault, and not a farewell. */
export function isError({ code }: Reply, input: SessionInput): boolean {
  return code >= 400 && code !== 421 && code !== 452 && input.kind !== 'overLimit'
}
