/**
 * Asks a server whether it takes mail for a recipient: MAIL, RCPT, and no message (RFC 5321 §3.3).
 *
 * MAIL names the null sender, as for every report: whoever verifies us in turn has nobody to ask about. A
 * reply that nobody asked for would be taken for the one about the recipient, so that each must come alone.
 */

import { describeProblem, describeReply, oneLine, type AttemptProblem } from '../message/outcome.ts'
import { NON_ASCII } from '../names/idna.ts'
import type { CalloutAnswer } from '../policy/decision.ts'
import { safe } from './client-envelope.ts'
import { ask, expectAlone, isPositive, type ClientSession, type Script } from './client-session.ts'
import type { Reply } from './reply.ts'

/** What a server that was asked has said; it may be remembered. */
export type CalloutReport = CalloutAnswer & { readonly says: 'yes' | 'no' | 'unknown' | 'cannotAsk' }

/** `greet` comes before it, and `quit` after it. */
export function* callOut(session: ClientSession, forwardPath: string): Script<CalloutReport> {
  const { peer, server, extensions } = session
  // TLS_Rcpt: who is named only where more has been proved is not named to others.
  const { refusal } = yield* ask({ kind: 'recipient', server, forwardPath })
  if (refusal !== null) return about('unknown', { kind: 'tlsRefused', peer, reply: refusal, detail: null, accessLines: [] })
  const isUtf8 = NON_ASCII.test(forwardPath)
  // RFC 6531 §3.1: without SMTPUTF8 there is no way to name it. Delivery says what comes of that.
  if (isUtf8 && !extensions.smtpUtf8) return about('cannotAsk', { kind: 'unsupported', feature: 'SMTPUTF8', peer })

  yield { kind: 'send', text: `MAIL FROM:<>${isUtf8 ? ' SMTPUTF8' : ''}\r\n` }
  const mail = yield* expectAlone('mail', peer, isPositive)
  if (!mail.ok) return about('unknown', mail.problem)
  yield { kind: 'send', text: `RCPT TO:<${safe(forwardPath)}>\r\n` }
  const rcpt = yield* expectAlone('rcpt', peer, isPositive)
  if (rcpt.ok) return { says: 'yes', detail: oneLine(`${describeReply(rcpt.value)} (${peer}, after RCPT)`) }
  return about(rcpt.problem.kind === 'remoteReply' && deniesRecipient(rcpt.problem.reply) ? 'no' : 'unknown', rcpt.problem)
}

function about(says: CalloutReport['says'], problem: AttemptProblem): CalloutReport {
  return { says, detail: describeProblem(problem) }
}

/**
 * Only what is about the mailbox says that there is none. Servers refuse RCPT for much else that is ours
 * to mend or to wait for: 5.7.x is about us, 5.1.7 and 5.1.8 about the sender, 5.2.2 is a full mailbox.
 */
export function deniesRecipient({ code, enhanced }: Reply): boolean {
  if (!CODES_ABOUT_MAILBOXES.has(code)) return false
  return enhanced === null ? code !== 554 : STATUS_ABOUT_RECIPIENT.test(enhanced)
}

/** RFC 5321 §4.2.3, RFC 7504 §3. 554 says "transaction failed", and alone nothing of the recipient. */
const CODES_ABOUT_MAILBOXES: ReadonlySet<number> = new Set([550, 551, 553, 554, 556])

/** RFC 3463 §3.2-3.3. Exchange Online says 5.4.1 of recipients that it does not have. */
const STATUS_ABOUT_RECIPIENT = /^5\.(?:0\.0|1\.(?![78]$)\d+|2\.[01]|4\.1)$/
