/**
 * What the value of an entry of our own asks for: `RELAY`, `RELAY:@example.net,joe@example.com` for
 * these recipients only, `OK`, `REJECT`, `ERROR:…`, and for issuers `SUBJECT`.
 *
 * Anything else refuses, as it does elsewhere in the map.
 */

import type { Address } from '../names/address.ts'
import { formatAddress, canonicalDomain, parseAddress } from '../names/address.ts'
import { isWord, parseAccessValue } from './access-value.ts'

export type IdentityValue =
  /** `recipients`: addresses, and `@example.net` for whole domains; null for any. */
  | { readonly kind: 'relay'; readonly recipients: readonly string[] | null }
  | { readonly kind: 'subject' | 'ok' | 'refuse' | 'unknown' }

export function parseIdentityValue(value: string): IdentityValue {
  const [, list] = LIMITED.exec(value) ?? []
  if (list !== undefined) return { kind: 'relay', recipients: list.split(/[, \t]+/).filter(member => member !== '') }
  if (isWord(value, 'SUBJECT')) return { kind: 'subject' }
  const { kind } = parseAccessValue(value)
  switch (kind) {
    case 'relay':
      return { kind, recipients: null }
    case 'ok':
      return { kind }
    case 'reject':
    case 'reply':
      return { kind: 'refuse' }
    default:
      return { kind: 'unknown' }
  }
}

const LIMITED = /^RELAY:(.+)$/is

/** Is an address in a list of addresses and `@domains`? Case is ignored, as in all of the map. */
export function isListed(list: readonly string[], address: Address): boolean {
  if (address.domain === null) return false
  const wholeDomain = `@${address.domain}`
  const written = formatAddress(address).toLowerCase()
  return list.some(member => {
    if (member.startsWith('@')) return `@${canonicalDomain(member.slice(1))}` === wholeDomain
    const listed = parseAddress(member)
    return listed.ok && formatAddress(listed.value).toLowerCase() === written
  })
}
