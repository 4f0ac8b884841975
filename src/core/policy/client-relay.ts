/**
 * May this client relay because of where it is, or what it says its sender is? Rows 16 to 27.
 *
 * The address comes before the name, and a `Connect:` entry that refuses does not end the search
 * here: it had its say when the client connected.
 */

import { canonicalDomain, parseAddress } from '../names/address.ts'
import { isWord } from './access-value.ts'
import { accessAddress, clientName, isLoopback } from './client-address.ts'
import { connectByName } from './connection.ts'
import { CLIENT_NAME_MISSING, RELAY, because, inWordsOf, note, noteSetting } from './finding.ts'
import type { Finding } from './finding.ts'
import { byTagOnly, canAnswer, hasEntries, lookUpAddress, lookUpDomain, lookUpMailbox } from './lookups.ts'
import type { Inquiry } from './lookups.ts'
import { identityThatCounts, noteOtherProof, proofWanted } from './login.ts'
import { normaliseSender } from './normalise-recipient.ts'
import { isInOwnDomain, isInRelayDomain, isInRelayNetwork, isLocalDomain } from './our-domains.ts'
import { clientNameUnresolved, relayingDenied } from './refusals.ts'
import { noteWithheld } from './withheld-proof.ts'

/** `remembered`: what keeps us from knowing for now whether we take mail for the recipient's domain, if anything does. */
export function relayByClient(inquiry: Inquiry, reversePath: string, remembered: Finding | null): Finding {
  return relayByAddress(inquiry) ?? relayBySender(inquiry, reversePath) ?? relayByName(inquiry, remembered)
}

/** Rows 16 to 19. */
function relayByAddress(inquiry: Inquiry): Finding | null {
  const { policy, asker } = inquiry
  if (policy.features.lmtpMayRelay && asker.listener === 'lmtp') {
    noteSetting(inquiry, 'listeners.lmtp.relay', 'true')
    return because(inquiry, 'localProgram', 'programs of this host may relay through the LMTP socket', RELAY)
  }
  const address = accessAddress(asker.host.address)
  if (policy.features.loopbackMayRelay && isLoopback(address)) {
    return because(inquiry, 'loopback', 'the client is this very host', RELAY)
  }
  if (isInRelayNetwork(policy, address)) return because(inquiry, 'relayNetwork', 'the client is in a relay network', RELAY)
  const entry = canAnswer(inquiry, 'Connect') ? lookUpAddress(inquiry, 'Connect', address) : null
  if (entry !== null && isWord(entry.value, 'RELAY')) {
    return because(inquiry, 'connectRelays', 'the entry lets this address relay', RELAY)
  }
  if (isLocalDomain(policy, `[${address.toLowerCase()}]`)) {
    return because(inquiry, 'localAddress', 'the client address is listed as local', RELAY)
  }
  return null
}

/** Rows 20 and 21: features that believe what a client says. No site should have them on. */
function relayBySender(inquiry: Inquiry, reversePath: string): Finding | null {
  const { policy } = inquiry
  const { relayLocalFrom, relayMailFrom, relayHostsOnly } = policy.features
  if (!relayLocalFrom && relayMailFrom === 'off') return null
  const parsed = parseAddress(reversePath)
  if (!parsed.ok) return null
  // A detour through us makes nobody local.
  const sender = normaliseSender(policy, parsed.value)
  const { domain } = sender
  if (domain === null) return null
  if (relayLocalFrom && isLocalDomain(policy, domain)) {
    noteSetting(inquiry, 'relayLocalFrom', 'true')
    return because(inquiry, 'localSender', 'the sender says it is local', RELAY)
  }
  if (relayMailFrom === 'off' || !hasEntries(inquiry, 'From')) return null
  noteSetting(inquiry, 'relayMailFrom', relayMailFrom)
  const search = byTagOnly(inquiry)
  const entry =
    lookUpMailbox(search, 'From', sender) ??
    (relayMailFrom === 'domain' ? lookUpDomain(search, 'From', domain, { exact: relayHostsOnly }) : null)
  return entry !== null && isWord(entry.value, 'RELAY') ? because(inquiry, 'senderRelays', 'the entry lets this sender relay', RELAY) : null
}

/**
 * Rows 22 to 27. A name counts only if DNS leads from it back to the address; a client without one is
 * refused for good, whatever is known of the recipient's domain.
 */
function relayByName(inquiry: Inquiry, remembered: Finding | null): Finding {
  const { policy, asker } = inquiry
  if (!nameMatters(inquiry)) return remembered ?? denied(inquiry, null)
  const found = asker.host.name
  if (found === null) return CLIENT_NAME_MISSING
  if (found.resolve === 'TEMP') {
    return because(inquiry, 'clientNameUnresolved', 'the client host name cannot be looked up now', {
      kind: 'refuse',
      reply: clientNameUnresolved,
    })
  }
  if (found.resolve !== 'OK') {
    note(inquiry, found.resolve === 'FAIL' ? 'the client address has no host name' : 'the client host name lacks the client address')
    return denied(inquiry, null)
  }
  const name = canonicalDomain(clientName(asker.host))
  if (isInOwnDomain(policy, name)) return because(inquiry, 'ownHost', `${name} is in our own domain`, RELAY)
  if (policy.features.namedHostsMayRelay && isLocalDomain(policy, name)) return because(inquiry, 'localHost', `${name} is one of our names`, RELAY)
  if (policy.features.namedHostsMayRelay && isInRelayDomain(policy, name)) {
    return because(inquiry, 'relayHost', `${name} is in a relay domain`, RELAY)
  }
  const entry = connectByName(inquiry) ? lookUpDomain(inquiry, 'Connect', name, { exact: policy.features.relayHostsOnly }) : null
  if (entry !== null && isWord(entry.value, 'RELAY')) return because(inquiry, 'connectRelays', 'the entry lets this host relay', RELAY)
  return remembered ?? denied(inquiry, policy.features.relayMessage)
}

/** False if no name whatever could make a difference, so that none has to be looked up. */
function nameMatters(inquiry: Inquiry): boolean {
  const { features } = inquiry.policy
  return features.namedHostsMayRelay || features.relayEntireDomain || features.relayMessage !== null || connectByName(inquiry)
}

/** The site's words (confRELAY_MSG) are for clients whose name is known; the others are told sendmail's. */
function denied(inquiry: Inquiry, words: string | null): Finding {
  const identity = identityThatCounts(inquiry)
  const reply = relayingDenied(identity, inquiry.asker.listener, proofWanted(inquiry))
  if (identity.kind !== 'verified') noteOtherProof(inquiry)
  noteWithheld(inquiry)
  return because(inquiry, 'relayingDenied', 'nothing lets this client relay', {
    kind: 'refuse',
    reply: inWordsOf(words, reply, reply.enhanced),
  })
}
