/**
 * May this sender send? sendmail's check_mail, and which reverse-paths a certificate may use.
 */

import { canonicalDomain, parseAddress } from '../names/address.ts'
import { wholeAddresses } from '../names/certificate-addresses.ts'
import type { Address, AddressProblem } from '../names/address.ts'
import { accessAddress, clientName, isLoopback } from './client-address.ts'
import type { AccessEntry } from './decision.ts'
import { ACCEPT, ACCEPT_FINALLY, CLIENT_NAME_MISSING, because, noteSetting, objection, warn } from './finding.ts'
import type { Finding } from './finding.ts'
import { canAnswer, lookUpDomain, lookUpMailbox, lookUpUser } from './lookups.ts'
import { isListed } from './identity-value.ts'
import { identityThatCounts, hasPassword } from './login.ts'
import type { Inquiry } from './lookups.ts'
import { endsInHalf, normaliseSender } from './normalise-recipient.ts'
import { isLocalDomain, isLocalhost } from './our-domains.ts'
import {
  realSenderDomainRequired,
  replyToUnreadable,
  senderDomainMissing,
  senderDomainRequired,
  senderDomainUnresolved,
  senderNotAllowed,
} from './refusals.ts'

/** The null reverse-path is always taken: without it no bounce could arrive (RFC 5321 §6.1). */
export function checkSender(inquiry: Inquiry, reversePath: string): Finding {
  if (reversePath === '') return ACCEPT
  const parsed = parseAddress(reversePath)
  if (!parsed.ok) return unreadable(inquiry, parsed.problem)
  const isOurs = isOursIfLocalhost(inquiry, parsed.value.domain)
  if (isOurs === 'missing') return CLIENT_NAME_MISSING
  if (!isOurs) {
    return because(inquiry, 'senderAtLocalhost', 'the sender is at localhost and the client is another host', {
      kind: 'refuse',
      reply: realSenderDomainRequired,
    })
  }
  const sender = normaliseSender(inquiry.policy, parsed.value)
  if (sender.domain === null) return checkUnqualified(inquiry, sender.localPart)
  const entry = senderEntry(inquiry, sender, sender.domain)
  if (entry !== null) {
    return objection(inquiry, entry, 'sender') ?? because(inquiry, 'senderAccepted', 'the entry accepts the sender', ACCEPT_FINALLY)
  }
  return checkDomainExists(inquiry, sender.domain)
}

/** What is wrong with a reverse-path whoever may use it, and so is never judged later. Null if nothing is. */
export function checkReadable(inquiry: Inquiry, reversePath: string): Finding | null {
  if (reversePath === '') return null
  const parsed = parseAddress(reversePath)
  if (!parsed.ok) return unreadable(inquiry, parsed.problem)
  return endsInHalf(inquiry.policy, normaliseSender(inquiry.policy, parsed.value)) ? unreadable(inquiry, 'invalidRoute') : null
}

function unreadable(inquiry: Inquiry, problem: AddressProblem): Finding {
  return because(inquiry, 'senderUnreadable', 'the reverse-path is not an address', { kind: 'refuse', reply: replyToUnreadable(problem) })
}

/** The entry for a sender: by its whole address, its local part, its domain. */
export function senderEntry(inquiry: Inquiry, sender: Address, domain: string): AccessEntry | null {
  if (!canAnswer(inquiry, 'From')) return null
  return lookUpMailbox(inquiry, 'From', sender) ?? lookUpUser(inquiry, 'From', sender.localPart) ?? lookUpDomain(inquiry, 'From', domain)
}

function checkUnqualified(inquiry: Inquiry, localPart: string): Finding {
  const entry = canAnswer(inquiry, 'From') ? lookUpUser(inquiry, 'From', localPart) : null
  if (entry !== null) {
    return objection(inquiry, entry, 'sender') ?? because(inquiry, 'senderAccepted', 'the entry accepts the sender', ACCEPT_FINALLY)
  }
  if (inquiry.policy.features.acceptUnqualifiedSenders) return ACCEPT
  return because(inquiry, 'senderUnqualified', 'the sender has no domain', { kind: 'refuse', reply: senderDomainRequired })
}

/**
 * `root@localhost` means something on this very host only. Where checks are delayed, sendmail looks at
 * the sender after it has rewritten localhost to its own name, and so lets it pass.
 */
function isOursIfLocalhost(inquiry: Inquiry, typedDomain: string | null): boolean | 'missing' {
  const { policy } = inquiry
  if (typedDomain === null || policy.features.acceptUnqualifiedSenders) return true
  const isNamed = isLocalhost(policy, typedDomain) && policy.features.delayChecks === 'off'
  if (!isNamed && !LOOPBACK.has(typedDomain)) return true
  const { host } = inquiry.asker
  // What a host is called in DNS is no proof of being this one, unless the site says it is.
  if (!policy.features.namedHostsMayRelay) return isLoopback(accessAddress(host.address))
  if (host.name === null) return 'missing'
  return isLocalDomain(policy, canonicalDomain(clientName(host)))
}

const LOOPBACK: ReadonlySet<string> = new Set(['[127.0.0.1]', '[ipv6:0:0:0:0:0:0:0:1]', '[ipv6:::1]'])

function checkDomainExists(inquiry: Inquiry, domain: string): Finding {
  const { policy } = inquiry
  if (policy.features.acceptUnresolvableDomains || domain.startsWith('[') || domain === policy.hostname) return ACCEPT
  noteSetting(inquiry, 'acceptUnresolvableDomains', 'false')
  return refusalOfDomain(inquiry, domain)
}

/** A sender's domain must have an MX or an address; accepts it if it has. */
export function refusalOfDomain(inquiry: Inquiry, domain: string): Finding {
  switch (inquiry.facts.domainExists.get(domain)) {
    case undefined:
      return { kind: 'missing', missing: { kind: 'domainExists', domain } }
    // sendmail knows of no null MX; a check of our own does.
    case 'nullMx':
    case 'yes':
      return ACCEPT
    case 'no':
      return because(inquiry, 'senderDomainMissing', `${domain} has no MX and no address`, { kind: 'refuse', reply: senderDomainMissing })
    case 'unknown':
      return because(inquiry, 'senderDomainUnresolved', `${domain} cannot be looked up now`, { kind: 'refuse', reply: senderDomainUnresolved })
  }
}

/**
 * May the holder of this certificate or password use this reverse-path? Null if it may; else who may use what.
 *
 * A person has a list of addresses and domains and may use nothing else; a machine without a list may
 * use any. A certificate of another CA is held to the addresses it names, if it names any; what it
 * names that is no address gives it none.
 *
 * Deviates: RFC 5321 §2.4 leaves the case of a local part to its own host. Here it is ignored: the
 * list is the site's own, and no site gives Joe@ and joe@ to two people.
 */
export function checkSenderBinding(inquiry: Inquiry, reversePath: string): string | null {
  const { policy } = inquiry
  if (policy.senderBinding === 'off' || reversePath === '') return null
  const limit = senderLimit(inquiry)
  if (limit === null || isAmong(limit.allowed, reversePath)) return null
  noteSetting(inquiry, 'relay.sender-binding', policy.senderBinding)
  if (policy.senderBinding === 'enforce') return limit.words
  warn(inquiry, 'senderNotAllowed', `${limit.words}; <${reversePath}> is let through`, ACCEPT)
  return null
}

/** The only sender addresses and `@domains` that an identity may use; null if it may use any, or is none. */
export function senderLimit(inquiry: Inquiry): { readonly allowed: readonly string[]; readonly words: string } | null {
  const identity = identityThatCounts(inquiry)
  if (identity.kind !== 'verified') return null
  const { holder, certificate } = identity
  const allowed = holder === null ? wholeAddresses(certificate) : holder.senders
  const isBound = holder === null ? certificate.addresses.length > 0 : holder.kind === 'person' || holder.senders.length > 0
  if (!isBound) return null
  const whose = holder === null ? 'the certificate' : `${holder.kind} ${holder.name}`
  return { allowed, words: `${whose} may use ${allowed.length === 0 ? 'no sender address' : allowed.join(', ')}` }
}

export function refuseSender(inquiry: Inquiry, limit: string): Finding {
  return because(inquiry, 'senderNotAllowed', limit, { kind: 'refuse', reply: senderNotAllowed(hasPassword(inquiry)) })
}

export function isAmong(allowed: readonly string[], reversePath: string): boolean {
  const parsed = parseAddress(reversePath)
  return parsed.ok && isListed(allowed, parsed.value)
}
