/** What HELP says (RFC 5321 §4.1.1.8): the commands there are here, and the syntax of each. */

import type { ListenerName } from '../policy/decision.ts'
import { isOfOtherProtocol } from './command-order.ts'
import type { Verb } from './command.ts'
import { replies, type Reply } from './reply.ts'

/** `topic` is what stands behind the verb, or nothing. */
export function helpReply(topic: string, listener: ListenerName): Reply {
  const known = SYNTAX.filter(([verb]) => !isOfOtherProtocol(verb, listener))
  if (topic === '') return replies.help(listener === 'lmtp' ? 'LMTP' : 'SMTP', known.map(([verb]) => verb))
  const syntax = known.find(([verb]) => verb === topic.toUpperCase())?.[1]
  return syntax === undefined ? replies.helpUnknown : replies.helpAbout(syntax)
}

/** Not XCLIENT, which is for listed peers alone. */
// prettier-ignore
const SYNTAX: readonly (readonly [verb: Verb, syntax: string])[] = [
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
]
