/**
 * What kinds of entries an access map has.
 *
 * A look-up that cannot find anything is not made, and a client's host name is looked up in DNS only
 * if some entry could depend on it. Networks and patterns, which no look-up by key can find, are
 * gathered here too. Found out once, when the policy is compiled.
 */

import type { AccessMap } from './access-map.ts'
import { isWholeName, parseNamePattern } from './name-pattern.ts'
import type { NamePattern } from './name-pattern.ts'
import { NetworkIndex, looksLikeNetwork, parseNetwork } from './networks.ts'

export type AccessSurvey = {
  /** Tags of which the map has entries, in lower case. */
  readonly tags: ReadonlySet<string>
  /** Some entry has no tag. */
  readonly untagged: boolean
  /** Tags of which some entry names a host, not an address or a network; '' for untagged entries. */
  readonly namesHosts: ReadonlySet<string>
  /** Of `Connect:` entries. */
  readonly networks: NetworkIndex
  /** Of `CERTISSUER~:` and `CERTSUBJECT~:` entries, in order of the file. */
  readonly issuerPatterns: readonly PatternKey[]
  readonly subjectPatterns: readonly PatternKey[]
  /** Those without a star, each of which is one name. */
  readonly wholeSubjects: readonly PatternKey[]
  /** Some entry names an identity in a way that sendmail does not know. */
  readonly namesIdentities: boolean
}

export type PatternKey = { readonly key: string; readonly pattern: NamePattern }

/** Patterns of one tag. They are tried one by one, so their number is what an answer costs. */
export const MOST_PATTERNS = 1000

export function surveyAccess(access: AccessMap): AccessSurvey {
  const tags = new Set<string>()
  const namesHosts = new Set<string>()
  const networks = new NetworkIndex()
  const issuerPatterns: PatternKey[] = []
  const subjects: PatternKey[] = []
  let untagged = false
  for (const key of access.keys()) {
    const tag = tagOf(key)
    const start = tag === '' ? 0 : tag.length + 1
    if (tag === '') untagged = true
    else if (!tags.has(tag)) tags.add(tag)
    if (tag === 'connect' && key.includes('/')) addNetwork(networks, key, start)
    else if (tag === 'certissuer~') addPattern(issuerPatterns, key, start)
    else if (tag === 'certsubject~') addPattern(subjects, key, start)
    if (!namesHosts.has(tag) && namesHost(key, start)) namesHosts.add(tag)
  }
  const namesIdentities = [...tags].some(tag => IDENTITY_TAGS.has(tag))
  const wholeSubjects = subjects.filter(({ pattern }) => isWholeName(pattern))
  const subjectPatterns = subjects.filter(({ pattern }) => !isWholeName(pattern))
  return { tags, untagged, namesHosts, networks, issuerPatterns, subjectPatterns, wholeSubjects, namesIdentities }
}

/** The tag of a key in lower case, without its colon; '' for an untagged key. */
export function tagOf(key: string): string {
  const colon = key.indexOf(':')
  if (colon <= 0) return ''
  const tag = key.slice(0, colon)
  return tag === 'ipv6' || !(WORD.test(tag) || PATTERN_TAGS.has(tag)) ? '' : tag
}

const WORD = /^[a-z0-9_-]+$/
const PATTERN_TAGS: ReadonlySet<string> = new Set(['certissuer~', 'certsubject~'])
const IDENTITY_TAGS: ReadonlySet<string> = new Set(['certfp', 'certsan', 'user', ...PATTERN_TAGS])

function addNetwork(networks: NetworkIndex, key: string, start: number): void {
  const network = parseNetwork(key.slice(start))
  if (network.ok) networks.add(network.value, key)
}

function addPattern(patterns: PatternKey[], key: string, start: number): void {
  const pattern = parseNamePattern(key.slice(start))
  if (pattern.ok && patterns.length < MOST_PATTERNS) patterns.push({ key, pattern: pattern.value })
}

/** A bracketed address counts as a name: it is what a client without one is looked up by. */
function namesHost(key: string, start: number): boolean {
  if (start >= key.length || key.includes('@', start)) return false
  const rest = key.slice(start)
  return !ADDRESS.test(rest) && !looksLikeNetwork(rest)
}

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){0,3}|ipv6(?::.*)?)$/
