/**
 * The recipients that exist, as a file lists them: `joe@example.org`, or `@example.org` for all of a domain.
 *
 * The list speaks for the domains that it names and says nothing about others. Better a refusal at RCPT
 * than a bounce to a sender that was forged.
 */

import { parseAddress } from '../names/address.ts'
import type { Address } from '../names/address.ts'
import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { because, noteSetting } from './finding.ts'
import type { Finding } from './finding.ts'
import type { Inquiry } from './lookups.ts'
import { userUnknown } from './refusals.ts'

export type RecipientList = {
  readonly domains: ReadonlySet<string>
  /** In lower case; a domain of which all exist is there as `@example.org`. */
  readonly members: ReadonlySet<string>
}

/** One on a line; `#` first on a line is a comment. The problems are lines that are no address. */
export function parseRecipientList(text: string): Result<RecipientList, readonly { readonly line: number; readonly text: string }[]> {
  const domains = new Set<string>()
  const members = new Set<string>()
  const problems: { readonly line: number; readonly text: string }[] = []
  for (const [index, whole] of text.split('\n').entries()) {
    const written = whole.trim()
    if (written === '' || written.startsWith('#')) continue
    const address = parseAddress(written.startsWith('@') ? `all${written}` : written)
    const domain = address.ok ? address.value.domain : null
    if (!address.ok || domain === null) {
      problems.push({ line: index + 1, text: written })
      continue
    }
    domains.add(domain)
    members.add(written.startsWith('@') ? `@${domain}` : memberOf(address.value.localPart, domain))
  }
  return problems.length > 0 ? fail(problems) : ok({ domains, members })
}

/** Null if the recipient exists, or nobody knows. RFC 5321 §4.5.1: there always is a postmaster. */
export function checkRecipientExists(inquiry: Inquiry, { localPart, domain }: Address): Finding | null {
  const list = inquiry.policy.recipients
  if (list === null || domain === null || !list.domains.has(domain)) return null
  const [user = ''] = localPart.split('+')
  const isKnown = [`@${domain}`, memberOf(localPart, domain), memberOf(user, domain)].some(member => list.members.has(member))
  if (isKnown || localPart.toLowerCase() === 'postmaster') return null
  noteSetting(inquiry, 'checks.recipients', 'a list')
  return because(inquiry, 'recipientUnknown', `the list of recipients has others at ${domain}, and not this one`, { kind: 'refuse', reply: userUnknown })
}

/** Deviates: RFC 5321 §2.4 leaves the case of a local part to its host; whoever writes such a list means no two by it. */
function memberOf(localPart: string, domain: string): string {
  return `${localPart.toLowerCase()}@${domain}`
}
