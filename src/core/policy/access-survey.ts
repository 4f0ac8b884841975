/**
 * What kinds of entries an access map has.
 *
 * A look-up that cannot find anything is not made, and a client's host name is looked up in DNS only
 * if some entry could depend on it. Found out once, when the policy is compiled.
 */

import type { AccessMap } from './access-map.ts'

export type AccessSurvey = {
  /** Tags of which the map has entries, in lower case. */
  readonly tags: ReadonlySet<string>
  /** Some entry has no tag. */
  readonly untagged: boolean
  /** Tags of which some entry names a host, not an address or a network; '' for untagged entries. */
  readonly namesHosts: ReadonlySet<string>
}

export function surveyAccess(access: AccessMap): AccessSurvey {
  const tags = new Set<string>()
  const namesHosts = new Set<string>()
  let untagged = false
  for (const key of access.keys()) {
    const tag = tagOf(key)
    if (tag === '') untagged = true
    else if (!tags.has(tag)) tags.add(tag)
    if (!namesHosts.has(tag) && namesHost(key, tag === '' ? 0 : tag.length + 1)) namesHosts.add(tag)
  }
  return { tags, untagged, namesHosts }
}

/** The tag of a key in lower case, without its colon; '' for an untagged key. */
export function tagOf(key: string): string {
  const colon = key.indexOf(':')
  if (colon <= 0) return ''
  const tag = key.slice(0, colon)
  return tag === 'ipv6' || !WORD.test(tag) ? '' : tag
}

const WORD = /^[a-z0-9_-]+$/

/** A bracketed address counts as a name: it is what a client without one is looked up by. */
function namesHost(key: string, start: number): boolean {
  return start < key.length && !key.includes('@', start) && !ADDRESS.test(key.slice(start))
}

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){0,3}|ipv6(?::.*)?)$/
