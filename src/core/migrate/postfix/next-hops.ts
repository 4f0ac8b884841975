/**
 * relayhost, transport_maps, and the TLS that Postfix wants of next hops.
 */

import { isIpAddress } from '../../config/forms.ts'
import { addEntry } from '../access-file.ts'
import type { SettingValue } from '../draft.ts'
import type { Source } from '../report.ts'
import { listed } from './main-cf.ts'
import type { PostfixSite } from './site.ts'
import { readTable } from './table.ts'
import type { TableEntry } from './table.ts'

type Hop = { readonly to: string; readonly note: string }

export function carryNextHops(site: PostfixSite): void {
  const { main, draft } = site
  const relayHost = main.get('relayhost')
  for (const name of ['relayhost', 'transport_maps', 'smtp_tls_wrappermode', 'smtp_tls_policy_maps']) site.spokenOf.add(name)
  if (relayHost !== null) {
    const hop = hopOf(relayHost.value)
    if (hop === null) draft.todo(relayHost, 'the next hop must be one host with a fixed name: set delivery.smarthost')
    else draft.set(relayHost, 'delivery.smarthost', hop.to, hop.note)
  }
  const wrapper = main.get('smtp_tls_wrappermode')
  if (wrapper?.value === 'yes' && relayHost !== null) draft.set(wrapper, 'delivery.implicit-tls', true)
  else if (wrapper !== null) draft.unneeded(wrapper, 'STARTTLS, as Postern does by itself')
  const transports = main.get('transport_maps')
  if (transports !== null) for (const member of listed(transports.value)) carryTransports(site, transports, member)
  const policies = main.get('smtp_tls_policy_maps')
  if (policies !== null) for (const member of listed(policies.value)) carryPolicies(site, policies, member)
}

function carryTransports(site: PostfixSite, from: Source, reference: string): void {
  const { draft, files } = site
  const table = readTable(files, reference)
  if (table.kind === 'missing') return draft.todo(from, `${table.path} is not here: copy it into this folder and migrate again, or write its routes as [[route]]`)
  if (table.kind === 'unreadable') return draft.todo(from, `Postern looks up no ${table.type} tables: write a [[route]] for each domain`)
  draft.carried(from, `the lines of ${table.entries[0]?.file ?? reference}, each by itself`)
  for (const entry of table.entries) carryTransport(site, entry)
}

function carryTransport({ draft, access }: PostfixSite, entry: TableEntry): void {
  const [, transport = '', nexthop = ''] = /^([^:]*):(.*)$/.exec(entry.value) ?? []
  const answer = answerOf(transport, nexthop)
  if (answer !== null) {
    if (/^[.*]/.test(entry.key)) return draft.todo(entry, 'Postern answers for recipients by To: lines in the access map: write one for each domain')
    return addEntry(draft, access, entry, `To:${entry.key}`, answer)
  }
  const isSmtp = transport === '' || transport === 'smtp' || transport === 'relay'
  if (entry.key.includes('@')) return draft.todo(entry, 'Postern routes whole domains, not single addresses')
  if (!isSmtp) return draft.todo(entry, 'Postern passes mail on by SMTP only, and has no mailboxes and no programs to give it to in this version: name a server with SMTP or keep Postfix behind Postern for this domain')
  const hop = hopOf(nexthop)
  if (hop === null) return draft.todo(entry, 'Postern has no route that means "to the MX hosts, past the smarthost": leave out delivery.smarthost, or name the host of this domain')
  if (!draft.addRoute(entry, entry.key, { to: hop.to })) return draft.todo(entry, `there is a route for ${entry.key} already: choose one`)
  draft.carried(entry, `[[route]] ${entry.key} to ${hop.to}${hop.note === '' ? '' : ` (${hop.note})`}`)
}

/** `error:5.1.2 gone`: to what the client is told, as the access map says it. Null for a transport that goes somewhere. */
function answerOf(transport: string, nexthop: string): string | null {
  if (transport === 'discard') return 'DISCARD'
  if (transport !== 'error' && transport !== 'retry') return null
  const [usual, code] = transport === 'error' ? ['5.1.2', 550] : ['4.3.0', 450]
  const [, status = usual, words = ''] = /^(?:([45]\.\d+\.\d+)\b)?\s*(.*)$/.exec(nexthop.trim()) ?? []
  return `ERROR:${status}:${code} ${words === '' ? 'No mail is taken for this address' : words}`
}

/** `[mail.example.org]:587`, `mail.example.org`. Null without a host. */
export function hopOf(text: string): Hop | null {
  const [, bracketed, plain, port = '25'] = /^(?:\[([^\]]+)\]|([^:\s,[\]]+))(?::(\w+))?$/.exec(text.trim()) ?? []
  const host = (bracketed ?? plain)?.replace(/^ipv6:/i, '')
  if (host === undefined) return null
  const number = NAMED_PORTS[port] ?? (Number.parseInt(port, 10) || 25)
  const usesMx = plain !== undefined && !isIpAddress(host)
  return {
    to: host.includes(':') ? `[${host}]:${number}` : `${host}:${number}`,
    note: usesMx ? `Postfix went to the MX hosts of ${host}, Postern goes to that host itself` : '',
  }
}

const NAMED_PORTS: { readonly [name: string]: number } = { smtp: 25, submission: 587, smtps: 465, submissions: 465 }

/** A policy for the smarthost or for the host of a route has a place here. */
function carryPolicies({ draft, files }: PostfixSite, from: Source, reference: string): void {
  const table = readTable(files, reference)
  if (table.kind === 'missing') return draft.todo(from, `${table.path} is not here: copy it into this folder and migrate again`)
  if (table.kind === 'unreadable') return draft.todo(from, `Postern looks up no ${table.type} tables: write tls = in the [[route]] of each domain`)
  draft.carried(from, `the lines of ${table.entries[0]?.file ?? reference}, each by itself`)
  for (const entry of table.entries) {
    const level = tlsLevel(entry.value.split(/\s+/)[0] ?? '')
    const to = hopOf(entry.key)?.to ?? ''
    const routes = draft.routesTo(to)
    if (level === null) draft.todo(entry, 'Postern knows none, opportunistic, encrypt and verify: choose one for the [[route]] of this domain')
    else if (draft.valueOf('delivery.smarthost') === to) draft.set(entry, 'delivery.tls', level)
    else if (routes.length > 0) {
      for (const domain of routes) draft.setInRoute(domain, entry, 'tls', level satisfies SettingValue)
      draft.carried(entry, `tls = "${level}" in the [[route]] of ${routes.join(', ')}`)
    } else draft.todo(entry, `Postern sets this in a [[route]] with a host: write one for ${entry.key} with tls = "${level}"`)
  }
}

/** Null for what Postern does not know in this version. */
export function tlsLevel(word: string): 'none' | 'opportunistic' | 'encrypt' | 'verify' | null {
  switch (word) {
    case 'none':
      return 'none'
    case 'may':
      return 'opportunistic'
    case 'encrypt':
      return 'encrypt'
    case 'verify':
    case 'secure':
      return 'verify'
    default:
      return null
  }
}
