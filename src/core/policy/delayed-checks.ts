/**
 * FEATURE(delay_checks): client and sender are judged when the recipient is known, and only if the
 * recipient was accepted for another reason than who the client is.
 */

import { parseAddress } from '../names/address.ts'
import { parseAccessValue } from './access-value.ts'
import { checkConnection } from './connection.ts'
import type { AccessEntry } from './decision.ts'
import { note } from './finding.ts'
import type { Finding } from './finding.ts'
import { hasEntries, lookUpDomain, lookUpMailbox, lookUpUser } from './lookups.ts'
import type { Inquiry } from './lookups.ts'
import { normaliseSender } from './normalise-recipient.ts'
import { isLocalDomain } from './our-domains.ts'
import { checkSender } from './sender.ts'
import { checkClientTls } from './tls-requirements.ts'

/** `recipient` has accepted. The first check that has something against it wins, be it only to drop or to hold. */
export function delayedChecks(
  inquiry: Inquiry,
  recipient: Extract<Finding, { kind: 'accept' }>,
  reversePath: string,
  forwardPath: string,
): Finding {
  if (recipient.final) return worse(checkClientTls(inquiry), recipient)
  const tls = checkClientTls(inquiry)
  // What TLS must have proved, it must for friends as well.
  if (tls.kind !== 'accept' || isSpared(inquiry, forwardPath)) return worse(tls, recipient)
  const sender = checkSender(inquiry, reversePath)
  // An entry that accepts the sender speaks for the client, too.
  if (sender.kind !== 'accept' || sender.final) return worse(sender, recipient)
  return worse(checkConnection(inquiry), recipient)
}

function worse(finding: Finding, otherwise: Finding): Finding {
  return finding.kind === 'accept' ? otherwise : finding
}

/** A FRIEND gets all mail; with `hater`, only a HATER is protected at all. */
function isSpared(inquiry: Inquiry, forwardPath: string): boolean {
  const { delayChecks } = inquiry.policy.features
  if (delayChecks !== 'friend' && delayChecks !== 'hater') return false
  const word = friendWord(inquiry, forwardPath)
  const spared = delayChecks === 'friend' ? word === 'friend' : word !== 'hater'
  if (spared) note(inquiry, `sender and client are not judged for this recipient (${delayChecks})`)
  return spared
}

function friendWord(inquiry: Inquiry, forwardPath: string): string | null {
  const entry = friendEntry(inquiry, forwardPath)
  return entry === null ? null : parseAccessValue(entry.value).kind
}

/** The `Spam:` entry for a recipient: by its whole address, its domain, for local domains by its local part. */
export function friendEntry(inquiry: Inquiry, forwardPath: string): AccessEntry | null {
  const { policy } = inquiry
  const parsed = parseAddress(forwardPath)
  if (!parsed.ok || !hasEntries(inquiry, 'Spam')) return null
  const meant = normaliseSender(policy, parsed.value)
  // A local user without a domain is one of this host.
  const domain = meant.domain ?? policy.hostname
  return (
    lookUpMailbox(inquiry, 'Spam', { ...meant, domain }) ??
    lookUpDomain(inquiry, 'Spam', domain) ??
    (isLocalDomain(policy, domain) ? lookUpUser(inquiry, 'Spam', meant.localPart) : null)
  )
}
