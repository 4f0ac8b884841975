/**
 * May this client talk to us at all? sendmail's check_relay.
 *
 * `Connect:` entries are looked up by the client's name first, and by its address only if the name had
 * no hit. So `Connect:host RELAY` beats `Connect:its-address REJECT` here, and only here.
 */

import { accessAddress, clientName } from './client-address.ts'
import { ACCEPT, CLIENT_NAME_MISSING, because, noteSetting, objection } from './finding.ts'
import type { AccessEntry, ClientName } from './decision.ts'
import type { Finding } from './finding.ts'
import { canAnswer, lookUpAddress, lookUpDomain } from './lookups.ts'
import type { Inquiry } from './lookups.ts'
import { isInRelayNetwork } from './our-domains.ts'
import { sendmailReverseName, type ReverseNameReplies } from './refusals.ts'

export function checkConnection(inquiry: Inquiry): Finding {
  const entry = connectEntry(inquiry)
  if (entry === 'missing') return CLIENT_NAME_MISSING
  if (entry !== null) {
    return objection(inquiry, entry, 'client') ?? because(inquiry, 'clientAccepted', 'the entry accepts the client', ACCEPT)
  }
  return checkReverseName(inquiry)
}

/** The entry for a client: by its name, and by its address only if the name had no hit. */
export function connectEntry(inquiry: Inquiry): AccessEntry | null | 'missing' {
  const { host } = inquiry.asker
  if (!canAnswer(inquiry, 'Connect')) return null
  const byName = connectByName(inquiry)
  if (byName && host.name === null) return 'missing'
  return (
    (byName ? lookUpDomain(inquiry, 'Connect', clientName(host)) : null) ??
    lookUpAddress(inquiry, 'Connect', accessAddress(host.address))
  )
}

/** True if an entry names a host, so that the client's name can matter. */
export function connectByName(inquiry: Inquiry): boolean {
  const { namesHosts } = inquiry.policy.survey
  return namesHosts.has('connect') || namesHosts.has('')
}

/** FEATURE(require_rdns). Clients in a relay network need no name. */
function checkReverseName(inquiry: Inquiry): Finding {
  const { host } = inquiry.asker
  if (!inquiry.policy.features.requireReverseName || isInRelayNetwork(inquiry.policy, accessAddress(host.address))) return ACCEPT
  if (host.name === null) return CLIENT_NAME_MISSING
  noteSetting(inquiry, 'requireReverseName', 'true')
  return refusalWithoutName(inquiry, host.name, sendmailReverseName) ?? ACCEPT
}

/** Null for a client whose name leads back to its address. */
export function refusalWithoutName(inquiry: Inquiry, name: ClientName, replies: ReverseNameReplies): Finding | null {
  switch (name.resolve) {
    case 'OK':
      return null
    case 'FAIL':
      return because(inquiry, 'noReverseName', 'the client address has no host name, or none that exists', { kind: 'refuse', reply: replies.missing })
    case 'TEMP':
      return because(inquiry, 'noReverseName', 'the client host name cannot be looked up now', { kind: 'refuse', reply: replies.unresolved })
    case 'FORGED':
      return because(inquiry, 'noReverseName', 'the client host name lacks the client address', { kind: 'refuse', reply: replies.forged })
  }
}
