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
import { formatPlace, shown } from '../report.ts'
import type { Source } from '../report.ts'
import { routeTo } from './next-hops.ts'
import type { RouteTo } from './next-hops.ts'
import { featureNamed, statementsOf, untold, variableNamed, wordsNamed } from './site.ts'
import type { SendmailSite } from './site.ts'

type Member = { readonly from: Source; readonly member: string }

/** Returns the domains of class w: those of the host itself. */
export function carryDomains(site: SendmailSite, hostname: string): readonly OwnDomain[] {
  const hub = mailboxHub(site)
  const hasFile = featureNamed(site, 'use_cw_file') !== null
  const localFile = { from: variableNamed(site, 'confCW_FILE'), usual: '/etc/mail/local-host-names', isOptional: false }
  const listed = membersOf(site, 'w', hasFile ? localFile : null)
  const itself = { from: untold(`${hostname}, the host itself`), member: hostname }
  const local = [...[itself, ...listed].map(member => ({ ...member, was: LOCAL })), ...membersOf(site, 'VirtHost', null).map(member => ({ ...member, was: VIRTUAL }))]
  const homeless = new Set(hub === null ? local.flatMap(({ member }) => localDomain(member) ?? []).filter(domain => !site.draft.hasRoute(domain)) : [])
  carryRelayDomains(site, hostname, homeless)
  for (const { from, member, was } of local) carryLocalDomain(site, { from, member, hub, was })
  return listed.map(({ from, member }) => ({ from, domain: member }))
}

/** Class R, without local domains that nobody has mailboxes for: their mail would go to the smarthost, and come back. */
function carryRelayDomains(site: SendmailSite, hostname: string, homeless: ReadonlySet<string>): void {
  const { draft } = site
  const file = { from: variableNamed(site, 'confCR_FILE'), usual: '/etc/mail/relay-domains', isOptional: true }
  const entire = featureNamed(site, 'relay_entire_domain')
  const own = entire === null ? [] : [{ from: entire, member: hostname.slice(hostname.indexOf('.') + 1) }]
  const members = [...membersOf(site, 'R', file), ...own]
  for (const { from, member } of members) {
    if (homeless.has(folded(member))) draft.todo(from, 'It is a local domain, too, and no server for its mailboxes is known: mail for it would go where all other mail goes, and come back from there. So it is not in relay.domains')
    else carryRelayDomain(site, from, member)
  }
  keepDomainsBelow(site, homeless, members)
}

/** What refuses a domain refuses the hosts below it. Those that are known by themselves are taken as before. */
function keepDomainsBelow(site: SendmailSite, homeless: ReadonlySet<string>, members: readonly Member[]): void {
  const { draft, access } = site
  const isBelow = (name: string, domains: readonly string[]): boolean => domains.some(domain => name.endsWith(`.${domain}`))
  const leftOut = members.map(({ member }) => folded(member)).filter(domain => homeless.has(domain))
  for (const [name, from] of draft.namedDomains()) {
    if (homeless.has(name) || !isBelow(name, [...homeless])) continue
    if (isBelow(name, leftOut) && featureNamed(site, 'relay_hosts_only') === null && !draft.hasDomain(name)) {
      draft.addDomain(from, name)
      draft.carried(from, `relay.domains: ${name}`)
    }
    if (access.map.find(`to:${name}`) === null) addEntry(draft, access, from, `To:${name}`, 'OK')
  }
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

const LOCAL = 'Mail for this domain was delivered on the host itself, and Postern has no mailboxes in this version'
const VIRTUAL = 'The virtusertable of this domain was applied on the host itself, and Postern rewrites no recipients in this version'

type LocalMember = Member & { readonly hub: Hub | null; /** How its mail was delivered. */ readonly was: string }

function carryLocalDomain(site: SendmailSite, { from, member, hub, was }: LocalMember): void {
  const { draft } = site
  const name = folded(member)
  if (isOfTheHost(name)) {
    if (from.line > 0) draft.unneeded(from, 'names of the host itself mean nothing to a relay')
    return
  }
  const domain = localDomain(member)
  if (domain === null) return draft.unneeded(from, 'a name without a dot reaches no relay from outside')
  if (hub === null && !draft.hasRoute(domain)) return refuseLocalDomain(site, from, domain, was)
  draft.addDomain(from, domain)
  if (draft.hasRoute(domain)) return draft.carried(from, `relay.domains: ${domain}, which has a [[route]]`)
  if (hub === null) return
  draft.addRoute(from, domain, hub.settings)
  draft.carried(from, `relay.domains: ${domain}; [[route]] to ${String(hub.settings['to'])}`)
}

/** Refused to everybody: clients that may relay would have it sent in a circle, too. */
function refuseLocalDomain({ draft, access }: SendmailSite, from: Source, domain: string, was: string): void {
  const before = access.map.find(`to:${domain}`)
  if (before === null) draft.addEntry(from, `To:${domain}`, NO_MAILBOXES)
  const meanwhile = before === null ? 'so a To: line in access refuses it, and hosts below it that no other line is for' : `and ${formatPlace(before)} says "${shown(`${before.key} ${before.value}`)}": let it refuse the domain until then`
  draft.todo(from, `${was}, ${meanwhile}. Migrate again with --mailboxes HOST:PORT, the server that has them (sendmail on another port will do); or write a [[route]], add the domain to relay.domains and take out the To: line`)
}

/** RFC 3463 §3.2: the destination system is what is wrong. */
const NO_MAILBOXES = 'ERROR:5.1.2:550 No mail is taken for this domain here'

/** Null for what is no domain that mail from outside can be for. */
function localDomain(member: string): string | null {
  const name = folded(member)
  return isOfTheHost(name) || !name.includes('.') || !isDomain(name) ? null : name
}

function isOfTheHost(name: string): boolean {
  return /^localhost(?:\.|$)/.test(name) || name.startsWith('[') || name === '$j'
}

function folded(member: string): string {
  return member.replace(/\.$/, '').toLowerCase()
}

type Hub = Extract<RouteTo, { kind: 'host' }>

/** The server with the mailboxes: as asked for, or MAIL_HUB, or LOCAL_RELAY without stickyhost, or the hub of a null client. */
function mailboxHub(site: SendmailSite): Hub | null {
  const { draft, mailboxes } = site
  if (mailboxes !== null) return { kind: 'host', settings: { to: mailboxes }, words: mailboxes, doubt: null }
  const relay = featureNamed(site, 'stickyhost') === null ? variableNamed(site, 'LOCAL_RELAY') : null
  const nullClient = featureNamed(site, 'nullclient')
  const from = variableNamed(site, 'MAIL_HUB') ?? relay ?? nullClient
  if (from === null) return null
  const route = routeTo(site, from.kind === 'feature' ? (from.args[0] ?? '') : from.value, 'relay')
  if (route.kind === 'none') {
    // As the next hop for everything else it was spoken of already.
    if (from.kind !== 'feature') draft.todo(from, route.why)
    return null
  }
  draft.carried(from, `[[route]] of each local domain to ${route.words}`)
  if (route.doubt !== null) draft.todo(from, route.doubt)
  return route
}
