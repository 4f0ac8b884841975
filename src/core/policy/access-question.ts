/**
 * One key put to the access map, the way a look-up puts it: `Connect:192.0.2.7`, `From:joe@example.org`,
 * `CERTSUBJECT:/O=Example/CN=joe`, `USER:joe`.
 *
 * What is asked is a client, an address or a name, and not a key as it stands in the file: the networks,
 * domains and patterns that could answer for it are looked up in their order, by the very functions that
 * decide. What is decided with the answer is another matter (`postern explain`).
 */

import { canonicalDomain, parseAddress } from '../names/address.ts'
import { UNKNOWN_CERTIFICATE, type ClientIdentity, type PeerCertificate } from '../names/identity.ts'
import { foldCase } from './access-map.ts'
import { tagOf } from './access-survey.ts'
import { accessAddress, addressGroups } from './client-address.ts'
import { limitEntry } from './client-terms.ts'
import type { AccessEntry, Reason } from './decision.ts'
import { friendEntry } from './delayed-checks.ts'
import { entriesOfIssuerPattern, entriesOfItsKind, entriesOfThisOne, strictest } from './identity-entries.ts'
import { lookUpAddress, lookUpDomain, lookUpExact } from './lookups.ts'
import type { Inquiry, Tag } from './lookups.ts'
import { findRecipientEntry } from './next-hop-tls.ts'
import type { Policy } from './policy.ts'
import { blockListEntry } from './relay.ts'
import { senderEntry } from './sender.ts'

export type AccessAnswer = { readonly entry: AccessEntry | null; readonly because: readonly Reason[] }

/** Null if the question has no tag that is looked up. */
export function askAccess(policy: Policy, question: string): AccessAnswer | null {
  const tag = tagOf(foldCase(question))
  const because: Reason[] = []
  const entry = find(asNobody(policy, because), tag, question.slice(tag.length + 1))
  return entry === undefined ? null : { entry, because }
}

function find(inquiry: Inquiry, tag: string, key: string): AccessEntry | null | undefined {
  switch (tag) {
    case 'connect':
      return byHost(inquiry, 'Connect', key)
    case 'from':
    case 'to':
      return byMailbox(inquiry, tag, key)
    case 'tls_rcpt':
      return findRecipientEntry(inquiry, key)
    case 'certissuer':
      return lookUpExact(inquiry, 'CERTISSUER', key) ?? entryOf(entriesOfIssuerPattern(inquiry, { ...UNKNOWN_CERTIFICATE, issuer: key }))
    case 'certsubject':
      return lookUpExact(inquiry, 'CERTSUBJECT', key) ?? entryOf(entriesOfItsKind(inquiry, { ...UNKNOWN_CERTIFICATE, subject: key }))
    case 'certfp':
      return byCertificate(inquiry, { ...UNKNOWN_CERTIFICATE, fingerprint: foldCase(key.replaceAll(':', '')) })
    case 'certsan':
      return byCertificate(inquiry, { ...UNKNOWN_CERTIFICATE, addresses: [key], dnsNames: [key], uris: [key] })
    case 'user':
      return entryOf(entriesOfThisOne(withIdentity(inquiry, UNKNOWN_CERTIFICATE, key)))
    case 'clientrate':
      return limitEntry(inquiry, 'ClientRate', addressIn(key))
    case 'clientconn':
      return limitEntry(inquiry, 'ClientConn', addressIn(key))
    case 'spam':
      return friendEntry(inquiry, key)
    default: {
      const peerTag = PEER_TAGS.find(known => foldCase(known) === tag)
      return peerTag === undefined ? undefined : (byHost(inquiry, peerTag, key) ?? (HAVE_NO_BARE_TAG.has(peerTag) ? null : lookUpExact(inquiry, peerTag, '')))
    }
  }
}

/** Looked up by the other side's name or address, then bare. */
const PEER_TAGS: readonly Tag[] = ['TLS_Clt', 'TLS_Srv', 'Try_TLS', 'Srv_Features', 'TLS_Srv_Features', 'TLS_Clt_Features', 'GreetPause']

const HAVE_NO_BARE_TAG: ReadonlySet<Tag> = new Set<Tag>(['TLS_Srv_Features', 'TLS_Clt_Features', 'GreetPause'])

function byHost(inquiry: Inquiry, tag: Tag, host: string): AccessEntry | null {
  const address = addressIn(host)
  return address === null ? lookUpDomain(inquiry, tag, canonicalDomain(host)) : lookUpAddress(inquiry, tag, address)
}

/** In access map form; null if it is a name. */
function addressIn(host: string): string | null {
  const address = accessAddress(host.replace(/^ipv6:/i, ''))
  return addressGroups(address) === null ? null : address
}

function byMailbox(inquiry: Inquiry, tag: 'from' | 'to', key: string): AccessEntry | null {
  const parsed = key.includes('@') ? parseAddress(key) : null
  if (parsed === null || !parsed.ok || parsed.value.domain === null) return lookUpDomain(inquiry, tag === 'from' ? 'From' : 'To', canonicalDomain(key))
  return tag === 'from' ? senderEntry(inquiry, parsed.value, parsed.value.domain) : blockListEntry(inquiry, parsed.value)
}

function byCertificate(inquiry: Inquiry, certificate: PeerCertificate): AccessEntry | null {
  return entryOf(entriesOfThisOne(withIdentity(inquiry, certificate, null))) ?? entryOf(entriesOfItsKind(inquiry, certificate))
}

function entryOf(entries: Parameters<typeof strictest>[0]): AccessEntry | null {
  return strictest(entries)?.entry ?? null
}

function asNobody(policy: Policy, because: Reason[]): Inquiry {
  const asker = { listener: 'mx', host: { address: '', name: null }, hello: '', identity: { kind: 'plaintext' }, authentication: null } as const
  return { policy, because, asker, facts: { domainExists: new Map(), isMxFor: new Map() } }
}

function withIdentity(inquiry: Inquiry, certificate: PeerCertificate, name: string | null): Inquiry {
  const holder = name === null ? null : ({ name, kind: 'machine', senders: [] } as const)
  const identity: ClientIdentity = { kind: 'verified', tls: { version: '', cipher: '', cipherBits: 0 }, certificate, holder }
  return { ...inquiry, asker: { ...inquiry.asker, identity } }
}
