/**
 * Entries of the access map that mean something to sendmail and nothing, or something else, here.
 *
 * They stay in the map; only what they come to is told.
 */

import { tagOf } from '../../policy/access-survey.ts'
import { foldCase } from '../../policy/access-map.ts'
import { parseAccessValue } from '../../policy/access-value.ts'
import type { AccessEntry } from '../../policy/decision.ts'
import { sourceOf } from '../access-file.ts'
import { featureNamed } from './site.ts'
import type { SendmailSite } from './site.ts'

export function reportAccessTags(site: SendmailSite): void {
  const refusesRecipients = featureNamed(site, 'blocklist_recipients', 'blacklist_recipients') !== null
  for (const entry of site.access.map.entries()) {
    const tag = tagOf(foldCase(entry.key))
    if (tag === 'clientconn') reportConnections(site, entry)
    else if (ADVICE.has(tag) && !site.usedKeys.has(entry.key)) site.draft.todo(sourceOf(entry), ADVICE.get(tag) ?? '')
    else if (UNNEEDED.has(tag)) site.draft.unneeded(sourceOf(entry), UNNEEDED.get(tag) ?? '')
    else if (!refusesRecipients && tag === 'to' && ['reject', 'reply', 'discard', 'quarantine', 'unknown'].includes(parseAccessValue(entry.value).kind)) {
      site.draft.todo(sourceOf(entry), 'Without FEATURE(blocklist_recipients) this line did nothing; Postern obeys it and refuses the recipient: take it out if that is not wanted')
    }
  }
}

/** `ClientConn:` alone is for every address. */
function reportConnections({ draft }: SendmailSite, entry: AccessEntry): void {
  const count = Number.parseInt(entry.value, 10)
  const isForAll = /^clientconn:$/i.test(entry.key)
  if (isForAll && count > 0) draft.set(sourceOf(entry), 'limits.connections-per-address', count)
  else draft.todo(sourceOf(entry), 'Postern has one limit for all addresses: limits.connections-per-address')
}

const NEXT_HOP_TLS = 'Postern does not apply this line to outgoing mail in this version: write tls = "verify" or "encrypt" in a [[route]] for the domain'

const ADVICE: ReadonlyMap<string, string> = new Map([
  ['clientrate', 'Postern limits connections at one time (limits.connections-per-address), not how fast they come'],
  ['spam', 'Postern knows no friends and haters: this line does nothing'],
  ['tls_srv', NEXT_HOP_TLS],
  ['tls_rcpt', NEXT_HOP_TLS],
  ['try_tls', 'Postern does not apply this line to outgoing mail in this version: write tls = "none" in a [[route]] for the domain, if that server really cannot do TLS'],
  ['srv_features', 'Postern does not apply this line in this version: every client is offered the same'],
  ['clt_features', 'Postern does not apply this line in this version'],
  ['tls_srv_features', 'Postern does not apply this line in this version: TLS is the same for all clients'],
  ['tls_clt_features', 'Postern does not apply this line in this version: TLS is the same for all next hops'],
  ['authinfo', 'Postern does not log in at next hops with a password in this version. The line is not copied'],
])

const UNNEEDED: ReadonlyMap<string, string> = new Map([['greetpause', 'Postern refuses clients that talk before the greeting, without a pause']])
