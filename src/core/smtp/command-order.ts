/**
 * Which command may come when (RFC 5321 §4.1.4), and what is said to one that may not.
 *
 * The channel has its column too: STARTTLS within TLS and AUTH outside of it are out of order just as
 * RCPT without MAIL is.
 */

import type { ListenerName } from '../policy/decision.ts'
import type { Verb } from './command.ts'
import { replies, type Reply } from './reply.ts'

export type Circumstances = {
  readonly afterHello: boolean
  readonly inTransaction: boolean
  readonly inTls: boolean
}

/** What is wrong with the moment for this command, or null. */
export function outOfOrder(verb: Verb, { afterHello, inTransaction, inTls }: Circumstances): Reply | null {
  const wrong = WRONG_MOMENTS[verb]
  if (!afterHello && wrong.beforeHello !== undefined) return wrong.beforeHello
  if (!inTls && wrong.inClear !== undefined) return wrong.inClear
  if (inTls && wrong.inTls !== undefined) return wrong.inTls
  const [without, within] = [wrong.withoutMail, wrong.afterMail]
  return (inTransaction ? within : without) ?? null
}

type WrongMoments = {
  readonly beforeHello?: Reply
  readonly inClear?: Reply
  readonly inTls?: Reply
  readonly withoutMail?: Reply
  readonly afterMail?: Reply
}

// prettier-ignore
const WRONG_MOMENTS: Record<Verb, WrongMoments> = {
  STARTTLS: { inTls: replies.tlsAlreadyActive,                                      afterMail: replies.startTlsInTransaction },
  AUTH:     { beforeHello: replies.helloFirst, inClear: replies.authNeedsTls,       afterMail: replies.authInTransaction },
  XCLIENT:  { beforeHello: replies.helloFirst,                                      afterMail: replies.xclientInTransaction },
  MAIL:     { beforeHello: replies.helloFirst,                                      afterMail: replies.nestedMail },
  RCPT:     { beforeHello: replies.helloFirst, withoutMail: replies.mailFirst },
  DATA:     { beforeHello: replies.helloFirst, withoutMail: replies.mailFirst },
  BDAT:     { beforeHello: replies.helloFirst, withoutMail: replies.mailFirst },
  // RFC 1985 §5.
  ETRN:     { beforeHello: replies.helloFirst,                                      afterMail: replies.etrnInTransaction },
  // RFC 5321 §4.1.4: these come at any time; EHLO and RSET end a transaction.
  EHLO: {},
  HELO: {},
  LHLO: {},
  RSET: {},
  NOOP: {},
  VRFY: {},
  HELP: {},
  QUIT: {},
}

/**
 * RFC 2920 §3.1, RFC 3207 §4, RFC 4954 §4: commands whose reply decides what may come next. Bytes that
 * are here before that reply were not meant as the client's next words (S30).
 */
export const LAST_OF_GROUP: ReadonlySet<Verb> = new Set<Verb>(['EHLO', 'LHLO', 'STARTTLS', 'AUTH', 'XCLIENT', 'DATA'])

/** What a client whose handshake was refused gets that refusal for. */
export const ABOUT_MAIL: ReadonlySet<Verb> = new Set<Verb>(['MAIL', 'RCPT', 'DATA', 'BDAT', 'VRFY', 'ETRN'])

/**
 * RFC 2033 §4.1: LMTP says LHLO in place of EHLO and HELO. It answers for each recipient, of which
 * chunks (RFC 3030) and ETRN know nothing, so that these are for SMTP.
 */
export function isOfOtherProtocol(verb: Verb, listener: ListenerName): boolean {
  return listener === 'lmtp' ? ONLY_IN_SMTP.has(verb) : verb === 'LHLO'
}

const ONLY_IN_SMTP: ReadonlySet<Verb> = new Set<Verb>(['EHLO', 'HELO', 'BDAT', 'ETRN'])
