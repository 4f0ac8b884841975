/**
 * Holds clients to the limits that go over all their connections.
 *
 * A connection is a visit. It is charged to its address and network while nobody knows who it is, and
 * to an identity once it has proved one: what it had used as a stranger is given back. Everything is
 * charged to all clients together as well.
 */

import { addressBlock, networkBlock } from '../core/limits/client-blocks.ts'
import { identityKey } from '../core/limits/limits.ts'
import type { Circle, ClientLimits, Excess, Rates } from '../core/limits/limits.ts'
import { costOf, formatRate, hasRoom } from '../core/limits/rate.ts'
import type { Rate } from '../core/limits/rate.ts'
import type { Usage, UsageTable } from '../core/limits/usage-table.ts'
import type { ClientIdentity } from '../core/names/identity.ts'
import { isListed } from '../core/peers/peer-list.ts'
import { formatAccessLine } from '../core/policy/access-map.ts'
import type { AddressTerms, EntryLimit } from '../core/policy/client-terms.ts'
import type { AccessEntry } from '../core/policy/decision.ts'

export class Limiter {
  readonly #table: UsageTable
  #limits: ClientLimits

  constructor(limits: ClientLimits, table: UsageTable) {
    this.#limits = limits
    this.#table = table
  }

  /** Limits for what comes next. What was used so far still counts. */
  reconfigure(limits: ClientLimits): void {
    this.#limits = limits
  }

  /** A connection begins, or the limit that it would exceed. */
  admit(address: string, terms: AddressTerms, now: number): Visit | Excess {
    const visit = new Visit(this.#table, () => this.#limits, address, terms)
    const excess = visit.begin(now)
    return excess ?? visit
  }
}

/** Those who are counted as one, and what they may do. */
type Account = {
  readonly of: Circle
  readonly key: string
  readonly mostOpen: Allowance<number>
  readonly rates: (usage: Usage) => Allowance<Rate>
}

/** `setting` is for the administrator. No limit: null. */
type Allowance<Limit> = { readonly limit: Limit | null; readonly setting: string; readonly entry: AccessEntry | null }

export class Visit {
  readonly #table: UsageTable
  readonly #limits: () => ClientLimits
  #isExempt: boolean
  #mayRelay: boolean
  #identity: string | null = null
  #accounts: readonly Account[]

  constructor(table: UsageTable, limits: () => ClientLimits, address: string, terms: AddressTerms) {
    this.#table = table
    this.#limits = limits
    this.#isExempt = isListed(address, limits().exempt)
    this.#mayRelay = terms.mayRelay
    this.#accounts = accountsOf(limits, address, terms, this.#isExempt)
  }

  /** By its address alone. */
  get mayRelay(): boolean {
    return this.#mayRelay
  }

  begin(now: number): Excess | null {
    const excess = this.#excessOfConnection(this.#accounts, now)
    if (excess === null) for (const account of this.#accounts) this.#open(account, now)
    return excess
  }

  /** The connection turns out to be another client's: what it used so far was not its peer's. */
  become(other: Visit, now: number): void {
    for (const account of this.#accounts) this.#close(account, now)
    this.#accounts = other.#accounts
    this.#isExempt = other.#isExempt
    this.#mayRelay = other.#mayRelay
    this.#identity = null
  }

  /** The client has proved who it is, or has not: the limit that it exceeds as that, if any. */
  identify(identity: ClientIdentity, now: number): Excess | null {
    const key = this.#isExempt ? null : identityKey(identity)
    if (key === null || key === this.#identity) return null
    this.#identity = key
    const account = identityAccount(this.#limits, key)
    const excess = this.#excessOfConnection([account], now)
    for (const stranger of this.#accounts.filter(({ of }) => of !== 'all')) this.#close(stranger, now)
    this.#accounts = [account, ...this.#accounts.filter(({ of }) => of === 'all')]
    this.#open(account, now)
    return excess
  }

  /** Uses so much, or says which limit leaves no room for it. */
  use(usage: Usage, amount: number, now: number): Excess | null {
    const excess = this.#excess(this.#accounts, usage, amount, now)
    if (excess === null) this.charge(usage, amount, now)
    return excess
  }

  /** Is anything left of an allowance that is charged afterwards? */
  excess(usage: Usage, now: number): Excess | null {
    return this.#excess(this.#accounts, usage, 0, now)
  }

  /** Something has been used, whether there was room for it or not. */
  charge(usage: Usage, amount: number, now: number): void {
    for (const account of this.#accounts) this.#use(account, usage, amount, now)
  }

  end(): void {
    for (const { key } of this.#accounts) this.#table.opened(key, -1)
    this.#accounts = []
  }

  #excessOfConnection(accounts: readonly Account[], now: number): Excess | null {
    for (const { of, key, mostOpen } of accounts) {
      const { limit, setting, entry } = mostOpen
      if (limit !== null && this.#table.open(key) >= limit) return { of, what: 'openConnections', limit: setting, entry }
    }
    return this.#excess(accounts, 'errors', 0, now) ?? this.#excess(accounts, 'connections', 1, now)
  }

  #excess(accounts: readonly Account[], usage: Usage, amount: number, now: number): Excess | null {
    for (const { of, key, rates } of accounts) {
      const { limit, setting, entry } = rates(usage)
      if (limit !== null && !hasRoom(limit, this.#table.workedOffAt(key, usage), amount, now)) {
        return { of, what: usage, limit: setting, entry }
      }
    }
    return null
  }

  #open(account: Account, now: number): void {
    this.#table.opened(account.key, 1)
    this.#use(account, 'connections', 1, now)
  }

  #close(account: Account, now: number): void {
    this.#table.opened(account.key, -1)
    this.#use(account, 'connections', -1, now)
  }

  #use({ key, rates }: Account, usage: Usage, amount: number, now: number): void {
    const { limit } = rates(usage)
    if (limit !== null) this.#table.use(key, usage, costOf(limit, amount), now)
  }
}

/** Whom a connection is charged to while it is a stranger's, or comes from an address that may relay. */
function accountsOf(limits: () => ClientLimits, address: string, terms: AddressTerms, isExempt: boolean): readonly Account[] {
  const block = addressBlock(address)
  const all = account('all', 'all', () => limits().connections, limits)
  const own = withEntries(account('address', `address ${block}`, () => limits().connectionsPerAddress, limits), terms)
  if (isExempt || terms.mayRelay) {
    const known = isExempt ? [] : [identityAccount(limits, `address ${block}`)]
    return terms.connections === null && terms.connectionRate === null ? [...known, all] : [onlyEntries(own, terms), ...known, all]
  }
  return [own, account('network', `network ${networkBlock(address)}`, () => limits().connectionsPerNetwork, limits), all]
}

function identityAccount(limits: () => ClientLimits, key: string): Account {
  return account('identity', `identity ${key}`, () => limits().connectionsPerIdentity, limits)
}

function account(of: Circle, key: string, most: () => number, limits: () => ClientLimits): Account {
  return {
    of,
    key,
    get mostOpen() {
      const limit = most()
      return { limit, setting: `limits.${OPEN_SETTINGS[of]} = ${limit}`, entry: null }
    },
    rates: usage => rateAllowance(limits()[of], of, usage),
  }
}

function rateAllowance(rates: Rates, of: Circle, usage: Usage): Allowance<Rate> {
  const limit = rates[usage]
  return limit === null ? NO_LIMIT : { limit, setting: `limits.${of}.${RATE_SETTINGS[usage]} = ${formatRate(limit, usage === 'bytes')}`, entry: null }
}

/** `ClientConn:` and `ClientRate:` stand in place of the settings for one address. */
function withEntries(address: Account, { connections, connectionRate }: AddressTerms): Account {
  const mostOpen = connections === null ? address.mostOpen : entryAllowance(connections, count => count)
  const rate = connectionRate === null ? null : entryAllowance(connectionRate, perMinute)
  return { ...address, mostOpen, rates: usage => (usage === 'connections' && rate !== null ? rate : address.rates(usage)) }
}

function onlyEntries(address: Account, terms: AddressTerms): Account {
  return withEntries({ ...address, mostOpen: NO_LIMIT, rates: () => NO_LIMIT }, terms)
}

/** In sendmail's own terms 0 is no limit. */
function entryAllowance<Limit>({ count, entry }: EntryLimit, limit: (count: number) => Limit): Allowance<Limit> {
  return { limit: count === 0 ? null : limit(count), setting: formatAccessLine(entry), entry }
}

/** sendmail's ConnectionRateWindowSize is a minute unless somebody changes it. */
function perMinute(amount: number): Rate {
  return { amount, seconds: 60 }
}

const NO_LIMIT: Allowance<never> = { limit: null, setting: '', entry: null }

const OPEN_SETTINGS: Record<Circle, string> = {
  address: 'connections-per-address',
  network: 'connections-per-network',
  identity: 'connections-per-identity',
  all: 'connections',
}

const RATE_SETTINGS: Record<Usage, string> = {
  connections: 'connection-rate',
  messages: 'message-rate',
  recipients: 'recipient-rate',
  bytes: 'byte-rate',
  errors: 'error-rate',
}
