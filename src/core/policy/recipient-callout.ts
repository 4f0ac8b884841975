/**
 * Does the next hop have the recipient? `checks.recipient-callout`: it is asked before we take what it
 * would refuse, so that the sender hears it at RCPT, and nobody whose address was forged gets a bounce.
 *
 * The last question about a recipient, and only about those that strangers may send to because the site
 * lists the domain: whatever else is to be refused costs the next hop nothing.
 */

import type { Address } from '../names/address.ts'
import type { CalloutAnswer } from './decision.ts'
import { CLIENT_NAME_MISSING, because, note, noteSetting } from './finding.ts'
import type { Finding } from './finding.ts'
import type { Inquiry } from './lookups.ts'
import { recipientUnverified, tooManyCallouts, userUnknown } from './refusals.ts'
import { isStranger } from './site-checks.ts'

type Asked = { readonly forwardPath: string; readonly requiresTls?: boolean }

/** Null if there is nothing against the recipient. RFC 5321 §4.5.1: there always is a postmaster. */
export function checkAtNextHop(inquiry: Inquiry, { localPart }: Address, { forwardPath, requiresTls = false }: Asked): Finding | null {
  const { recipientCallout } = inquiry.policy.checks
  if (recipientCallout === 'off' || localPart.toLowerCase() === 'postmaster') return null
  const stranger = isStranger(inquiry)
  if (stranger === null) return CLIENT_NAME_MISSING
  if (!stranger) return null
  const answer = inquiry.facts.callouts?.get(forwardPath)
  if (answer === undefined) return { kind: 'missing', missing: { kind: 'callout', forwardPath, requiresTls } }
  noteSetting(inquiry, 'checks.recipient-callout', 'true')
  note(inquiry, answer.detail)
  return findingOf(inquiry, answer, recipientCallout)
}

function findingOf(inquiry: Inquiry, { says }: CalloutAnswer, ifUnknown: 'defer' | 'accept'): Finding | null {
  switch (says) {
    case 'yes':
    case 'cannotAsk':
    case 'notAsked':
      return null
    case 'no':
      return because(inquiry, 'unknownAtNextHop', 'the next hop has no such recipient', { kind: 'refuse', reply: userUnknown })
    case 'busy':
      return because(inquiry, 'tooManyCallouts', 'so many recipients are being asked about that no further one is', { kind: 'refuse', reply: tooManyCallouts })
    case 'unknown':
      noteSetting(inquiry, 'checks.recipient-callout-unknown', ifUnknown)
      return ifUnknown === 'accept'
        ? null
        : because(inquiry, 'nextHopUnsure', 'nobody knows for now whether the recipient exists', { kind: 'refuse', reply: recipientUnverified })
  }
}
