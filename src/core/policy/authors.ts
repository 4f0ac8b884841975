/**
 * May this identity write as these authors? The From and Sender of the header, held to the same
 * addresses as the reverse-path (sender.ts).
 *
 * The envelope is what servers see, the header what people see: an identity that is bound in one and
 * free in the other could still write as anybody.
 */

import type { Authors } from './decision.ts'
import { ACCEPT, because, noteSetting, warn } from './finding.ts'
import type { Finding } from './finding.ts'
import { hasPassword } from './login.ts'
import type { Inquiry } from './lookups.ts'
import { authorNotAllowed, authorsUnclear } from './refusals.ts'
import { isAmong, senderLimit } from './sender.ts'

export function checkAuthors(inquiry: Inquiry, authors: Authors): Finding {
  const { headerFromBinding } = inquiry.policy
  const limit = headerFromBinding === 'off' ? null : senderLimit(inquiry)
  if (limit === null) return ACCEPT
  const foreign = [...authors.from, ...authors.sender].find(address => !isAmong(limit.allowed, address))
  if (foreign === undefined && authors.fault === null) return ACCEPT
  noteSetting(inquiry, 'relay.header-from-binding', headerFromBinding)
  const [rule, text, reply] =
    foreign === undefined
      ? (['authorsUnclear', `the header leaves open who wrote the message: ${authors.fault}`, authorsUnclear] as const)
      : (['authorNotAllowed', `the header names <${foreign}>, and ${limit.words}`, authorNotAllowed(hasPassword(inquiry))] as const)
  if (headerFromBinding === 'enforce') return because(inquiry, rule, text, { kind: 'refuse', reply })
  return warn(inquiry, rule, text, ACCEPT)
}
