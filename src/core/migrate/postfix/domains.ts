/**
 * relay_domains, mydestination and the virtual domains: for which recipients mail is taken.
 */

import { isDomain } from '../../config/forms.ts'
import { listedNames } from '../list-file.ts'
import type { OwnDomain } from '../organisation.ts'
import type { Source } from '../report.ts'
import { listed } from './main-cf.ts'
import { untold } from './site.ts'
import type { PostfixSite } from './site.ts'
import { isTable, readTable } from './table.ts'

/** Returns the domains of the host itself. */
export function carryDomains(site: PostfixSite): readonly OwnDomain[] {
  const { draft } = site
  for (const { from, domain } of membersOf(site, 'relay_domains')) {
    draft.addDomain(from, domain)
    draft.carried(from, `relay.domains: ${domain}, and hosts below it`)
  }
  return LOCAL_DOMAINS.flatMap(([parameter, advice]) => {
    const members = membersOf(site, parameter)
    for (const { from, domain } of members) carryLocal(site, from, domain, advice)
    return members
  })
}

/** What local users' mail comes from, or the domain of the site. Null where main.cf leaves both to the host's name. */
export function originOf({ main }: PostfixSite): OwnDomain | null {
  const origin = main.get('myorigin')
  const from = origin !== null && origin.value !== main.value('myhostname') && !origin.value.startsWith('/') ? origin : main.get('mydomain')
  return from === null ? null : { from, domain: from.value }
}

const WAY_OUT = 'migrate again with --mailboxes HOST:PORT, the server that will do it (Postfix on another port will do), or write a [[route]] and add the domain to relay.domains'

const LOCAL_DOMAINS: readonly (readonly [parameter: string, advice: string])[] = [
  ['mydestination', `Mail for this domain was delivered on the host itself. Postern has no mailboxes in this version, so it refuses mail for it: ${WAY_OUT}`],
  ['virtual_mailbox_domains', `Mail for this domain was delivered on the host itself. Postern has no mailboxes in this version, so it refuses mail for it: ${WAY_OUT}`],
  ['virtual_alias_domains', `The addresses of this domain were rewritten on the host itself. Postern rewrites no recipients in this version: ${WAY_OUT}`],
]

function carryLocal({ draft, mailboxes }: PostfixSite, from: Source, domain: string, advice: string): void {
  if (/^localhost(?:\.|$)/.test(domain) || !domain.includes('.')) return draft.unneeded({ ...from, text: `${domain} in ${from.text}` }, 'names of the host itself mean nothing to a relay')
  const text = from.text.includes(domain) || from.line === 0 ? from.text : `${domain} in ${from.text}`
  if (mailboxes === null && !draft.hasRoute(domain)) return draft.todo({ ...from, text }, advice)
  draft.addDomain(from, domain)
  if (!draft.hasRoute(domain)) draft.addRoute(from, domain, { to: mailboxes ?? '' })
  draft.carried({ ...from, text }, `relay.domains: ${domain}; [[route]]${mailboxes === null ? ' of its own' : ` to ${mailboxes}`}`)
}

function membersOf(site: PostfixSite, name: string): readonly OwnDomain[] {
  const { main, draft } = site
  site.spokenOf.add(name)
  const parameter = main.get(name)
  if (parameter === null && (name !== 'mydestination' || main.parameters.some(other => other.name === name))) return []
  const from = parameter ?? untold(`mydestination = ${main.value('mydestination')}`)
  return listed(parameter?.value ?? main.value(name)).flatMap(member => expandMember(site, from, member)).flatMap(({ from, domain }) => {
    if (isDomain(domain)) return [{ from, domain: domain.toLowerCase() }]
    draft.todo(from, `${domain} is no domain that Postern takes`)
    return []
  })
}

/** A table counts by its keys, a file by its lines. */
function expandMember({ files, draft }: PostfixSite, from: Source, member: string): readonly OwnDomain[] {
  if (isTable(member)) {
    const table = readTable(files, member)
    if (table.kind === 'entries') return table.entries.filter(({ key }) => !key.includes('@')).map(entry => ({ from: entry, domain: entry.key }))
    draft.todo(from, table.kind === 'missing' ? `${table.path} is not here: copy it into this folder and migrate again` : `Postern looks up no ${table.type} tables: list the domains`)
    return []
  }
  if (!member.startsWith('/')) return [{ from, domain: member }]
  const found = files.read(member)
  if (found !== null) return listedNames(found).map(name => ({ from: name, domain: name.member }))
  draft.todo(from, `${member} is not here: copy it into this folder and migrate again`)
  return []
}
