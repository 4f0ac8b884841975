/** What HELP says (RFC 5321 §4.1.1.8): the commands there are here, and the syntax of each. */

import type { ListenerName } from '../policy/decision.ts'
import { replies, type Reply } from './reply.ts'

/** `topic` is what stands behind the verb, or nothing. */
export function helpReply(topic: string, listener: ListenerName): Reply {
  const isLmtp = listener === 'lmtp'
  if (topic === '') return replies.help(isLmtp ? 'LMTP' : 'SMTP', [...SYNTAX.keys()].filter(verb => isSpoken(verb, isLmtp)))
  const verb = topic.toUpperCase()
  const syntax = isSpoken(verb, isLmtp) ? SYNTAX.get(verb) : undefined
  return syntax === undefined ? replies.helpUnknown : replies.helpAbout(syntax)
}

function isSpoken(verb: string, isLmtp: boolean): boolean {
  return isLmtp ? !SMTP_ONLY.has(verb) : verb !== 'LHLO'
}

/** RFC 2033 §4.1. */
const SMTP_ONLY: ReadonlySet<string> = new Set(['EHLO', 'HELO', 'BDAT', 'ETRN'])

// prettier-ignore
const SYNTAX: ReadonlyMap<string, string> = new Map([
  ['EHLO',     'EHLO hostname'],
  ['HELO',     'HELO hostname'],
  ['LHLO',     'LHLO hostname'],
  ['STARTTLS', 'STARTTLS'],
  ['AUTH',     'AUTH mechanism [initial-response]'],
  ['MAIL',     'MAIL FROM:<address> [parameters of the extensions that EHLO lists]'],
  ['RCPT',     'RCPT TO:<address> [parameters of the extensions that EHLO lists]'],
  ['DATA',     'DATA, then the message, then a line with only a dot'],
  ['BDAT',     'BDAT octets [LAST], then so many octets'],
  ['RSET',     'RSET'],
  ['NOOP',     'NOOP [anything]'],
  ['VRFY',     'VRFY mailbox'],
  ['ETRN',     'ETRN domain, for the domains that a certificate may fetch'],
  ['HELP',     'HELP [command]'],
  ['QUIT',     'QUIT'],
])
