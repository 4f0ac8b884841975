/**
 * May mail for this recipient be taken? sendmail's check_rcpt: the only place that says yes.
 *
 * The rows of the table in order; the first that applies decides. Who the client is comes first, then
 * whose the recipient is, then where the client is. No row, no relaying.
 */

import { parseAddress } from '../names/address.ts'
import type { Address, AddressProblem } from '../names/address.ts'
import { standingAuthentication } from './certificate.ts'
import { relayByClient } from './client-relay.ts'
import type { AccessEntry, Question } from './decision.ts'
import { ACCEPT, RELAY, RELAY_FINALLY, because, note, noteSetting, objection } from './finding.ts'
import type { Finding } from './finding.ts'
import { standingOfIdentity } from './identity-standing.ts'
import type { Standing } from './identity-standing.ts'
import { checkAtNextHop } from './recipient-callout.ts'
import { checkRecipientExists } from './recipient-list.ts'
import { isListed } from './identity-value.ts'
import { hasPassword } from './login.ts'
import { canAnswer, lookUpDomain, lookUpMailbox, lookUpUser } from './lookups.ts'
import type { Inquiry } from './lookups.ts'
import { hasRefusedRouting, normaliseRecipient, takesMailFor } from './normalise-recipient.ts'
import { isLocalDomain } from './our-domains.ts'
import { mxUnresolved, recipientDomainRequired, recipientNotAllowed, recipientRequired, replyToUnreadable } from './refusals.ts'
import { checkSenderBinding, refuseSender } from './sender.ts'

export function checkRecipient(inquiry: Inquiry, paths: Paths): Finding {
  const { forwardPath } = paths
  const parsed = parseAddress(forwardPath)
  if (!parsed.ok) return unreadable(inquiry, parsed.problem)
  const normalised = normaliseRecipient(inquiry, parsed.value)
  if (normalised.kind === 'missing') return { kind: 'missing', missing: { kind: 'isMxFor', domain: normalised.domain } }
  if (normalised.kind === 'unreadable') return unreadable(inquiry, 'invalidRoute')
  const { address } = normalised
  if (address.domain !== parsed.value.domain || address.localPart !== parsed.value.localPart) {
    note(inquiry, `the recipient really meant is ${address.localPart}${address.domain === null ? '' : `@${address.domain}`}`)
  }
  const blocked = checkQualified(inquiry, address) ?? checkBlockList(inquiry, address) ?? checkRecipientExists(inquiry, address)
  if (blocked !== null) return blocked
  const standing = standingOfIdentity(inquiry)
  if (standing.kind === 'refused') return standing.finding
  if (inquiry.policy.features.promiscuousRelay) {
    noteSetting(inquiry, 'promiscuousRelay', 'true')
    return because(inquiry, 'promiscuousRelay', 'anybody may relay', RELAY)
  }
  return relay(inquiry, standing, paths, address)
}

type Paths = Pick<Extract<Question, { kind: 'recipient' }>, 'reversePath' | 'forwardPath' | 'requiresTls'>

/** Rows 6 to 27. */
function relay(inquiry: Inquiry, standing: Standing, paths: Paths, address: Address): Finding {
  const { reversePath } = paths
  const permission = permissionOfIdentity(inquiry, standing, address)
  const limit = permission?.boundToSenders === true ? checkSenderBinding(inquiry, reversePath) : null
  if (permission !== null && limit === null) return because(inquiry, permission.rule, permission.text, RELAY_FINALLY)
  const recipient = relayByRecipient(inquiry, address)
  if (recipient === LISTED_DOMAIN) return checkAtNextHop(inquiry, address, paths) ?? recipient
  if (recipient.kind === 'missing' || recipient.kind === 'accept') return recipient
  const client = relayByClient(inquiry, reversePath, recipient.kind === 'refuse' ? recipient : null)
  if (client.kind === 'missing' || client.kind === 'accept') return client
  // Somebody who may relay, but not as this sender: better told that than "denied".
  if (limit !== null) return refuseSender(inquiry, limit)
  const onlyTo = limitedTo(standing)
  // What a look-up might still allow is not refused for good.
  if (onlyTo !== null && client.kind === 'refuse' && client.reply.code >= 500) return refuseRecipient(inquiry, onlyTo)
  return client
}

/** Somebody who may relay, but not to this recipient: nothing is wrong with the certificate. */
function refuseRecipient(inquiry: Inquiry, onlyTo: string): Finding {
  return because(inquiry, 'recipientNotAllowed', onlyTo, { kind: 'refuse', reply: recipientNotAllowed(hasPassword(inquiry)) })
}

/** In words, to which recipients an entry limits who may relay; null if none does. */
function limitedTo(standing: Standing): string | null {
  return standing.kind === 'relays' && standing.recipients !== null ? `${standing.text}, but only to ${standing.recipients.join(', ')}` : null
}

type IdentityPermission = { readonly rule: string; readonly text: string; readonly boundToSenders: boolean }

/** Rows 6 to 8: what the map says of the client, or a successful AUTH. Null if neither gives anything. */
function permissionOfIdentity(inquiry: Inquiry, standing: Standing, recipient: Address): IdentityPermission | null {
  if (standing.kind === 'withheld') return null
  if (standing.kind === 'relays' && standing.recipients !== null && !isOneOf(standing.recipients, recipient)) {
    note(inquiry, limitedTo(standing) ?? '')
    return null
  }
  const authentication = standingAuthentication(inquiry)
  const isTrusted = authentication !== null && inquiry.policy.trustedMechanisms.has(authentication.mechanism)
  // Of an account that is none of ours nobody knows which senders it may use.
  const isAccount = isTrusted && authentication.stranger !== null
  if (standing.kind === 'relays') return { rule: standing.rule, text: standing.text, boundToSenders: !isAccount }
  if (!isTrusted) return null
  return { rule: 'authenticated', text: `${authentication.mechanism} has authenticated the client`, boundToSenders: !isAccount }
}

/** What a next hop may take for a route on to somebody else is not what the list names (S20). */
function isOneOf(recipients: readonly string[], recipient: Address): boolean {
  return !/[%!@]/.test(recipient.localPart) && isListed(recipients, recipient)
}

/** The site names the recipient's domain as one of its own, and so knows who is its next hop. */
const LISTED_DOMAIN: Finding = { ...ACCEPT }

/** Rows 9 to 15: mail for our own domains is taken from anyone. `refuse` here is a remembered failure. */
function relayByRecipient(inquiry: Inquiry, address: Address): Finding | { readonly kind: 'none' } {
  const { policy } = inquiry
  const { domain } = address
  if (hasRefusedRouting(policy.features, address.localPart)) {
    note(inquiry, 'the local part routes through us, which this site refuses to follow')
    return { kind: 'none' }
  }
  if (domain === null) return because(inquiry, 'localUser', 'the recipient has no domain, so it is a local user', ACCEPT)
  if (isLocalDomain(policy, domain)) return because(inquiry, 'localDomain', `${domain} is a local domain`, ACCEPT)
  const taken = takesMailFor(inquiry, address.localPart, domain)
  switch (taken) {
    case 'relayDomain':
      return because(inquiry, taken, `${domain} is one of our relay domains`, LISTED_DOMAIN)
    case 'toRelays':
      return because(inquiry, taken, `the entry takes mail for ${domain} from anyone`, LISTED_DOMAIN)
    case 'mxRelays':
      return because(inquiry, taken, `we are an MX host of ${domain}`, ACCEPT)
    case 'missing':
      return { kind: 'missing', missing: { kind: 'isMxFor', domain } }
    case 'unknown':
      return because(inquiry, 'mxUnresolved', `the MX records of ${domain} cannot be looked up now`, { kind: 'refuse', reply: mxUnresolved })
    case 'no':
      note(inquiry, `${domain} is none of our domains`)
      return { kind: 'none' }
  }
}

/** sendmail delivers to users of the host it runs on; a relay has none but the one that RFC 5321 §4.5.1 demands. */
function checkQualified(inquiry: Inquiry, address: Address): Finding | null {
  if (address.domain !== null || inquiry.policy.features.acceptUnqualifiedRecipients || address.localPart.toLowerCase() === 'postmaster') {
    return null
  }
  return because(inquiry, 'recipientUnqualified', 'the recipient has no domain', { kind: 'refuse', reply: recipientDomainRequired })
}

/** Row 5: FEATURE(blocklist_recipients). An entry refuses everyone, holders of certificates too. */
function checkBlockList(inquiry: Inquiry, address: Address): Finding | null {
  if (!inquiry.policy.features.blocklistRecipients || !canAnswer(inquiry, 'To')) return null
  const entry = blockListEntry(inquiry, address)
  return entry === null ? null : objection(inquiry, entry, 'recipient')
}

/** The entry for a recipient: by its whole address, for local domains by its local part, by its domain. */
export function blockListEntry(inquiry: Inquiry, address: Address): AccessEntry | null {
  const { localPart, domain } = address
  if (domain === null) return lookUpUser(inquiry, 'To', localPart)
  return (
    lookUpMailbox(inquiry, 'To', address) ??
    (isLocalDomain(inquiry.policy, domain) ? lookUpUser(inquiry, 'To', localPart) : null) ??
    lookUpDomain(inquiry, 'To', domain)
  )
}

function unreadable(inquiry: Inquiry, problem: AddressProblem): Finding {
  const reply = problem === 'empty' ? recipientRequired : replyToUnreadable(problem)
  return because(inquiry, 'recipientUnreadable', 'the forward-path is not one address', { kind: 'refuse', reply })
}
