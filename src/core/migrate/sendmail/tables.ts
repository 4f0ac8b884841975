/**
 * The tables that rewrite addresses: virtusertable, genericstable, domaintable, aliases, authinfo.
 *
 * Postern rewrites nothing, so every line is reported; only lines that refuse a recipient have an
 * equal, in the access map. Passwords stay where they are.
 */

import { parseAccessMap } from '../../policy/access-map.ts'
import type { AccessEntry } from '../../policy/decision.ts'
import { addEntry, sourceOf } from '../access-file.ts'
import type { SiteText } from '../site-files.ts'
import { PASSWORDS_AT_NEXT_HOPS } from '../words.ts'
import { refusalValue } from './next-hops.ts'
import { featureNamed, optionNamed, tableFile, untold } from './site.ts'
import type { SendmailSite } from './site.ts'

export function reportTables(site: SendmailSite): void {
  reportVirtualUsers(site)
  reportTable(site, 'genericstable', SENDERS)
  reportTable(site, 'domaintable', DOMAINS)
  reportTable(site, 'authinfo', PASSWORDS_AT_NEXT_HOPS)
  reportAliases(site)
}

const RECIPIENTS = 'Postern rewrites no recipients in this version: the server that the domain is routed to must know this address'
const SENDERS = 'Postern rewrites no senders in this version: the program that sends must write the new address itself, or the next hop must rewrite it'
const DOMAINS = 'Postern rewrites no domains in this version: take the old domain into relay.domains with a [[route]] to a server that knows it'
const ALIASES = 'Postern has no aliases in this version: the server with the mailboxes must know them'

function reportVirtualUsers(site: SendmailSite): void {
  const { draft, access } = site
  const entries = entriesOf(site, 'virtusertable')
  const domains = entries.map(({ key }) => key.slice(key.lastIndexOf('@') + 1).toLowerCase())
  for (const [index, entry] of entries.entries()) {
    const refusal = /^error:\s*(.*)$/i.exec(entry.value)?.[1]
    const answer = refusal === undefined ? null : refusalValue(refusal)
    const recipient = entry.key.startsWith('@') ? entry.key.slice(1) : entry.key
    // A To: line for a domain would also refuse the addresses that other lines give a user.
    const isAlone = !entry.key.startsWith('@') || domains.filter(domain => domain === domains[index]).length === 1
    if (answer === null || recipient.includes('+') || recipient === '') draft.todo(sourceOf(entry), RECIPIENTS)
    else if (isAlone) addEntry(draft, access, sourceOf(entry), `To:${recipient}`, answer)
    else draft.todo(sourceOf(entry), `In the access map this is "To:${recipient} ${answer}", with a line "To:ADDRESS OK" for each address that exists`)
  }
}

function reportTable(site: SendmailSite, feature: string, words: string): void {
  for (const entry of entriesOf(site, feature)) {
    const from = sourceOf(entry)
    site.draft.todo(feature === 'authinfo' ? { ...from, text: entry.key } : from, words)
  }
}

/** Nothing without the feature; a table that is named and not here is reported. */
function entriesOf({ draft, files, ...site }: SendmailSite, name: string): readonly AccessEntry[] {
  const feature = featureNamed({ draft, files, ...site }, name)
  if (feature === null) return []
  const path = tableFile(feature.args[0] ?? '', `/etc/mail/${name}`)
  const found = files.read(path)
  if (found === null) {
    draft.todo(feature, `${path} is not here: copy it into this folder and migrate again to see what its lines come to`)
    return []
  }
  const { map, problems } = parseAccessMap(found.text, found.name)
  for (const problem of problems) draft.unneeded(problem, 'makemap refuses this line, so it did nothing')
  draft.carried(feature, `the lines of ${found.name}, each by itself`)
  return [...map.entries()]
}

function reportAliases(site: SendmailSite): void {
  const { draft, files } = site
  const option = optionNamed(site, 'AliasFile')
  const paths = option === null ? ['/etc/mail/aliases', '/etc/aliases'] : option.value.split(',').map(path => path.trim().replace(/^\w+:(?=\/)/, ''))
  const found = paths.map(path => files.read(path)).filter(file => file !== null)
  if (found.length === 0 && option !== null) return draft.todo(untold(paths.join(', ')), 'The aliases are not here. Postern has none in this version: the server with the mailboxes must know them')
  for (const [index, file] of found.entries()) {
    if (found.findIndex(({ name }) => name === file.name) === index) reportAliasFile(site, file)
  }
}

/** Lines that begin with white space belong to the one above. */
function reportAliasFile({ draft }: SendmailSite, { name, text }: SiteText): void {
  for (const [index, line] of text.split('\n').entries()) {
    if (/^[^\s#]/.test(line)) draft.todo({ file: name, line: index + 1, text: line.trim() }, ALIASES)
  }
}
