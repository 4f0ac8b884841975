/**
 * relay_recipient_maps to the file that `checks.recipients` names: which recipients exist.
 */

import { parseRecipientList } from '../../policy/recipient-list.ts'
import type { Source } from '../report.ts'
import { listed } from './main-cf.ts'
import type { PostfixSite } from './site.ts'
import { readTable } from './table.ts'
import type { TableEntry } from './table.ts'

/** `relayed` are the members of relay_domains: Postfix asks the table for no others. */
export function carryRecipients(site: PostfixSite, relayed: readonly string[]): void {
  const { main, draft } = site
  const parameter = main.get('relay_recipient_maps')
  if (parameter === null) return
  site.spokenOf.add('relay_recipient_maps')
  const tables = listed(parameter.value).map(reference => ({ reference, table: readTable(site.files, reference) }))
  const unread = tables.find(({ table }) => table.kind !== 'entries')
  if (unread !== undefined) return draft.todo(parameter, `${unread.reference} cannot be read here, and a list with some of the recipients would refuse the others: write all of them into a file, an address or @domain on a line, and name it as checks.recipients`)
  const entries = tables.flatMap(({ table }) => (table.kind === 'entries' ? table.entries : []))
  const members = entries.filter(entry => isMember(site, entry)).map(({ key }) => key)
  const list = parseRecipientList(members.join('\n'))
  if (!list.ok || members.length === 0) return draft.todo(parameter, 'No recipient is in the table that Postern takes for an address: write them into a file, an address or @domain on a line, and name it as checks.recipients')
  draft.copies.push({ name: FILE, content: `# The recipients that exist, from ${parameter.value}. Others of their domains are refused.\n${members.join('\n')}\n` })
  draft.set(parameter, 'checks.recipients', FILE, `${members.length} ${members.length === 1 ? 'recipient' : 'recipients'}`)
  reportEmptyDomains(site, parameter, relayed.filter(domain => !list.value.domains.has(domain)))
}

const FILE = 'recipients'

function isMember({ draft }: PostfixSite, entry: TableEntry): boolean {
  const isAddress = entry.key.includes('@') && parseRecipientList(entry.key).ok
  if (!isAddress) draft.todo(entry, 'No address and no @domain: Postern cannot list it in checks.recipients')
  return isAddress
}

function reportEmptyDomains({ draft }: PostfixSite, from: Source, domains: readonly string[]): void {
  if (domains.length === 0) return
  draft.todo(from, `Postfix refused every recipient of ${domains.join(', ')}, for which the table has none; Postern takes them all. Add those that exist to the file, or take the domain out of relay.domains`)
}
