/**
 * Whom a header names as responsible for the message (RFC 5322 §3.6.2).
 *
 * These are the names that a recipient sees, so the policy is asked about them as it is about the
 * envelope's. Resent fields are not among them: nobody is shown those in place of From.
 */

import { formatAddress, type Address } from '../names/address.ts'
import type { Authors } from '../policy/decision.ts'
import { parseAddressList } from './address-list.ts'
import { fieldText, type HeaderField } from './fields.ts'

/** `completedFrom` is the From that the message gets from us, if it has none. */
export function authorsOf(section: Buffer, fields: readonly HeaderField[], completedFrom: string | null): Authors {
  const from = readAll(section, fields, 'from')
  const sender = readAll(section, fields, 'sender')
  const named = { from: from.addresses, sender: sender.addresses }
  if (from.count === 0 && completedFrom !== null) return { ...named, from: [completedFrom], fault: sender.fault }
  return { ...named, fault: from.fault ?? sender.fault ?? faultOfAll(from, sender) }
}

type Names = { readonly count: number; readonly addresses: readonly string[]; readonly fault: string | null }

function readAll(section: Buffer, fields: readonly HeaderField[], name: 'from' | 'sender'): Names {
  const found = fields.filter(field => field.name === name)
  const fieldName = name === 'from' ? 'From' : 'Sender'
  const addresses: string[] = []
  let fault: string | null = found.length > 1 ? `it has more than one ${fieldName} field` : null
  for (const field of found) {
    const list = parseAddressList(fieldText(section, field), MOST_ADDRESSES)
    if (list.ok) addresses.push(...list.value.map(written))
    if (!list.ok) fault ??= `its ${fieldName} field ${list.problem}`
  }
  return { count: found.length, addresses: addresses.slice(0, MOST_ADDRESSES), fault }
}

function faultOfAll(from: Names, sender: Names): string | null {
  if (from.count > 0 && from.addresses.length === 0) return 'its From field names nobody'
  if (sender.count > 0 && sender.addresses.length !== 1) return 'its Sender field does not name one address'
  // RFC 5322 §3.6.2: of several authors, one has sent it.
  if (from.addresses.length > 1 && sender.count === 0) return 'it is from several addresses, and has no Sender field that says whose message it is'
  return null
}

function written(address: Address): string {
  return formatAddress(address)
}

/** A decision is kept with all that was asked, and each address takes time to read (S18). */
const MOST_ADDRESSES = 50
