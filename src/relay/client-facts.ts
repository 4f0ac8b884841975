/**
 * Finds out what the policy lacked for an answer: the client's name, a sender's domain, our place
 * among a domain's mail exchangers, a recipient at its next hop. Asked only when a decision hangs on it, so that no look-up ever
 * holds a banner or a client that proves itself by certificate.
 */

import { unreachable } from '../core/result.ts'
import { addressGroups } from '../core/policy/client-address.ts'
import type { CalloutAnswer, ClientHost, ClientName, DomainFound, KnownFacts, Missing } from '../core/policy/decision.ts'
import type { DnsAnswer, Resolver } from './ports.ts'

/** Names of one PTR answer that are tried forwards; a zone may list thousands. */
const MOST_NAMES = 8

type Found = 'yes' | 'no' | 'unknown'

const NO_CALLOUTS: ReadonlyMap<string, CalloutAnswer> = new Map()

/** Asks the next hop about a recipient for the client at this address. Rejects never. */
export type CallOut = (forwardPath: string, address: string, requiresTls: boolean) => Promise<CalloutAnswer>

/** Where facts come from. Another object after each reload. */
export type FactSources = {
  readonly resolver: Resolver
  /** Names under which this host may be among a domain's mail exchangers. */
  readonly ourNames: readonly string[]
  readonly callOut: CallOut
}

/** The facts of one session, gathered as they are needed. */
export class ClientFacts {
  readonly #inForce: () => FactSources
  #sources: FactSources
  readonly #domainExists = new Map<string, DomainFound>()
  readonly #isMxFor = new Map<string, Found>()
  #listings: ReadonlyMap<string, readonly string[] | 'unknown'> | null = null
  /** Of the last recipient only: what may be remembered for how long is not a session's to say. */
  #callouts: ReadonlyMap<string, CalloutAnswer> = NO_CALLOUTS
  /** As it was given, by whoever knows the client. */
  readonly #given: ClientHost
  #host: ClientHost

  constructor(inForce: () => FactSources, host: ClientHost) {
    this.#inForce = inForce
    this.#sources = inForce()
    this.#given = host
    this.#host = host
  }

  get host(): ClientHost {
    return this.#host
  }

  get known(): KnownFacts {
    const listings = this.#listings
    return { domainExists: this.#domainExists, isMxFor: this.#isMxFor, callouts: this.#callouts, ...(listings === null ? {} : { listings }) }
  }

  /** A new question is asked, for which next hops are asked anew; after a reload DNS is, too. */
  beginQuestion(): void {
    this.#callouts = NO_CALLOUTS
    const sources = this.#inForce()
    if (sources === this.#sources) return
    this.#sources = sources
    this.#host = this.#given
    this.#listings = null
    this.#domainExists.clear()
    this.#isMxFor.clear()
  }

  async find(missing: Missing): Promise<void> {
    switch (missing.kind) {
      case 'clientName':
        this.#host = { address: this.#host.address, name: await this.#confirmedName() }
        return
      case 'domainExists':
        this.#domainExists.set(missing.domain, await this.#domainIsThere(missing.domain))
        return
      case 'listings':
        this.#listings = await this.#listedAt(missing.zones)
        return
      case 'isMxFor':
        this.#isMxFor.set(missing.domain, await this.#weAreMxFor(missing.domain))
        return
      case 'callout':
        this.#callouts = new Map([[missing.forwardPath, await this.#sources.callOut(missing.forwardPath, this.#host.address, missing.requiresTls)]])
        return
      default:
        return unreachable(missing)
    }
  }

  /** A PTR name counts only if it leads back to the address: anybody may claim any name. */
  async #confirmedName(): Promise<ClientName> {
    const address = this.#host.address
    const names = await this.#sources.resolver.ptr(address)
    if (names.kind === 'failed') return { resolve: 'TEMP' }
    if (names.kind !== 'found') return { resolve: 'FAIL' }
    let [isUnsure, leadsElsewhere] = [false, false]
    for (const name of names.values.slice(0, MOST_NAMES)) {
      const addresses = await this.#sources.resolver.addresses(name)
      if (addresses.kind === 'found' && addresses.values.includes(address)) {
        return { resolve: 'OK', name: name.replace(/\.$/, '').toLowerCase() }
      }
      isUnsure ||= addresses.kind === 'failed'
      leadsElsewhere ||= addresses.kind === 'found'
    }
    // A name that does not exist is none, and will not lead back later.
    return { resolve: isUnsure ? 'TEMP' : leadsElsewhere ? 'FORGED' : 'FAIL' }
  }

  async #domainIsThere(domain: string): Promise<DomainFound> {
    const answer = await this.#sources.resolver.mx(domain)
    if (answer.kind === 'found' && answer.values.every(({ host }) => host === '.')) return 'nullMx'
    const exchangers = existence(answer)
    return exchangers === 'no' ? existence(await this.#sources.resolver.addresses(domain)) : exchangers
  }

  /** All zones at once: the client waits for the slowest. RFC 5782 §2.1: a list answers with A records, also about IPv6. */
  async #listedAt(zones: readonly string[]): Promise<ReadonlyMap<string, readonly string[] | 'unknown'>> {
    const name = reversedAddress(this.#host.address)
    const asked = zones.map(async (zone): Promise<readonly [string, readonly string[] | 'unknown']> => {
      const answer = name === null ? null : await this.#sources.resolver.addresses(`${name}.${zone}`, 'ipv4')
      if (answer === null || answer.kind === 'failed') return [zone, 'unknown']
      return [zone, answer.kind === 'found' ? answer.values : []]
    })
    return new Map(await Promise.all(asked))
  }

  async #weAreMxFor(domain: string): Promise<Found> {
    const exchangers = await this.#sources.resolver.mx(domain)
    if (exchangers.kind === 'failed') return 'unknown'
    if (exchangers.kind !== 'found') return 'no'
    const ourNames = new Set(this.#sources.ourNames.map(name => name.toLowerCase()))
    const ours = exchangers.values.some(({ host }) => ourNames.has(host.replace(/\.$/, '').toLowerCase()))
    return ours ? 'yes' : 'no'
  }
}

/** RFC 5782 §2.1 and §2.4: `7.2.0.192`, or 32 nibbles with dots between them. */
function reversedAddress(address: string): string | null {
  const groups = addressGroups(address)
  if (groups === null) return null
  if (groups.length === 2) return groups.flatMap(group => [group >> 8, group & 0xff]).toReversed().join('.')
  return groups.flatMap(group => [...group.toString(16).padStart(4, '0')]).toReversed().join('.')
}

function existence(answer: DnsAnswer<unknown>): Found {
  return answer.kind === 'found' ? 'yes' : answer.kind === 'failed' ? 'unknown' : 'no'
}
