/**
 * What the old site asked of strangers, to `[checks]`: names, domains, and lists in DNS.
 */

import { isDomain, isIpAddress } from '../config/forms.ts'
import type { Draft } from './draft.ts'
import type { Source } from './report.ts'

export function carryCheck(draft: Draft, from: Source, check: 'helo' | 'reverse-name' | 'sender-domain' | 'recipient-callout', difference = ''): void {
  draft.set(from, `checks.${check}`, true, `for strangers on mx${difference}`)
}

/** `answers` are those that count; none for all. */
export function carryBlocklist(draft: Draft, from: Source, zone: string, answers: readonly string[]): void {
  const name = zone.replace(/\.$/, '').toLowerCase()
  if (!isDomain(name)) return draft.todo(from, 'Name the zone under checks.dns-blocklists: dns-blocklists = [{ zone = "…" }]')
  const bad = answers.find(answer => !isIpAddress(answer))
  if (bad !== undefined) return draft.todo(from, `${bad} is no answer that Postern can compare with: write { zone = "${name}", answers = [ADDRESSES] } under checks.dns-blocklists`)
  const words = draft.addBlocklist(from, name, answers) ? '' : ' (once is enough)'
  const only = answers.length === 0 ? '' : `, with ${answers.join(', ')}`
  draft.carried(from, `checks.dns-blocklists: ${name}${only}${words}; it refuses in Postern's words, and only while it answers`)
}
