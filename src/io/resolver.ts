/**
 * DNS as mail needs it: a stub resolver that asks recursive servers and remembers what they said.
 *
 * Servers are asked in order, each twice at most. What none of them can say is `failed`, which always
 * means "later": no mail bounces because a name server is down.
 */

import { readFileSync } from 'node:fs'
import net from 'node:net'
import type { Answer } from 'dns-packet'
import { canonicalDomain } from '../core/names/address.ts'
import type { DnsAnswer, Resolver } from '../relay/ports.ts'
import { exchange, type DnsQuestion, type DnsServer } from './dns-exchange.ts'
import { remembering, type Reading } from './dns-memory.ts'
import { hostName, readAddresses, readAnswer, readExchangers, readNames } from './dns-reading.ts'

export type ResolverOptions = {
  /** Null: those of /etc/resolv.conf. */
  readonly servers: readonly DnsServer[] | null
  /** Contents of the hosts file; left out: /etc/hosts. */
  readonly hostsFile?: string
  readonly timeoutMilliseconds?: number
}

const TIMEOUT_MILLISECONDS = 3000
const ROUNDS = 2
const MOST_SERVERS = 3

export function createResolver(options: ResolverOptions): Resolver {
  const servers = options.servers ?? parseResolvConf(readIfThere('/etc/resolv.conf'))
  const hosts = parseHosts(options.hostsFile ?? readIfThere('/etc/hosts'))
  const timeoutMilliseconds = options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS
  const asking = <Value>(type: DnsQuestion['type'], read: (records: readonly Answer[]) => readonly Value[]): ((name: string) => Promise<DnsAnswer<Value>>) =>
    remembering(name => askServers({ name, type }, read, servers, timeoutMilliseconds))
  const [exchangers, names] = [asking('MX', readExchangers), asking('PTR', readNames)]
  const [ipv4, ipv6] = [asking('A', readAddresses), asking('AAAA', readAddresses)]
  return {
    async mx(domain) {
      const name = questionName(domain)
      return name === null ? { kind: 'noName' } : exchangers(name)
    },
    async addresses(host, family) {
      if (net.isIP(host) !== 0) return { kind: 'found', values: [host] }
      const name = questionName(host)
      if (name === null) return { kind: 'noName' }
      if (family === 'ipv4') return ipv4(name)
      const local = hosts.get(name) ?? localAddresses(name)
      if (local !== null) return { kind: 'found', values: local }
      return together(...(await Promise.all([ipv4(name), ipv6(name)])))
    },
    async ptr(address) {
      const name = reverseName(address)
      return name === null ? { kind: 'noName' } : names(name)
    },
  }
}

/** Asks by the settings in force: who holds it need not hear of a reload. */
export class CurrentResolver implements Resolver {
  #resolver: Resolver

  constructor(servers: ResolverOptions['servers']) {
    this.#resolver = createResolver({ servers })
  }

  /** The system's files are read again too, and nothing that was said before is remembered. */
  replace(servers: ResolverOptions['servers']): void {
    this.#resolver = createResolver({ servers })
  }

  readonly mx: Resolver['mx'] = domain => this.#resolver.mx(domain)

  readonly addresses: Resolver['addresses'] = (host, family) => this.#resolver.addresses(host, family)

  readonly ptr: Resolver['ptr'] = address => this.#resolver.ptr(address)
}

async function askServers<Value>(
  question: DnsQuestion,
  read: (records: readonly Answer[]) => readonly Value[],
  servers: readonly DnsServer[],
  timeoutMilliseconds: number,
): Promise<Reading<Value>> {
  let last: Reading<Value> = { answer: { kind: 'failed', detail: 'there is no DNS server to ask' }, ttlSeconds: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of servers.slice(0, MOST_SERVERS)) {
      const reply = await exchange(question, server, timeoutMilliseconds).catch((error: unknown) => ({ failed: String(error) }))
      last = 'failed' in reply ? { answer: { kind: 'failed', detail: reply.failed }, ttlSeconds: 0 } : readAnswer(question, reply, read)
      if (last.answer.kind !== 'failed') return last
    }
  }
  return last
}

/** Both families of addresses. One family that cannot be looked up does not hide the other. */
function together(ipv4: DnsAnswer<string>, ipv6: DnsAnswer<string>): DnsAnswer<string> {
  const values = [ipv4, ipv6].flatMap(answer => (answer.kind === 'found' ? answer.values : []))
  if (values.length > 0) return { kind: 'found', values }
  if (ipv4.kind === 'failed') return ipv4
  if (ipv6.kind === 'failed') return ipv6
  return ipv4.kind === 'noName' && ipv6.kind === 'noName' ? { kind: 'noName' } : { kind: 'noData' }
}

/** The name as DNS has it (RFC 5890: A-labels); null if no name in DNS can be meant. */
function questionName(name: string): string | null {
  return hostName(canonicalDomain(name))
}

/** RFC 6761 §6.3: these never leave the machine. */
function localAddresses(name: string): readonly string[] | null {
  return name === 'localhost' || name.endsWith('.localhost') ? ['127.0.0.1', '::1'] : null
}

/** `7.2.0.192.in-addr.arpa`, or 32 digits below `ip6.arpa` (RFC 3596 §2.5). */
export function reverseName(address: string): string | null {
  if (net.isIPv4(address)) return `${address.split('.').toReversed().join('.')}.in-addr.arpa`
  if (!net.isIPv6(address) || address.includes('.') || address.includes('%')) return null
  const [front = '', back] = address.toLowerCase().split('::')
  const before = front === '' ? [] : front.split(':')
  const after = back === undefined || back === '' ? [] : back.split(':')
  const missing = back === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...after]
  const digits = groups.map(group => group.padStart(4, '0')).join('')
  return `${[...digits].toReversed().join('.')}.ip6.arpa`
}

export function parseResolvConf(text: string): readonly DnsServer[] {
  const servers = text
    .split('\n')
    .map(line => /^\s*nameserver\s+([^\s#;]+)/.exec(line)?.[1] ?? '')
    .filter(address => net.isIP(address.split('%')[0] ?? '') !== 0)
  // resolv.conf(5): without any, the server on this machine.
  return (servers.length > 0 ? servers : ['127.0.0.1']).map(host => ({ host, port: 53 }))
}

function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const hosts = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/)
    if (net.isIP(address) === 0) continue
    for (const name of names.map(name => name.toLowerCase())) hosts.set(name, [...(hosts.get(name) ?? []), address])
  }
  return hosts
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
