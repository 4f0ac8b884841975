/**
 * A client's address the way access map entries write it.
 *
 * sendmail writes IPv6 addresses out: eight groups, no leading zeros, `IPv6:` in front. Entries are
 * compared with that text, so this is the one place that makes it.
 */

import type { ClientHost } from './decision.ts'

/** `192.0.2.7`, or `IPv6:2001:db8:0:0:0:0:0:9`. A mapped IPv4 address is an IPv4 address (S20). */
export function accessAddress(address: string): string {
  if (!address.includes(':')) return address
  const groups = ipv6Groups(address.replace(/^ipv6:/i, '').replace(/%.*$/, ''))
  if (groups === null) return `IPv6:${address}`
  if (isMapped(groups)) {
    const [high = 0, low = 0] = groups.slice(6)
    return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`
  }
  return `IPv6:${groups.map(group => group.toString(16)).join(':')}`
}

/** An address in 16-bit groups: two for IPv4, eight for IPv6. Null for what is none, or none with a meaning of its own. */
export function addressGroups(address: string): readonly number[] | null {
  const [, ...octets] = IPV4.exec(address) ?? []
  if (octets.length > 0) {
    const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number)
    return [a, b, c, d].every(octet => octet < 256) ? [(a << 8) | b, (c << 8) | d] : null
  }
  const groups = ipv6Groups(address.replace(/^ipv6:/i, ''))
  return groups === null || isMapped(groups) ? null : groups
}

const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/

function isMapped(groups: readonly number[]): boolean {
  return groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff
}

/** sendmail's `${client_name}`: the confirmed name, else the address in brackets. */
export function clientName(host: ClientHost): string {
  return host.name?.resolve === 'OK' ? host.name.name : `[${accessAddress(host.address)}]`
}

export function isLoopback(accessForm: string): boolean {
  return accessForm === '127.0.0.1' || accessForm === 'IPv6:0:0:0:0:0:0:0:1'
}

function ipv6Groups(text: string): readonly number[] | null {
  const withoutIpv4 = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    return `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`
  })
  const [head = '', tail, ...more] = withoutIpv4.split('::')
  if (more.length > 0) return null
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return null
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...after]
  return groups.every(group => /^[0-9a-f]{1,4}$/i.test(group)) ? groups.map(group => Number.parseInt(group, 16)) : null
}
