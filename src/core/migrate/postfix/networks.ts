/**
 * mynetworks to lines of the access map: who relays because of an address.
 */

import { formatNetwork, parseNetwork } from '../../policy/networks.ts'
import { accessAddress } from '../../policy/client-address.ts'
import { addEntry } from '../access-file.ts'
import type { Source } from '../report.ts'
import { listed } from './main-cf.ts'
import { untold } from './site.ts'
import type { PostfixSite } from './site.ts'
import { isTable, readTable } from './table.ts'

export function carryNetworks(site: PostfixSite): void {
  const { main, draft } = site
  const own = main.get('mynetworks')
  site.spokenOf.add('mynetworks').add('mynetworks_style')
  if (own !== null) return carryMembers(site, own, listed(own.value))
  const style = main.get('mynetworks_style')
  const from = style ?? untold('mynetworks is not set')
  for (const network of ['127.0.0.0/8', '::1/128']) addEntry(draft, site.access, from, `Connect:${network}`, 'RELAY')
  if (style?.value !== 'host') draft.todo(from, 'Postfix may have let the whole network of the host relay: add its Connect: lines if it did ("postconf mynetworks" on the old host tells)')
}

function carryMembers(site: PostfixSite, from: Source, members: readonly string[]): void {
  const { draft, files, access } = site
  for (const member of members) {
    if (isTable(member)) {
      const table = readTable(files, member)
      if (table.kind === 'entries') for (const entry of table.entries) carryNetwork(site, entry, entry.key, 'RELAY')
      else if (table.kind === 'missing') draft.todo(from, `${table.path} is not here: copy it into this folder and migrate again`)
      else draft.todo(from, `Postern looks up no ${table.type} tables: write a Connect: line for each network`)
    } else if (member.startsWith('/')) {
      const found = files.read(member)
      if (found === null) draft.todo(from, `${member} is not here: copy it into this folder and migrate again`)
      else carryMembers(site, from, listed(found.text.replaceAll(/^\s*#.*$/gm, '')))
    } else carryNetwork({ draft, access }, from, member.replace(/^!/, ''), member.startsWith('!') ? 'OK' : 'RELAY')
  }
}

/** `192.0.2.0/24`, `[2001:db8::]/32`, `192.0.2.7`. An exception is OK: the more exact line decides, and OK is no permission. */
function carryNetwork({ draft, access }: Pick<PostfixSite, 'draft' | 'access'>, from: Source, member: string, value: 'RELAY' | 'OK'): void {
  const key = networkKey(member)
  if (key === null) return draft.todo(from, `${member} is no network that can be written in the access map`)
  if (key === MAPPED) return draft.unneeded({ ...from, text: member }, 'an IPv4 address in IPv6 form is an IPv4 address to Postern')
  addEntry(draft, access, from, `Connect:${key}`, value)
}

/** A network as the access map has it; null if it is none. */
export function networkKey(member: string): string | null {
  const plain = member.replaceAll(/[[\]]/g, '')
  if (/^::ffff:/i.test(plain)) return MAPPED
  if (/^\d{1,3}(?:\.\d{1,3}){0,3}$/.test(plain)) return plain
  // A beginning of an IPv6 address, on a boundary of its notation.
  if (/^[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){1,6}$/i.test(plain)) return `IPv6:${plain.replaceAll(/\b0+(?=[0-9a-f])/gi, '')}`
  const network = parseNetwork(plain.includes('/') ? plain : `${plain}/128`)
  if (!network.ok) return null
  const isOneHost = network.value.length === network.value.groups.length * 16
  return isOneHost ? accessAddress(plain.replace(/\/.*/, '')) : formatNetwork(network.value)
}

export const MAPPED = 'mapped'
