/**
 * A certificate's alternative names as `CERTSAN:` keys: `joe@example.org`, `@example.org` for all
 * addresses of a domain, `web7.example.org`, `spiffe://example.org/mailer`.
 *
 * The kinds of names share one space of keys, so each is taken only in a shape that no other kind can
 * have (S7): an address has one `@` and no colon, a host has neither, a URI has a colon. A name that is
 * not of its kind's shape finds nothing.
 */

import { canonicalDomain } from '../names/address.ts'
import type { PeerCertificate } from '../names/identity.ts'

export type AlternativeNames = {
  /** Keys that name this certificate alone, without the tag. */
  readonly particular: readonly string[]
  /** URIs are compared letter by letter (RFC 3986 §6.2.1), though keys are not. */
  readonly uris: readonly string[]
  /** `@example.org` for each domain in which it has an address. */
  readonly domains: readonly string[]
}

export function alternativeNames({ addresses, dnsNames, uris }: Pick<PeerCertificate, 'addresses' | 'dnsNames' | 'uris'>): AlternativeNames {
  const mailboxes = addresses.flatMap(address => {
    const [, localPart = '', domain = ''] = ADDRESS.exec(address) ?? []
    const canonical = canonicalDomain(domain)
    return HOST.test(canonical) ? [{ localPart, domain: canonical }] : []
  })
  const hosts = dnsNames.map(canonicalDomain).filter(name => HOST.test(name))
  return {
    particular: [...new Set([...mailboxes.map(({ localPart, domain }) => `${localPart}@${domain}`), ...hosts])],
    uris: [...new Set(uris.filter(uri => URI.test(uri)))],
    domains: [...new Set(mailboxes.map(({ domain }) => `@${domain}`))],
  }
}

/** What an entry may name, or null. */
export function kindOfAlternativeName(key: string): 'address' | 'domain' | 'host' | 'uri' | null {
  if (URI.test(key)) return 'uri'
  if (key.startsWith('@')) return HOST.test(key.slice(1)) ? 'domain' : null
  const [, , domain = key] = ADDRESS.exec(key) ?? []
  if (!HOST.test(domain)) return null
  return domain === key ? 'host' : 'address'
}

/** RFC 5321 §4.1.2: a Dot-string, never a quoted one, at a domain and not at an address literal. */
const ADDRESS = /^([a-z0-9!#$%&'*+\-/=?^_`{|}~]+(?:\.[a-z0-9!#$%&'*+\-/=?^_`{|}~]+)*)@([a-z0-9_.-]+)$/i

/** Whole labels of bounded length, so that no name takes long to read (S12). One with a `*` is nobody's in particular. */
const HOST = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/** RFC 3986 §3.1: a scheme and a colon. */
const URI = /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i
