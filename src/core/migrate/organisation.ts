/**
 * Whose relay it is: the domain in the names of the new authority, and where postmaster reads mail.
 *
 * The domains that the old site relayed for are no answer: the first of them is often a branch's, or
 * a customer's.
 */

import { isDomain } from '../config/forms.ts'
import type { Draft } from './draft.ts'
import type { Source } from './report.ts'

export type OwnDomain = { readonly from: Source; readonly domain: string }

export type SiteNames = {
  readonly hostname: string
  /** What was asked for. */
  readonly asked: string | null
  /** What the site's mail is to look as if it came from. */
  readonly masquerade: OwnDomain | null
  /** Domains whose mail was delivered on the old host itself. */
  readonly local: readonly OwnDomain[]
}

export function carryOrganisation(draft: Draft, names: SiteNames): string {
  const { hostname, asked } = names
  const own = ownDomains(names)
  const { from, domain } = asked === null ? own[0] ?? { from: nowhere(`the name of the host, ${hostname}`), domain: hostname } : { from: nowhere('asked for'), domain: asked }
  draft.carried(from, `the new authority is named for ${domain}${asked === null ? '; --organisation says another' : ''}`)
  sendPostmasterTo(draft, [domain, ...own.map(({ domain }) => domain), hostname])
  return domain
}

/** The best claim first: `hub.example.org` is of `example.org`, above all where that is a local domain. */
function ownDomains({ hostname, masquerade, local }: SiteNames): readonly OwnDomain[] {
  const above = hostname.slice(hostname.indexOf('.') + 1)
  const ofHost = { from: nowhere(`the domain of ${hostname}`), domain: above.includes('.') ? above : hostname }
  const around = local.filter(({ domain }) => hostname.endsWith(`.${folded(domain)}`))
  const claims = [...(masquerade === null ? [] : [masquerade]), ...around, ofHost, ...local]
  return claims.map(claim => ({ ...claim, domain: folded(claim.domain) })).filter(({ domain }) => domain.includes('.') && isDomain(domain) && !domain.startsWith('localhost.'))
}

function folded(domain: string): string {
  return domain.replace(/\.$/, '').toLowerCase()
}

/** RFC 5321 §4.5.1: plain `<postmaster>` goes where mail for the first of `relay.domains` goes. */
function sendPostmasterTo(draft: Draft, own: readonly string[]): void {
  const first = own.find(domain => draft.hasDomain(domain))
  const [listed] = draft.domains
  if (first !== undefined) draft.putDomainFirst(first)
  else if (listed !== undefined) draft.todo(nowhere('mail for postmaster'), `It goes where mail for ${listed} goes, the first of relay.domains. Put the domain first whose postmaster should read it`)
}

function nowhere(text: string): Source {
  return { file: '', line: 0, text }
}
