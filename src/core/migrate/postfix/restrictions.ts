/**
 * The smtpd_*_restrictions, as far as they say who may relay and whom nobody wants.
 *
 * Postfix reads its lists in order until one member decides. Postern has no order: permissions are
 * lines of the access map, everything else is refused. So a member either gives such lines, or is what
 * Postern does anyway, or is reported.
 */

import type { SiteAuthority } from '../site-files.ts'
import { copyAuthorities } from '../certificates.ts'
import { addEntry } from '../access-file.ts'
import type { Source } from '../report.ts'
import { carryBlocklist, carryCheck } from '../site-checks.ts'
import { carryAccessTable } from './access-table.ts'
import type { AccessTable } from './access-table.ts'
import { listed } from './main-cf.ts'
import { carryNetworks } from './networks.ts'
import { ANYWAY, NOT_HERE } from './restriction-advice.ts'
import { untold } from './site.ts'
import type { PostfixSite } from './site.ts'
import { readTable } from './table.ts'

/** A list, and whether OK in it is a permission to relay. */
type RestrictionList = { readonly from: Source; readonly name: string; readonly members: readonly string[]; readonly permits: boolean }

const LISTS = [
  'smtpd_relay_restrictions',
  'smtpd_recipient_restrictions',
  'smtpd_client_restrictions',
  'smtpd_helo_restrictions',
  'smtpd_sender_restrictions',
  'smtpd_data_restrictions',
  'smtpd_end_of_data_restrictions',
  'smtpd_etrn_restrictions',
] as const

export function carryRestrictions(site: PostfixSite): void {
  const lists = listsOf(site)
  const permitsNetworks = lists.some(({ permits, members }) => permits && members.includes('permit_mynetworks'))
  if (permitsNetworks) carryNetworks(site)
  else site.spokenOf.add('mynetworks').add('mynetworks_style')
  for (const list of lists) for (const [index] of list.members.entries()) carryMember(site, list, index)
}

/** Both lists that know the recipient must agree; so the second one permits relaying only where the first is empty. */
function listsOf(site: PostfixSite): readonly RestrictionList[] {
  const { main } = site
  const deciding = main.value(LISTS[0]) === '' ? LISTS[1] : LISTS[0]
  return LISTS.flatMap(name => {
    site.spokenOf.add(name)
    const from = main.get(name) ?? untold(name)
    const members = listed(main.value(name))
    return [{ from, name, members, permits: name === deciding }]
  })
}

function carryMember(site: PostfixSite, list: RestrictionList, index: number): void {
  const { draft } = site
  const { members } = list
  const permits = list.permits && !isAfterReject(members, index)
  const member = members[index] ?? ''
  const before = members[index - 1] ?? ''
  // The argument of the word in front of it.
  if (takesArgument(before)) return
  const from = { ...list.from, text: `${member}${takesArgument(member) ? ` ${members[index + 1] ?? ''}` : ''} in ${list.name}` }
  const table = TABLES[member]
  if (table !== undefined) return carryAccessTable(site, from, members[index + 1] ?? '', { ...table, permits })
  if (member === 'permit_mynetworks') return permits ? draft.carried(from, 'access: Connect: lines for mynetworks') : draft.unneeded(from, 'Postern asks this of all clients alike')
  if (member === 'permit_sasl_authenticated' && !canLogIn(site)) return draft.unneeded(from, 'nobody could log in: smtpd_sasl_auth_enable is off')
  if (member === 'permit_tls_clientcerts') return carryFingerprints(site, from, permits)
  if (member === 'permit_tls_all_clientcerts') return carryAllCertificates(site, from, permits)
  const check = CHECKS.get(member)
  if (check !== undefined) return carryCheck(draft, from, ...check)
  if (member === 'reject_rbl_client') return carryListOfClients(site, from, members[index + 1] ?? '')
  const anyway = ANYWAY.get(member)
  if (anyway !== undefined) return draft.carried(from, anyway)
  draft.todo(from, NOT_HERE.get(member) ?? 'Postern has nothing that does this')
}

const NO_DOT = ': only the form of the name is looked at, and one without a dot passes'

// prettier-ignore
const CHECKS: ReadonlyMap<string, readonly [check: Parameters<typeof carryCheck>[2], difference?: string]> = new Map([
  ['reject_unknown_sender_domain',   ['sender-domain']],
  ['reject_unknown_client',          ['reverse-name']],
  ['reject_unknown_client_hostname', ['reverse-name']],
  ['reject_invalid_hostname',        ['helo']],
  ['reject_invalid_helo_hostname',   ['helo']],
  ['reject_non_fqdn_hostname',       ['helo', NO_DOT]],
  ['reject_non_fqdn_helo_hostname',  ['helo', NO_DOT]],
  ['reject_unverified_recipient',    ['recipient-callout']],
])

/** `list.example`, `list.example=127.0.0.2`, `list.example=127.0.0.[2;4..6]`. */
function carryListOfClients({ draft, main }: PostfixSite, from: Source, list: string): void {
  const [zone = '', filter] = main.expand(list).split('=')
  carryBlocklist(draft, from, zone, filter === undefined ? [] : answersIn(filter))
}

/** Each address that a filter stands for, where only its last number varies; else the filter itself. */
function answersIn(filter: string): readonly string[] {
  const [, before, choices] = /^([\d.]+\.)\[([\d;.]+)\]$/.exec(filter) ?? []
  if (before === undefined || choices === undefined) return [filter]
  return choices.split(';').flatMap(choice => {
    const [from = '', to = from] = choice.split('..')
    const last = Math.min(Number(to), 255)
    return Array.from({ length: Math.max(0, last - Number(from) + 1) }, (_, step) => `${before}${Number(from) + step}`)
  })
}

function canLogIn({ main, services }: PostfixSite): boolean {
  return main.value('smtpd_sasl_auth_enable') === 'yes' || services.some(({ overrides }) => overrides.get('smtpd_sasl_auth_enable') === 'yes')
}

/** Once a list has refused what is not for us, an OK in it permits no relaying. */
function isAfterReject(members: readonly string[], index: number): boolean {
  return members.slice(0, index).some(member => /^(?:reject|defer)_unauth_destination$/.test(member))
}

const TABLES: { readonly [member: string]: Pick<AccessTable, 'tag'> } = {
  check_client_access: { tag: 'Connect' },
  check_sender_access: { tag: 'From' },
  check_recipient_access: { tag: 'To' },
}

function takesArgument(member: string): boolean {
  return /^(?:check_\w+_access|check_policy_service|(?:reject|permit)_(?:rbl|rhsbl|dnswl|rhswl)_\w+|reject_rhsbl_\w+|sleep)$/.test(member)
}

/** relay_clientcerts: certificates, or keys, by their fingerprints. */
function carryFingerprints(site: PostfixSite, from: Source, permits: boolean): void {
  const { main, draft, files, access } = site
  const parameter = main.get('relay_clientcerts')
  site.spokenOf.add('relay_clientcerts').add('smtpd_tls_fingerprint_digest')
  if (!permits || parameter === null) return draft.unneeded(from, 'it permits nothing here')
  draft.carried(from, 'access: CERTFP: lines for relay_clientcerts')
  for (const reference of listed(parameter.value)) {
    const table = readTable(files, reference)
    if (table.kind !== 'entries') {
      draft.todo(parameter, table.kind === 'missing' ? `${table.path} is not here: copy it into this folder and migrate again` : `Postern looks up no ${table.type} tables: write a CERTFP: line for each certificate`)
      continue
    }
    draft.carried(parameter, `the lines of ${table.entries[0]?.file ?? reference}, each by itself`)
    for (const entry of table.entries) {
      const hex = entry.key.replaceAll(':', '').toLowerCase()
      if (/^[0-9a-f]{64}$/.test(hex)) addEntry(draft, access, entry, `CERTFP:${hex}`, 'RELAY')
      else draft.todo(entry, `${hex.length === 32 ? 'an MD5' : hex.length === 40 ? 'a SHA-1' : 'another'} fingerprint: Postern compares SHA-256. "postern dn FILE" prints that of a certificate, for a line CERTFP:FINGERPRINT RELAY`)
    }
  }
  const authorities = clientAuthorities(site)
  copyAuthorities(draft, authorities)
  draft.todo(parameter, `Postern counts a certificate only if its CA counts on the listener (client-ca${authorities.length === 0 ? ', which is empty' : `: ${authorities.map(({ subject }) => subject).join(', ')}`}): self-signed ones need a new certificate ("postern user add NAME --email ADDRESS")`)
}

function carryAllCertificates(site: PostfixSite, from: Source, permits: boolean): void {
  const { draft, access } = site
  if (!permits) return draft.unneeded(from, 'it permits nothing here')
  const authorities = clientAuthorities(site)
  if (authorities.length === 0) return draft.todo(from, 'No CA certificate is here in smtpd_tls_CAfile, or too many for anybody to mean them all: add the PEM of yours to client-ca, and a CERTISSUER: line that "postern dn FILE" prints')
  copyAuthorities(draft, authorities)
  for (const { subject } of authorities) addEntry(draft, access, from, `CERTISSUER:${subject}`, 'RELAY')
}

/** A bundle of public CAs vouches for half of the world: nobody relays because of it. */
const MOST_AUTHORITIES = 20

function clientAuthorities(site: PostfixSite): readonly SiteAuthority[] {
  const { main, files } = site
  const options = [main.get('smtpd_tls_CAfile'), main.get('smtpd_tls_CApath')].filter(option => option !== null)
  const all = options.flatMap(({ value }) => files.authorities(value).counting)
  const distinct = all.filter(({ subject }, index) => all.findIndex(other => other.subject === subject) === index)
  return distinct.length > MOST_AUTHORITIES ? [] : distinct
}
