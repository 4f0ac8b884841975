/**
 * Entries of the access map that mean something to sendmail and nothing, or something else, here.
 *
 * They stay in the map; only what they come to is told.
 */

import { tagOf } from '../../policy/access-survey.ts'
import { foldCase } from '../../policy/access-map.ts'
import { parseAccessValue } from '../../policy/access-value.ts'
import type { AccessEntry } from '../../policy/decision.ts'
import { letters } from '../../policy/session-terms.ts'
import { addEntry, sourceOf } from '../access-file.ts'
import { PASSWORDS_AT_NEXT_HOPS } from '../words.ts'
import { featureNamed } from './site.ts'
import type { SendmailSite } from './site.ts'

/** `localDomains`: those of class w. */
export function reportAccessTags(site: SendmailSite, localDomains: readonly string[]): void {
  const refusesRecipients = featureNamed(site, 'blocklist_recipients', 'blacklist_recipients') !== null
  for (const entry of site.access.map.entries()) {
    const tag = tagOf(foldCase(entry.key))
    const feature = FEATURES.get(tag)
    if (feature !== undefined) reportUnlessOn(site, feature, entry)
    else if (OF_NEXT_HOPS.has(tag)) site.draft.carried(sourceOf(entry), 'the same line, for the next hops that it is about')
    else if (ADVICE.has(tag)) site.draft.todo(sourceOf(entry), ADVICE.get(tag) ?? '')
    else if (tag === 'srv_features') reportWithheld(site, entry)
    else if (tag === 'to' && REFUSING.has(parseAccessValue(entry.value).kind)) reportRefusal(site, entry, refusesRecipients ? localDomains : null)
  }
}

const REFUSING: ReadonlySet<string> = new Set(['reject', 'reply', 'discard', 'quarantine', 'unknown'])

/** `localDomains` is null without the FEATURE that obeys such lines. */
function reportRefusal(site: SendmailSite, entry: AccessEntry, localDomains: readonly string[] | null): void {
  const isLocalPart = entry.key.endsWith('@')
  if (isLocalPart && localDomains === null) return site.draft.unneeded(sourceOf(entry), 'without FEATURE(blocklist_recipients) it did nothing')
  if (isLocalPart && localDomains !== null) return carryLocalPart(site, entry, localDomains)
  if (localDomains !== null) return
  site.draft.todo(sourceOf(entry), 'Without FEATURE(blocklist_recipients) this line did nothing; Postern obeys it and refuses the recipient: take it out if that is not wanted')
}

/** `To:joe@` was looked up for local domains. Postern has none, and asks for whole addresses. */
function carryLocalPart({ draft, access }: SendmailSite, entry: AccessEntry, localDomains: readonly string[]): void {
  const taken = localDomains.filter(domain => draft.hasDomain(domain))
  if (taken.length === 0) draft.unneeded(sourceOf(entry), 'it was looked up for local domains, and no mail is taken for those')
  for (const domain of taken) addEntry(draft, access, sourceOf(entry), `${entry.key}${domain}`, entry.value)
}

/** In a map without a line for certificates the lint has nothing to say; the new map always has one. */
function reportWithheld({ draft, access }: SendmailSite, entry: AccessEntry): void {
  const isForAll = entry.key.endsWith(':')
  const withholds = letters(entry.value).some(letter => ['V', 'R', 'S'].includes(letter))
  const isTold = access.problems.some(({ rule, line }) => rule === 'proofWithheld' && line === entry.line)
  if (isForAll && withholds && !isTold) draft.todo(sourceOf(entry), 'With this line nobody can show a certificate of the new authority: name the hosts that it is for, or take it out')
}

/** Lines that sendmail reads with a FEATURE only, and Postern always. */
function reportUnlessOn(site: SendmailSite, feature: string, entry: AccessEntry): void {
  if (featureNamed(site, feature) !== null) return
  site.draft.todo(sourceOf(entry), `Without FEATURE(${feature}) this line did nothing; Postern obeys it: take it out if that is not wanted`)
}

const FEATURES: ReadonlyMap<string, string> = new Map([
  ['clientconn', 'conncontrol'],
  ['clientrate', 'ratecontrol'],
  ['greetpause', 'greet_pause'],
  ['tls_srv_features', 'tls_session_features'],
  ['tls_clt_features', 'tls_session_features'],
])

/** They hold as they stand, and beside the settings that have been made of them. */
const OF_NEXT_HOPS: ReadonlySet<string> = new Set(['tls_srv', 'tls_rcpt', 'try_tls', 'clt_features'])

const ADVICE: ReadonlyMap<string, string> = new Map([
  ['spam', 'Postern knows no friends and haters: this line does nothing'],
  ['authinfo', `${PASSWORDS_AT_NEXT_HOPS}. The line is not copied`],
])
