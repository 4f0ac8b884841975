/**
 * FEATURE(delay_checks): client and sender are judged when the recipient is known, and only if the
 * recipient was accepted for another reason than who the client is.
 */

import { parseAddress } from '../names/address.ts'
import { parseAccessValue } from './access-value.ts'
import { checkConnection } from './connection.ts'
import { note } from './finding.ts'
import type { Finding } from './finding.ts'
import { hasEntries, lookUpDomain, lookUpMailbox, lookUpUser } from './lookups.ts'
import type { Inquiry, Tag } from './lookups.ts'
import { isLocalDomain } from './our-domains.ts'
import { checkSender } from './sender.ts'
import { checkClientTls } from './tls-requirements.ts'

/** `recipient` has accepted. The first check that refuses wins. */
export function delayedChecks(
  inquiry: Inquiry,
  recipient: Extract<Finding, { kind: 'accept' }>,
  reversePath: string,
  forwardPath: string,
): Finding {
  if (recipient.final) return worse(checkClientTls(inquiry), recipient)
  if (isSpared(inquiry, forwardPath)) return recipient
  const tls = checkClientTls(inquiry)
  if (stops(tls)) return tls
  const sender = checkSender(inquiry, reversePath)
  if (stops(sender)) return sender
  // An entry that accepts the sender speaks for the client, too.
  if (sender.kind === 'accept' && sender.final) return recipient
  const client = checkConnection(inquiry)
  if (stops(client)) return client
  return worse(client, worse(sender, recipient))
}

function stops(finding: Finding): boolean {
  return finding.kind === 'refuse' || finding.kind === 'missing'
}

function worse(finding: Finding, otherwise: Finding): Finding {
  return finding.kind === 'accept' ? otherwise : finding
}

/** A FRIEND gets all mail; with `hater`, only a HATER is protected at all. */
function isSpared(inquiry: Inquiry, forwardPath: string): boolean {
  const { delayChecks, friendsByTo } = inquiry.policy.features
  if (delayChecks !== 'friend' && delayChecks !== 'hater') return false
  const word = friendWord(inquiry, 'Spam', forwardPath) ?? (friendsByTo ? friendWord(inquiry, 'To', forwardPath) : null)
  const spared = delayChecks === 'friend' ? word === 'friend' : word !== 'hater'
  if (spared) note(inquiry, `sender and client are not judged for this recipient (${delayChecks})`)
  return spared
}

function friendWord(inquiry: Inquiry, tag: Tag, forwardPath: string): string | null {
  const parsed = parseAddress(forwardPath)
  if (!parsed.ok || !hasEntries(inquiry, tag)) return null
  const { localPart, domain } = parsed.value
  const entry =
    domain === null
      ? lookUpUser(inquiry, tag, localPart)
      : (lookUpMailbox(inquiry, tag, parsed.value) ??
        lookUpDomain(inquiry, tag, domain) ??
        (isLocalDomain(inquiry.policy, domain) ? lookUpUser(inquiry, tag, localPart) : null))
  return entry === null ? null : parseAccessValue(entry.value).kind
}
