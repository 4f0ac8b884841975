/**
 * What a site may ask of strangers at `mx`, each check on or off by a line: `[checks]` of postern.toml.
 *
 * Asked at MAIL, and of the next hop at RCPT (recipient-callout.ts), when everybody has had the chance to
 * prove an identity: whoever has, and whoever a `Connect:` line welcomes, is asked none of it. What cannot be looked up now is no fault of the
 * client's, and passes.
 */

import { addressGroups, accessAddress } from './client-address.ts'
import { connectEntry, refusalWithoutName } from './connection.ts'
import { CLIENT_NAME_MISSING, because, note, noteSetting } from './finding.ts'
import type { Finding } from './finding.ts'
import { parseAccessValue } from './access-value.ts'
import { identityThatCounts } from './login.ts'
import type { Inquiry } from './lookups.ts'
import { badHelloName, blocklisted, reverseName, senderTakesNoMail } from './refusals.ts'
import { parseAddress } from '../names/address.ts'
import { refusalOfDomain } from './sender.ts'

export type SiteChecks = {
  /** Ask the next hop whether a recipient exists; what becomes of those of whom it does not say. */
  readonly recipientCallout: 'off' | 'defer' | 'accept'
  readonly reverseName: boolean
  readonly hello: boolean
  readonly senderDomain: boolean
  /** DNS zones, in the order in which they are named to a client that is in several. */
  readonly blocklists: readonly { readonly zone: string; readonly answers: readonly string[] }[]
}

export const NO_CHECKS: SiteChecks = { recipientCallout: 'off', reverseName: false, hello: false, senderDomain: false, blocklists: [] }

/** Nothing is asked of anybody. */
export function isOff({ recipientCallout, reverseName, hello, senderDomain, blocklists }: SiteChecks): boolean {
  return recipientCallout === 'off' && !reverseName && !hello && !senderDomain && blocklists.length === 0
}

/** Null if there is nothing against this stranger, or it is none. `speaksForSender`: a `From:` line does. */
export function checkStranger(inquiry: Inquiry, reversePath: string, speaksForSender: boolean): Finding | null {
  const { checks } = inquiry.policy
  if (checks === NO_CHECKS) return null
  const stranger = isStranger(inquiry)
  if (stranger === null) return CLIENT_NAME_MISSING
  if (!stranger) return null
  return (
    (checks.hello ? checkHello(inquiry) : null) ??
    (checks.reverseName ? checkName(inquiry) : null) ??
    (checks.senderDomain && !speaksForSender ? checkDomain(inquiry, reversePath) : null) ??
    checkBlocklists(inquiry)
  )
}

/** At `mx`, without a proof that counts and without a line that welcomes it; null while its name is missing. */
export function isStranger(inquiry: Inquiry): boolean | null {
  if (inquiry.asker.listener !== 'mx' || identityThatCounts(inquiry).kind === 'verified' || inquiry.asker.authentication !== null) return false
  const welcome = isWelcome(inquiry)
  return welcome === null ? null : !welcome
}

/** A line says OK or RELAY for it; null while its name is missing. */
function isWelcome(inquiry: Inquiry): boolean | null {
  const entry = connectEntry(inquiry)
  if (entry === 'missing') return null
  return entry !== null && ['ok', 'relay'].includes(parseAccessValue(entry.value).kind)
}

/**
 * RFC 5321 §4.1.1.1: a domain name or an address literal. Only its form is looked at: §4.1.4 forbids to
 * refuse a client because its name could not be verified.
 */
function checkHello(inquiry: Inquiry): Finding | null {
  const { hello } = inquiry.asker
  // A trial has said no HELO at all.
  if (hello === '' || isHelloName(hello)) return null
  noteSetting(inquiry, 'checks.helo', 'true')
  return because(inquiry, 'badHello', 'the client has given no domain and no address literal after HELO', { kind: 'refuse', reply: badHelloName })
}

/** Underscores are no part of a host name, and many hosts have them; they do no harm. */
export function isHelloName(text: string): boolean {
  const [, literal] = /^\[(?:IPv6:)?([0-9a-f:.]+)\]$/i.exec(text) ?? []
  if (literal !== undefined) return addressGroups(literal) !== null
  return text.length <= 255 && text.split('.').every(label => LABEL.test(label)) && !/(?:^|\.)\d+$/.test(text)
}

const LABEL = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_-]{0,61}[\p{L}\p{M}\p{N}_])?$/u

function checkName(inquiry: Inquiry): Finding | null {
  const { name } = inquiry.asker.host
  if (name === null) return CLIENT_NAME_MISSING
  noteSetting(inquiry, 'checks.reverse-name', 'true')
  return refusalWithoutName(inquiry, name, reverseName)
}

function checkDomain(inquiry: Inquiry, reversePath: string): Finding | null {
  const parsed = parseAddress(reversePath)
  const domain = parsed.ok ? parsed.value.domain : null
  if (domain === null || domain.startsWith('[') || domain === inquiry.policy.hostname) return null
  noteSetting(inquiry, 'checks.sender-domain', 'true')
  if (inquiry.facts.domainExists.get(domain) === 'nullMx') {
    return because(inquiry, 'senderTakesNoMail', `${domain} says by a null MX that it takes no mail`, { kind: 'refuse', reply: senderTakesNoMail })
  }
  const finding = refusalOfDomain(inquiry, domain)
  return finding.kind === 'accept' ? null : finding
}

/** RFC 5782 §2.1. All zones are asked at once; the first in the settings' order that has the address refuses it. */
function checkBlocklists(inquiry: Inquiry): Finding | null {
  const { checks } = inquiry.policy
  if (checks.blocklists.length === 0) return null
  const { listings } = inquiry.facts
  if (listings === undefined) return { kind: 'missing', missing: { kind: 'listings', zones: checks.blocklists.map(({ zone }) => zone) } }
  for (const { zone, answers } of checks.blocklists) {
    const found = listings.get(zone) ?? 'unknown'
    if (found === 'unknown') {
      note(inquiry, `${zone} cannot be asked now, and so says nothing`)
      continue
    }
    const counted = found.filter(answer => isListing(answer, answers))
    if (counted.length === 0) continue
    noteSetting(inquiry, 'checks.dns-blocklists', zone)
    const text = `${accessAddress(inquiry.asker.host.address)} is listed at ${zone} (${counted.join(', ')})`
    return because(inquiry, 'blocklisted', text, { kind: 'refuse', reply: blocklisted(zone) })
  }
  return null
}

/**
 * Answers are addresses in 127.0.0.0/8. Others come from a zone that is no list any more, and those in
 * 127.255.255.0/24 say that the question was refused.
 */
function isListing(answer: string, wanted: readonly string[]): boolean {
  if (!answer.startsWith('127.') || answer.startsWith('127.255.255.')) return false
  return wanted.length === 0 || wanted.includes(answer)
}
