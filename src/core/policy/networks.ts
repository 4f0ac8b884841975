/**
 * Networks in CIDR form as keys of the access map: `Connect:192.0.2.0/25`, `Connect:2001:db8::/32`.
 *
 * sendmail never looks such a key up; its own networks end on a boundary of the notation. Here the two
 * stand in one row, the longest prefix first (lookups.ts). A network is found by its masked address,
 * so a look-up costs one step for each length that occurs in the map, however many networks it has.
 */

import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { addressGroups } from './client-address.ts'

export type Network = {
  /** 16-bit groups, two or eight; what is behind `length` is zero. */
  readonly groups: readonly number[]
  readonly length: number
}

/** `192.0.2.0/25`, `2001:db8::/32`; `IPv6:` in front is taken too. The problem says what to write. */
export function parseNetwork(text: string): Result<Network, { readonly text: string; readonly suggestion: string | null }> {
  const [, address = '', digits = ''] = FORM.exec(text) ?? []
  const groups = addressGroups(address)
  if (groups === null) return fail({ text: `${text} is no network`, suggestion: writtenOut(address, digits) })
  const length = Number(digits)
  const most = groups.length * 16
  if (length > most) return fail({ text: `the length of a network is at most ${most}`, suggestion: null })
  const network = { groups: masked(groups, length), length }
  return network.groups.every((group, at) => group === groups[at])
    ? ok(network)
    : fail({ text: `${address} is not the first address of a network /${length}`, suggestion: formatNetwork(network) })
}

/** True for what was surely meant as a network. */
export function looksLikeNetwork(text: string): boolean {
  return FORM.test(text)
}

export function formatNetwork({ groups, length }: Network): string {
  if (groups.length === 2) return `${groups.map(group => `${group >> 8}.${group & 0xff}`).join('.')}/${length}`
  const written = groups.map(group => group.toString(16)).join(':')
  return `${written.replace(/(?::0){2,}$/, '::')}/${length}`
}

/** `groups` are those of an address. */
export function networkContains(network: Network, groups: readonly number[]): boolean {
  return network.groups.length === groups.length && masked(groups, network.length).every((group, at) => group === network.groups[at])
}

/** The network of a length that holds an address; null for what is no address. */
export function networkAround(address: string, ipv4Length: number, ipv6Length: number): Network | null {
  const groups = addressGroups(address)
  if (groups === null) return null
  const length = groups.length === 2 ? ipv4Length : ipv6Length
  return { groups: masked(groups, length), length }
}

/** The networks of a map, each with its key. */
export class NetworkIndex {
  readonly #keys = new Map<string, string>()
  readonly #lengths = { 2: new Set<number>(), 8: new Set<number>() }
  /** The longest first; made when first asked for. */
  #sorted: { readonly 2: readonly number[]; readonly 8: readonly number[] } | null = null

  get isEmpty(): boolean {
    return this.#keys.size === 0
  }

  /** False if the same network is there already; the first one stays. */
  add(network: Network, key: string): boolean {
    const place = formatNetwork(network)
    if (this.#keys.has(place)) return false
    this.#keys.set(place, key)
    this.#lengths[network.groups.length === 2 ? 2 : 8].add(network.length)
    this.#sorted = null
    return true
  }

  /** The networks that could hold an address, the longest first. */
  around(accessAddress: string): readonly NetworkAround[] {
    const groups = addressGroups(accessAddress)
    if (groups === null) return []
    this.#sorted ??= { 2: longestFirst(this.#lengths[2]), 8: longestFirst(this.#lengths[8]) }
    return this.#sorted[groups.length === 2 ? 2 : 8].map(length => {
      const written = formatNetwork({ groups: masked(groups, length), length })
      return { length, written, key: this.#keys.get(written) ?? null }
    })
  }
}

/** A network of a length that occurs in the map, with its key if it is there itself. */
export type NetworkAround = { readonly length: number; readonly written: string; readonly key: string | null }

const FORM = /^([0-9a-f:.]+|ipv6:[0-9a-f:.]+)\/(\d{1,3})$/i

function longestFirst(lengths: ReadonlySet<number>): readonly number[] {
  return [...lengths].sort((a, b) => b - a)
}

function masked(groups: readonly number[], length: number): readonly number[] {
  return groups.map((group, at) => {
    const bits = Math.min(16, Math.max(0, length - at * 16))
    return group & (0xffff << (16 - bits)) & 0xffff
  })
}

/** `10.1/16` as it is written in full; null where that is no help. */
function writtenOut(address: string, digits: string): string | null {
  const octets = address.replace(/\.$/, '').split('.')
  if (octets.length >= 4 || !octets.every(octet => /^\d{1,3}$/.test(octet))) return null
  const network = parseNetwork(`${[...octets, '0', '0', '0'].slice(0, 4).join('.')}/${digits}`)
  return network.ok ? formatNetwork(network.value) : null
}
