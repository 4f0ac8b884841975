/**
 * Classes w and R: which domains are ours, and which networks may relay.
 *
 * Mail for a domain of class w was delivered on the old host itself. Postern has no mailboxes, so such
 * a domain is taken only if somebody says which server has them: mail that cannot be delivered is
 * better refused at once than accepted and bounced.
 */

import { isDomain } from '../../config/forms.ts'
import { addEntry } from '../access-file.ts'
import { listedNames } from '../list-file.ts'
import type { OwnDomain } from '../organisation.ts'
import type { Source } from '../report.ts'
import { routeTo } from './next-hops.ts'
import type { RouteTo } from './next-hops.ts'
import { featureNamed, statementsOf, untold, variableNamed, wordsNamed } from './site.ts'
import type { SendmailSite } from './site.ts'

type Member = { readonly from: Source; readonly member: string }

/** Returns the domains of class w: those of the host itself. */
export function carryDomains(site: SendmailSite, hostname: string): readonly OwnDomain[] {
  const relayFile = { from: variableNamed(site, 'confCR_FILE'), usual: '/etc/mail/relay-domains', isOptional: true }
  for (const { from, member } of membersOf(site, 'R', relayFile)) carryRelayDomain(site, from, member)
  const entire = featureNamed(site, 'relay_entire_domain')
  if (entire !== null) carryRelayDomain(site, entire, hostname.slice(hostname.indexOf('.') + 1))
  const hub = mailboxHub(site)
  const hasFile = featureNamed(site, 'use_cw_file') !== null
  const localFile = { from: variableNamed(site, 'confCW_FILE'), usual: '/etc/mail/local-host-names', isOptional: false }
  const listed = membersOf(site, 'w', hasFile ? localFile : null)
  const itself = { from: untold(`${hostname}, the host itself`), member: hostname }
  for (const { from, member } of [itself, ...listed]) carryLocalDomain(site, from, member, hub, LOCAL)
  for (const { from, member } of membersOf(site, 'VirtHost', null)) carryLocalDomain(site, from, member, hub, VIRTUAL)
  return listed.map(({ from, member }) => ({ from, domain: member }))
}

/** MASQUERADE_AS; null without, or where it is made of macros. */
export function masqueradeOf(site: SendmailSite): OwnDomain | null {
  const from = wordsNamed(site, 'MASQUERADE_AS').at(-1)
  return from === undefined ? null : { from, domain: (from.args[0] ?? '').trim() }
}

/** A file that is read without a line that names it, unless a variable says where it is. */
type ImpliedFile = { readonly from: (Source & { readonly value: string }) | null; readonly usual: string; readonly isOptional: boolean }

/** Written in the configuration, and in files. */
function membersOf(site: SendmailSite, name: string, implied: ImpliedFile | null): readonly Member[] {
  const written = statementsOf(site, 'class').filter(statement => statement.name === name)
  const named = statementsOf(site, 'classFile').filter(statement => statement.name === name)
  const impliedPath = implied === null ? null : cleanPath(implied.from?.value ?? implied.usual)
  const isNamed = named.some(({ path }) => cleanPath(path) === impliedPath)
  return [
    ...written.flatMap(from => from.members.map(member => ({ from: from.members.length === 1 ? from : { ...from, text: `${member} of ${from.text}` }, member }))),
    ...named.flatMap(from => membersIn(site, from.path, from, from.isOptional)),
    ...(implied === null || impliedPath === null || isNamed ? [] : membersIn(site, impliedPath, implied.from, implied.isOptional)),
  ]
}

function membersIn({ draft, files }: SendmailSite, path: string, from: Source | null, mayBeMissing: boolean): readonly Member[] {
  const clean = cleanPath(path)
  const found = files.read(clean)
  if (found !== null) {
    if (from !== null) draft.carried(from, `the names in ${found.name} below`)
    return listedNames(found).map(listed => ({ from: listed, member: listed.member }))
  }
  if (!mayBeMissing) draft.todo(from ?? untold(clean), `${clean} is not here: copy it into this folder and migrate again, or what it lists is missing from the result`)
  else if (from !== null) draft.unneeded(from, `${clean} does not exist, and need not`)
  return []
}

/** `-o /etc/mail/relay-domains %[^\#]` */
function cleanPath(path: string): string {
  return path.replace(/^-o\s*/, '').split(/\s+/)[0] ?? path
}

function carryRelayDomain(site: SendmailSite, from: Source, member: string): void {
  const { draft, access } = site
  const network = /^\[?(?:(\d{1,3}(?:\.\d{1,3}){0,3})|(IPv6:[0-9a-f:]+))\]?$/i.exec(member)
  if (network !== null) return addEntry(draft, access, from, `Connect:${network[1] ?? network[2] ?? ''}`, 'RELAY')
  const domain = member.replace(/\.$/, '')
  if (!isDomain(domain)) return draft.todo(from, `${member} is no domain and no network: it never matched`)
  draft.addDomain(from, domain)
  const below = featureNamed(site, 'relay_hosts_only') === null ? ', and hosts below it' : ''
  draft.carried(from, `relay.domains: ${domain}${below}`)
}

const LOCAL = 'Mail for this domain was delivered on the host itself. Postern has no mailboxes in this version, so it refuses mail for it: migrate again with --mailboxes HOST:PORT, the server that has them (sendmail on another port will do), or write a [[route]] and add the domain to relay.domains'
const VIRTUAL = 'The virtusertable of this domain was applied on the host itself. Postern rewrites no recipients in this version: migrate again with --mailboxes HOST:PORT, the server that will do it (sendmail on another port will do), or write a [[route]] and add the domain to relay.domains'

function carryLocalDomain(site: SendmailSite, from: Source, member: string, hub: Hub | null, advice: string): void {
  const { draft } = site
  const domain = member.replace(/\.$/, '').toLowerCase()
  if (/^localhost(?:\.|$)/.test(domain) || domain.startsWith('[') || domain === '$j') {
    if (from.line > 0) draft.unneeded(from, 'names of the host itself mean nothing to a relay')
    return
  }
  if (!domain.includes('.') || !isDomain(domain)) return draft.unneeded(from, 'a name without a dot reaches no relay from outside')
  if (hub === null && !draft.hasRoute(domain)) return draft.todo(from, advice)
  draft.addDomain(from, domain)
  if (draft.hasRoute(domain)) return draft.carried(from, `relay.domains: ${domain}, which has a [[route]]`)
  if (hub === null) return
  draft.addRoute(from, domain, hub.settings)
  draft.carried(from, `relay.domains: ${domain}; [[route]] to ${String(hub.settings['to'])}`)
}

type Hub = Extract<RouteTo, { kind: 'host' }>

/** The server with the mailboxes: as asked for, or MAIL_HUB, or LOCAL_RELAY without stickyhost, or the hub of a null client. */
function mailboxHub(site: SendmailSite): Hub | null {
  const { draft, mailboxes } = site
  if (mailboxes !== null) return { kind: 'host', settings: { to: mailboxes }, words: mailboxes }
  const relay = featureNamed(site, 'stickyhost') === null ? variableNamed(site, 'LOCAL_RELAY') : null
  const nullClient = featureNamed(site, 'nullclient')
  const from = variableNamed(site, 'MAIL_HUB') ?? relay ?? nullClient
  if (from === null) return null
  const route = routeTo(site, from.kind === 'feature' ? (from.args[0] ?? '') : from.value, 'relay')
  if (route.kind === 'none') {
    draft.todo(from, route.why)
    return null
  }
  draft.carried(from, `[[route]] of each local domain to ${route.words}`)
  return route
}
