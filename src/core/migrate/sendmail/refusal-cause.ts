/**
 * Why sendmail refused, where its access map was not the reason: by the words of its own features. A
 * site may give its lists in DNS words of its own, but the answer of the list is logged beside the
 * client.
 */

import type { RefusalCause } from '../replay-facts.ts'

export type LoggedCause = { readonly kind: 'fact'; readonly cause: RefusalCause } | { readonly kind: 'left'; readonly why: string }

/** `list`: the second argument of the rule set, where a list in DNS has put its answer. */
export function causeOf(reply: string, list: string): LoggedCause | null {
  if (/\b(?:rate limit exceeded|too many open connections)/i.test(reply)) return { kind: 'left', why: TOO_OFTEN }
  if (/\bbogus HELO name\b/i.test(reply)) return { kind: 'left', why: HELO }
  if (/\bDomain of sender address .* does not exist\b/i.test(reply)) return { kind: 'fact', cause: 'senderDomainMissing' }
  if (/\bDomain of sender address .* does not resolve\b/i.test(reply)) return { kind: 'fact', cause: 'senderDomainUnresolved' }
  if (/\bFix reverse DNS\b|\bClient IP address .* does not resolve\b|\bPossibly forged hostname\b/i.test(reply)) return { kind: 'fact', cause: 'reverseName' }
  if (/^127\.\d+\.\d+\.\d+$/.test(list) || /\blisted (?:at|by|in|on)\b/i.test(reply)) return { kind: 'fact', cause: 'blocklist' }
  return null
}

const TOO_OFTEN = 'refused for coming too often or with too many connections, which [limits], ClientRate: and ClientConn: lines see to'
const HELO = 'refused for the name after HELO, which the log does not have; checks.helo looks at it'
