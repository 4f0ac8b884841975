/**
 * The mail addresses that a certificate names.
 *
 * An rfc822Name is one whole address (RFC 5280 §4.2.1.6). Whatever else a CA has signed as one gives
 * nothing: `@example.org` means a domain in our own register only, and a source route leads to an
 * address that the CA may never have looked at (S7).
 */

import { formatAddress, parseAddress } from './address.ts'
import type { PeerCertificate } from './identity.ts'

export function wholeAddresses({ addresses }: Pick<PeerCertificate, 'addresses'>): readonly string[] {
  return addresses.filter(isWhole)
}

/** Written as we would write it: one reading, and no other (S15). */
function isWhole(text: string): boolean {
  const parsed = parseAddress(text)
  return parsed.ok && parsed.value.domain !== null && formatAddress(parsed.value).toLowerCase() === text.toLowerCase()
}
