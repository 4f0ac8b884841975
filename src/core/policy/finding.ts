/**
 * What one of the policy's checks comes to, and how a check writes down why.
 */

import { parseAccessValue } from './access-value.ts'
import { accessDenied, mailboxDisabled, unknownValue } from './refusals.ts'
import type { AccessEntry, Missing, PolicyReply } from './decision.ts'
import type { Inquiry, Search } from './lookups.ts'

export type Finding =
  /** `final`: delayed checks that would follow have nothing to add. */
  | { readonly kind: 'accept'; readonly relay: boolean; readonly final: boolean }
  | { readonly kind: 'refuse'; readonly reply: PolicyReply }
  | { readonly kind: 'discard' }
  | { readonly kind: 'quarantine'; readonly reason: string }
  /** The answer depends on something that must be found out first. */
  | { readonly kind: 'missing'; readonly missing: Missing }

/** Nothing against it. */
export const ACCEPT: Finding = { kind: 'accept', relay: false, final: false }
/** An entry speaks for the sender, and with delayed checks for the client too. */
export const ACCEPT_FINALLY: Finding = { kind: 'accept', relay: false, final: true }
/** The client may relay, because of where it is or what it sends. */
export const RELAY: Finding = { kind: 'accept', relay: true, final: false }
/** The client may relay, because of who it is. */
export const RELAY_FINALLY: Finding = { kind: 'accept', relay: true, final: true }

export const CLIENT_NAME_MISSING: Finding = { kind: 'missing', missing: { kind: 'clientName' } }

/** Names the rule that ended a search. */
export function because(search: Search, rule: string, text: string, finding: Finding): Finding {
  search.because.push({ kind: 'rule', rule, text })
  return finding
}

/** Names the rule that would have ended it, were it not set to warn only. */
export function warn(search: Search, rule: string, text: string, finding: Finding): Finding {
  search.because.push({ kind: 'warning', rule, text })
  return finding
}

export function note(search: Search, text: string): void {
  search.because.push({ kind: 'fact', text })
}

export function noteSetting(search: Search, name: string, value: string): void {
  search.because.push({ kind: 'setting', name, value })
}

/**
 * What an entry found for a client, a sender or a recipient does. Null if it does not object and
 * gives nothing either: OK and RELAY, and for recipients the words of an older FEATURE(delay_checks).
 */
export function objection(inquiry: Inquiry, entry: AccessEntry, about: Subject): Finding | null {
  const action = parseAccessValue(entry.value)
  switch (action.kind) {
    case 'ok':
    case 'relay':
      return null
    case 'reject':
      return because(inquiry, `${about}Rejected`, `the entry refuses the ${about}`, { kind: 'refuse', reply: rejection(inquiry, about) })
    case 'discard':
      return because(inquiry, `${about}Discarded`, `the entry drops mail of this ${about}`, { kind: 'discard' })
    case 'quarantine':
      if (action.reason === '' && about === 'client') {
        return because(inquiry, `${about}Rejected`, `${entry.value} holds no client's mail without a reason, and so refuses`, { kind: 'refuse', reply: unknownValue })
      }
      return because(inquiry, `${about}Quarantined`, `the entry holds mail of this ${about}`, { kind: 'quarantine', reason: action.reason === '' ? 'a line of the access map, which gives no reason' : action.reason })
    case 'reply':
      return because(inquiry, `${about}Rejected`, `the entry refuses the ${about} in its own words`, { kind: 'refuse', reply: action.reply })
    case 'oldFriend':
      if (about === 'recipient' && mayNameFriends(inquiry)) return null
      return because(inquiry, `${about}Rejected`, `${entry.value} means nothing here, and so refuses`, { kind: 'refuse', reply: unknownValue })
    case 'friend':
    case 'hater':
      return because(inquiry, `${about}Rejected`, `${entry.value} means nothing here, and so refuses`, { kind: 'refuse', reply: unknownValue })
    case 'skip':
      // An entry for one address or user, which has ended the search. Others do not get this far.
      if (about === 'recipient' && inquiry.policy.features.skip) return null
      return because(inquiry, `${about}Rejected`, `${entry.value} is no keyword here, and so refuses`, { kind: 'refuse', reply: unknownValue })
    case 'unknown':
      return because(inquiry, `${about}Rejected`, `${entry.value} is no keyword, and so refuses`, { kind: 'refuse', reply: unknownValue })
  }
}

export type Subject = 'client' | 'sender' | 'recipient' | 'identity'

/** With delayed checks only; they name nobody a friend any more, and refuse nobody either. */
function mayNameFriends(inquiry: Inquiry): boolean {
  const { friendsByTo, delayChecks } = inquiry.policy.features
  return friendsByTo && delayChecks !== 'off'
}

/** REJECT in the words of the site, if it has given any. */
function rejection(inquiry: Inquiry, about: Subject): PolicyReply {
  const { rejectMessage, recipientRejectMessage } = inquiry.policy.features
  if (about === 'recipient') return inWordsOf(recipientRejectMessage, mailboxDisabled, mailboxDisabled.enhanced)
  return inWordsOf(rejectMessage, accessDenied, null)
}

/** A reply in the site's words (`551 Go away`); `enhanced` stands unless it is null. */
export function inWordsOf(message: string | null, otherwise: PolicyReply, enhanced: string | null): PolicyReply {
  if (message === null) return otherwise
  const action = parseAccessValue(message)
  if (action.kind !== 'reply') return otherwise
  return enhanced === null ? action.reply : { ...action.reply, enhanced }
}
