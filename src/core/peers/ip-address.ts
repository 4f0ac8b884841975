/**
 * IP addresses in the one form that sockets give them in, so that an address which somebody wrote
 * down is found by the same entries, counted by the same limits, as one that connected (S20).
 */

import { accessAddress, addressGroups } from '../policy/client-address.ts'

/** RFC 5952's form, IPv4-mapped IPv6 unwrapped; null for what is no address. */
export function formatAddress(text: string): string | null {
  if (!/^[0-9a-fA-F.:]+$/.test(text)) return null
  // `::ffff:192.0.2.7`: what is behind the last colon is an IPv4 address, or nothing is.
  const tail = text.slice(text.lastIndexOf(':') + 1)
  if (tail.includes('.') && addressGroups(tail) === null) return null
  const unwrapped = text.includes(':') ? accessAddress(text).replace(/^IPv6:/, '') : text
  const groups = addressGroups(unwrapped)
  if (groups === null) return null
  return groups.length === 2 ? unwrapped : shortened(groups)
}

/** RFC 5952 §4.2: the longest run of two or more zero groups, the first of equals, becomes `::`. */
function shortened(groups: readonly number[]): string {
  let best = { at: 0, length: 1 }
  for (let at = 0; at < groups.length; at++) {
    const end = groups.findIndex((group, index) => index >= at && group !== 0)
    const length = (end === -1 ? groups.length : end) - at
    if (length > best.length) best = { at, length }
  }
  const hex = groups.map(group => group.toString(16))
  if (best.length === 1) return hex.join(':')
  return `${hex.slice(0, best.at).join(':')}::${hex.slice(best.at + best.length).join(':')}`
}
