/**
 * The recipient that is really meant, before anything is decided about it.
 *
 * `u%dest.example@relay.example` asks us to take the mail for our relay domain and to send it on to
 * another. Judged by what stands after the `@` it would make an open relay of every relay domain. So
 * where we are responsible for the domain, it is taken off, what remains is read as an address again,
 * and that address is judged (sendmail's ParseRecipient).
 */

import type { Address } from '../names/address.ts'
import { canonicalDomain } from '../names/address.ts'
import { isWord } from './access-value.ts'
import type { AccessEntry } from './decision.ts'
import { canAnswer, lookUpDomain, lookUpExact, lookUpMailbox, lookUpUserAsTyped } from './lookups.ts'
import type { Inquiry } from './lookups.ts'
import { isInOwnDomain, isInRelayDomain, isLocalDomain, isLocalhost } from './our-domains.ts'
import type { Policy, PolicyFeatures } from './policy.ts'

/**
 * A sender in the form that entries are compared with: a local domain behind a routed local part is
 * no more than a detour, so `a%spam.example@us` cannot pass for one of us.
 */
export function normaliseSender(policy: Policy, typed: Address): Address {
  let address = atThisHost(policy, typed)
  for (;;) {
    const { localPart, domain } = address
    const isDetour = domain === null || (hasRouting(policy.features, localPart) && isLocalDomain(policy, domain))
    if (!isDetour) return address
    const inner = readRoutedLocalPart(policy.features, localPart)
    if (inner === null) return { localPart, domain: null }
    address = atThisHost(policy, inner)
  }
}

/** True for what is left of `u%@us`, `%u@us` and the like: half an address. */
export function endsInHalf(policy: Policy, { localPart, domain }: Address): boolean {
  return policy.features.percentHack === 'follow' && domain === null && /^%.|.%$/.test(localPart)
}

export type Normalised =
  | { readonly kind: 'recipient'; readonly address: Address }
  | { readonly kind: 'missing'; readonly domain: string }
  | { readonly kind: 'unreadable' }

export function normaliseRecipient(inquiry: Inquiry, typed: Address): Normalised {
  const { policy } = inquiry
  let address = atThisHost(policy, typed)
  // Each round takes a character off the local part, so this ends.
  for (;;) {
    if (address.domain === null) {
      const inner = readRoutedLocalPart(policy.features, address.localPart)
      if (inner === null) return endsInHalf(policy, address) ? { kind: 'unreadable' } : { kind: 'recipient', address }
      address = atThisHost(policy, inner)
    } else if (!hasRouting(policy.features, address.localPart)) {
      return { kind: 'recipient', address }
    } else if (isLocalDomain(policy, address.domain)) {
      address = { localPart: address.localPart, domain: null }
    } else if (policy.features.looseRelayCheck) {
      return { kind: 'recipient', address }
    } else {
      const taken = takesMailFor(inquiry, null, address.domain)
      if (taken === 'missing') return { kind: 'missing', domain: address.domain }
      if (taken === 'no' || taken === 'unknown') return { kind: 'recipient', address }
      address = { localPart: address.localPart, domain: null }
    }
  }
}

/** Why we take mail for a domain from anyone, or that we do not. Rows 10 and 12 to 14 of the relay decision. */
export type Taken = 'relayDomain' | 'toRelays' | 'mxRelays' | 'no' | 'unknown' | 'missing'

/** `localPart` is null if only the domain counts: entries for full addresses do not open the domain for routing. */
export function takesMailFor(inquiry: Inquiry, localPart: string | null, domain: string): Taken {
  const { policy, facts } = inquiry
  if (isInOwnDomain(policy, domain) || isInRelayDomain(policy, domain)) return 'relayDomain'
  const entry = relayEntryFor(inquiry, localPart, domain)
  if (entry !== null && isWord(entry.value, 'RELAY')) return 'toRelays'
  if (!policy.features.relayBasedOnMx || domain.startsWith('[')) return 'no'
  switch (facts.isMxFor.get(domain)) {
    case undefined:
      return 'missing'
    case 'yes':
      return 'mxRelays'
    case 'no':
      return 'no'
    case 'unknown':
      return 'unknown'
  }
}

/** The `To:` entry that could make us relay to this recipient. */
function relayEntryFor(inquiry: Inquiry, localPart: string | null, domain: string): AccessEntry | null {
  if (!canAnswer(inquiry, 'To')) return null
  const { relayToFullAddress, relayHostsOnly } = inquiry.policy.features
  const byDomain = (): AccessEntry | null => lookUpDomain(inquiry, 'To', domain, { exact: relayHostsOnly })
  if (!relayToFullAddress || localPart === null) return byDomain()
  // With relay_hosts_only a whole address is looked up as it stands: no detail, no untagged entry, no `user@`.
  if (relayHostsOnly) return lookUpExact(inquiry, 'To', `${localPart}@${domain}`) ?? byDomain()
  return lookUpMailbox(inquiry, 'To', { localPart, domain }) ?? byDomain() ?? lookUpUserAsTyped(inquiry, 'To', localPart)
}

/** Mail to localhost is mail to this host, if it is one of our names at all; entries are found under its real name. */
function atThisHost(policy: Policy, address: Address): Address {
  const isHere = address.domain !== null && isLocalDomain(policy, 'localhost') && isLocalhost(policy, address.domain)
  return isHere ? { localPart: address.localPart, domain: policy.hostname } : address
}

/** True if the local part holds an address of its own. An `@` there came out of quotation marks. */
function hasRouting(features: PolicyFeatures, localPart: string): boolean {
  return (
    localPart.includes('@') ||
    (features.percentHack === 'follow' && localPart.includes('%')) ||
    (features.uucpPaths === 'follow' && localPart.includes('!'))
  )
}

/** FEATURE(nopercenthack, reject) and FEATURE(nouucp, reject): whatever the domain, not to be taken for ours. */
export function hasRefusedRouting(features: PolicyFeatures, localPart: string): boolean {
  return (
    (features.percentHack === 'refuse' && localPart.includes('%')) || (features.uucpPaths === 'refuse' && localPart.includes('!'))
  )
}

/**
 * A local part read as an address: `u@a` by its last `@`, `a!u` by its first `!`, `u%a` by its last
 * `%`. Null if there is nothing more to read in it. A single word before a `!` is a UUCP host, not a
 * domain.
 */
function readRoutedLocalPart(features: PolicyFeatures, localPart: string): Address | null {
  const at = localPart.lastIndexOf('@')
  if (at !== -1) return split(localPart.slice(0, at), localPart.slice(at + 1))
  // With nothing before it or behind it a `!` is a character like others.
  const bang = features.uucpPaths === 'follow' ? localPart.indexOf('!', 1) : -1
  if (bang !== -1 && bang < localPart.length - 1) return split(localPart.slice(bang + 1), uucpDomain(localPart.slice(0, bang)))
  const percent = features.percentHack === 'follow' ? localPart.lastIndexOf('%') : -1
  if (percent > 0 && percent < localPart.length - 1) return split(localPart.slice(0, percent), localPart.slice(percent + 1))
  return null
}

function uucpDomain(host: string): string {
  return host.includes('.') ? host : `${host}.uucp`
}

function split(localPart: string, domain: string): Address {
  return { localPart, domain: domain === '' ? null : canonicalDomain(domain) }
}
