/**
 * The exit codes of sysexits.h, by which programs know what became of their message.
 *
 * EX_TEMPFAIL invites them to try again. When in doubt it is that: a program that tries again can
 * still send its message, one that gave up cannot.
 */

import type { AttemptProblem, Outcome } from '../message/outcome.ts'
import type { Reply } from '../smtp/reply.ts'

export const EXIT = {
  ok: 0,
  usage: 64,
  dataError: 65,
  noUser: 67,
  unavailable: 69,
  temporaryFailure: 75,
  noPermission: 77,
  configuration: 78,
} as const

/** Of a message to several recipients the first failure counts, and a permanent one before all others. */
export function exitStatusOf(outcomes: readonly Outcome[]): number {
  const refused = outcomes.find(outcome => outcome.kind === 'refused')
  if (refused !== undefined) return statusOfRefusal(refused.why)
  return outcomes.every(outcome => outcome.kind === 'delivered') ? EXIT.ok : EXIT.temporaryFailure
}

function statusOfRefusal(why: AttemptProblem): number {
  return why.kind === 'remoteReply' ? statusOfReply(why.reply) : EXIT.unavailable
}

/** What a reply that refuses comes to. */
export function statusOfReply({ code, enhanced }: Reply): number {
  if (code < 500) return EXIT.temporaryFailure
  // RFC 3463 §3.2 and §3.8: addresses, and what the policy does not allow.
  if (enhanced?.startsWith('5.1.') === true) return EXIT.noUser
  return enhanced?.startsWith('5.7.') === true ? EXIT.noPermission : EXIT.unavailable
}
