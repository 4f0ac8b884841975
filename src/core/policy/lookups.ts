/**
 * Looking things up in the access map, the way sendmail does (its rule sets D, A, F, U and E).
 *
 * Every look-up is written down with its key, found or not: the list is the explanation. The most
 * specific key comes first, and for each key the tagged form before the untagged one; the first hit
 * of any kind ends the search, whatever its value.
 */

import { LONGEST_KEY_BYTES, foldCase, utf8Length } from './access-map.ts'
import { isWord } from './access-value.ts'
import type { Address } from '../names/address.ts'
import type { AccessEntry, Asker, KnownFacts, Reason } from './decision.ts'
import type { NetworkAround } from './networks.ts'
import type { Policy } from './policy.ts'

/** A search through the policy, and what it has looked at so far. */
export type Search = {
  readonly policy: Policy
  readonly because: Reason[]
}

/** One question on its way to an answer. */
export type Inquiry = Search & {
  readonly asker: Asker
  readonly facts: KnownFacts
}

/** In their usual spelling; look-ups do not care about case. */
export type Tag =
  | 'Connect'
  | 'From'
  | 'To'
  | 'Spam'
  | 'CERTISSUER'
  | 'CERTSUBJECT'
  | 'TLS_Srv'
  | 'TLS_Clt'
  | 'TLS_Rcpt'
  | 'Try_TLS'
  | 'Srv_Features'
  | 'TLS_Srv_Features'
  | 'TLS_Clt_Features'
  | 'GreetPause'
  | 'ClientRate'
  | 'ClientConn'

/** Tags that sendmail does not know. */
export type OwnTag = 'CERTFP' | 'CERTSAN' | 'USER'

/** These three are also looked up without their tag. */
const FALLS_BACK: ReadonlySet<Tag> = new Set<Tag>(['Connect', 'From', 'To'])

/** True if an entry with this tag, or one without, could answer. Says so in the reasons if none can. */
export function canAnswer(search: Search, tag: Tag): boolean {
  const { survey } = search.policy
  if (survey.tags.has(foldCase(tag)) || (FALLS_BACK.has(tag) && survey.untagged)) return true
  search.because.push(noEntries(tag))
  return false
}

/** As `canAnswer`, for tags that most sites never use: says nothing. */
export function hasEntries(search: Search, tag: Tag): boolean {
  return search.policy.survey.tags.has(foldCase(tag))
}

/** The same for tags of our own. */
export function hasOwnEntries(search: Search, tag: OwnTag): boolean {
  return search.policy.survey.tags.has(foldCase(tag))
}

/** The same search without a fallback on untagged entries. */
export function byTagOnly(search: Search): Search {
  const { policy, because } = search
  return { policy: { ...policy, survey: { ...policy.survey, untagged: false } }, because }
}

/** E: the key as it stands. */
export function lookUpExact(search: Search, tag: string, key: string): AccessEntry | null {
  const written = `${tag}:${key}`
  const entry = findKey(search.policy, written)
  search.because.push({ kind: 'lookedUp', key: written, entry })
  return entry
}

/** A key of our own, to which sendmail's limit does not apply. */
export function lookUpOwn({ policy, because }: Search, tag: OwnTag, key: string): AccessEntry | null {
  const written = `${tag}:${key}`
  const entry = policy.access.find(foldCase(written))
  because.push({ kind: 'lookedUp', key: written, entry })
  return entry
}

/** D: a domain or host name, then each domain above it. A bracketed literal loses its last part instead. */
export function lookUpDomain(search: Search, tag: Tag, domain: string, options?: { readonly exact: boolean }): AccessEntry | null {
  let name = domain
  const isLiteral = name.startsWith('[')
  for (;;) {
    const entry = lookUpBoth(search, tag, name)
    if (entry !== null) return unlessSkip(search, entry)
    if (options?.exact === true) return null
    const rest = isLiteral ? shorterLiteral(name) : afterFirstLabel(name)
    if (rest === null) return null
    if (!isLiteral && search.policy.features.lookupDotDomain) {
      const dotted = lookUpBoth(search, tag, `.${rest}`)
      if (dotted !== null) return unlessSkip(search, dotted)
    }
    name = rest
  }
}

/**
 * A: an address, then each network it is in, on the boundaries of its notation. For clients, networks in
 * CIDR form stand between these by their length; of two of the same length sendmail's form comes first.
 */
export function lookUpAddress(search: Search, tag: Tag, accessAddress: string): AccessEntry | null {
  const [separator, bitsEach] = accessAddress.startsWith('IPv6:') ? [':', 16] : ['.', 8]
  const networks = networksAround(search, tag, accessAddress)
  let bits = separator === ':' ? 128 : 32
  for (let key = accessAddress; ; bits -= bitsEach) {
    const network = lookUpNetworks(search, networks, bits)
    if (network !== null) return unlessSkip(search, network)
    const entry = lookUpBoth(search, tag, key)
    if (entry !== null) return unlessSkip(search, entry)
    const cut = key.lastIndexOf(separator)
    if (cut <= 0) break
    key = key.slice(0, cut)
  }
  const network = lookUpNetworks(search, networks, -1)
  return network === null ? null : unlessSkip(search, network)
}

type Networks = { readonly row: readonly NetworkAround[]; at: number }

function networksAround({ policy }: Search, tag: Tag, accessAddress: string): Networks {
  const { networks } = policy.survey
  const row = tag === 'Connect' && policy.features.posternKeys && !networks.isEmpty ? networks.around(accessAddress) : []
  return { row, at: 0 }
}

/** Those that are longer than `bits` and were not looked up yet. */
function lookUpNetworks({ policy, because }: Search, networks: Networks, bits: number): AccessEntry | null {
  for (; ; networks.at += 1) {
    const network = networks.row[networks.at]
    if (network === undefined || network.length <= bits) return null
    const entry = network.key === null ? null : policy.access.find(network.key)
    because.push({ kind: 'lookedUp', key: `Connect:${network.written}`, entry })
    if (entry !== null) return entry
  }
}

/** F: a whole address, with `+*` in place of its detail, without its detail. */
export function lookUpMailbox(search: Search, tag: Tag, address: Address): AccessEntry | null {
  return lookUpLocalPart(search, tag, address.localPart, address.domain ?? '')
}

/** U: the same for a local part in any domain; keys end in `@`. */
export function lookUpUser(search: Search, tag: Tag, localPart: string): AccessEntry | null {
  return lookUpLocalPart(search, tag, localPart, '')
}

/** The key `localPart@`, and none for its detail. */
export function lookUpUserAsTyped(search: Search, tag: Tag, localPart: string): AccessEntry | null {
  return lookUpBoth(search, tag, `${localPart}@`)
}

function lookUpLocalPart(search: Search, tag: Tag, localPart: string, domain: string): AccessEntry | null {
  const whole = lookUpBoth(search, tag, `${localPart}@${domain}`)
  if (whole !== null) return unlessUserSkip(search, whole)
  const plus = localPart.indexOf('+')
  if (plus <= 0) return null
  const user = localPart.slice(0, plus)
  const entry = lookUpBoth(search, tag, `${user}+*@${domain}`) ?? lookUpBoth(search, tag, `${user}@${domain}`)
  return entry === null ? null : unlessUserSkip(search, entry)
}

/** The tagged key, then the untagged one for the tags that fall back on it. */
function lookUpBoth(search: Search, tag: Tag, key: string): AccessEntry | null {
  const tagged = lookUpExact(search, tag, key)
  if (tagged !== null || !FALLS_BACK.has(tag) || !search.policy.survey.untagged) return tagged
  const entry = findKey(search.policy, key)
  search.because.push({ kind: 'lookedUp', key, entry })
  return entry
}

/** SKIP ends a search with nothing found, if the site has asked for that word. */
function unlessSkip(search: Search, entry: AccessEntry): AccessEntry | null {
  return search.policy.features.skip && isWord(entry.value, 'SKIP') ? null : entry
}

/** sendmail's rule sets F and U do not know the word and hand it on. */
function unlessUserSkip(search: Search, entry: AccessEntry): AccessEntry | null {
  return search.policy.features.skipUsers ? unlessSkip(search, entry) : entry
}

function findKey(policy: Policy, written: string): AccessEntry | null {
  // A UTF-16 unit is at most three bytes, so short keys need not be measured.
  const fits = written.length * 3 <= LONGEST_KEY_BYTES || bytesFit(written)
  if (fits) return policy.access.find(foldCase(written))
  return policy.features.cutLongKeys ? policy.access.find(foldCase(cutToBytes(written))) : null
}

function bytesFit(text: string): boolean {
  return cutToBytes(text).length === text.length
}

function cutToBytes(text: string): string {
  let bytes = 0
  for (let at = 0; at < text.length; at += 1) {
    bytes += utf8Length(text.charCodeAt(at))
    if (bytes > LONGEST_KEY_BYTES) return text.slice(0, at)
  }
  return text
}

function afterFirstLabel(name: string): string | null {
  const dot = name.indexOf('.')
  return dot === -1 || dot === name.length - 1 ? null : name.slice(dot + 1)
}

/** `[192.0.2.7]` to `[192.0.2]`; `[IPv6:2001:db8:1]` to `[IPv6:2001:db8]`; null when nothing is left. */
function shorterLiteral(literal: string): string | null {
  const cut = Math.max(literal.lastIndexOf('.'), literal.lastIndexOf(':'))
  return cut <= 1 ? null : `${literal.slice(0, cut)}]`
}

/** One object per tag, made once: the commonest thing a decision has to say. */
function noEntries(tag: Tag): Reason {
  return NO_ENTRIES[tag]
}

const noEntriesOf = (tag: Tag): Reason => ({ kind: 'fact', text: `the access map has no ${tag}: entries` })

const NO_ENTRIES: Record<Tag, Reason> = {
  Connect: noEntriesOf('Connect'),
  From: noEntriesOf('From'),
  To: noEntriesOf('To'),
  Spam: noEntriesOf('Spam'),
  CERTISSUER: noEntriesOf('CERTISSUER'),
  CERTSUBJECT: noEntriesOf('CERTSUBJECT'),
  TLS_Srv: noEntriesOf('TLS_Srv'),
  TLS_Clt: noEntriesOf('TLS_Clt'),
  TLS_Rcpt: noEntriesOf('TLS_Rcpt'),
  Try_TLS: noEntriesOf('Try_TLS'),
  Srv_Features: noEntriesOf('Srv_Features'),
  TLS_Srv_Features: noEntriesOf('TLS_Srv_Features'),
  TLS_Clt_Features: noEntriesOf('TLS_Clt_Features'),
  GreetPause: noEntriesOf('GreetPause'),
  ClientRate: noEntriesOf('ClientRate'),
  ClientConn: noEntriesOf('ClientConn'),
}
