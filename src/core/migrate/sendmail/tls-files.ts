/**
 * Certificates and keys: our own as a server and as a client, and the authorities whose certificates
 * count.
 *
 * sendmail trusts every CA in its files to vouch for a client, and the access map says which of them
 * may relay. Postern asks clients only for certificates of CAs that count, so it is given just those
 * that the map names.
 */

import { foldCase } from '../../policy/access-map.ts'
import { tagOf } from '../../policy/access-survey.ts'
import type { AccessEntry } from '../../policy/decision.ts'
import { sourceOf } from '../access-file.ts'
import { carryPair, copyAuthorities } from '../certificates.ts'
import type { SiteAuthority } from '../site-files.ts'
import { optionNamed } from './site.ts'
import type { SendmailSite } from './site.ts'

export function carryTlsFiles(site: SendmailSite): void {
  const { draft, files } = site
  carryPair(draft, files, { table: 'tls', certificate: optionNamed(site, 'ServerCertFile'), key: optionNamed(site, 'ServerKeyFile') })
  carryPair(draft, files, { table: 'delivery', certificate: optionNamed(site, 'ClientCertFile'), key: optionNamed(site, 'ClientKeyFile') })
  carryTrusted(site)
}

/** The CAs behind the CERTISSUER lines become files of their own. */
export function carryAuthorities(site: SendmailSite): readonly string[] {
  const { draft, files, access } = site
  const options = [optionNamed(site, 'CACertFile'), optionNamed(site, 'CACertPath')].filter(option => option !== null)
  const found = options.map(option => ({ option, ...files.authorities(option.value) }))
  const known = found.flatMap(({ counting }) => counting)
  const named = new Map([...access.map.entries()].flatMap(entry => issuersIn(entry).map(name => [name, entry] as const)))
  const used = new Map<string, SiteAuthority>()
  for (const authority of known) {
    const isNew = !used.has(authority.subject) && named.has(foldCase(authority.subject))
    if (isNew) used.set(authority.subject, authority)
  }
  copyAuthorities(draft, [...used.values()])
  for (const { option, counting, passedOver, unreadable } of found) {
    const there = counting.filter(({ subject }) => used.has(subject)).length
    const missed = new Set(passedOver.filter(({ subject }) => !known.some(authority => authority.subject === subject)).map(({ name }) => name))
    if (counting.length > 0) draft.carried(option, `${there} of its ${counting.length} CAs, those that the access map names: client-ca`)
    else if (passedOver.length === 0) draft.todo(option, `no CA certificate is here in ${option.value}: add those that may vouch for clients to client-ca, each in a file of its own`)
    else if (missed.size === 0) draft.unneeded(option, 'OpenSSL finds no CA there that it has not from the CA file')
    if (missed.size > 0) draft.todo(option, `OpenSSL finds a CA in a folder by a name such as 1a2b3c4d.0, and so not those in ${listed([...missed])}: they vouched for nobody, and are not in client-ca ("openssl rehash" makes the names; a copy of the folder may have lost them)`)
    if (unreadable.length > 0) draft.todo(option, `${listed(unreadable)} cannot be read by whoever migrates, and was passed over: if it has a CA, add that to client-ca`)
  }
  for (const [name, entry] of named) {
    if ([...used.keys()].some(subject => foldCase(subject) === name)) continue
    draft.todo(sourceOf(entry), 'No CA certificate of this name is among the old CA files, so no client can prove that it has one of this issuer: add the PEM of the CA to client-ca of a listener ("postern dn FILE" shows how its name is written)')
  }
  return [...used.keys()]
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, MOST_NAMES).join(', ')}${names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : ''}`
}

const MOST_NAMES = 20

/** CERTISSUER keys; and keys of a site's own tag, which a CITag: requirement looks issuers up by. */
function issuersIn({ key }: AccessEntry): readonly string[] {
  const folded = foldCase(key)
  const tag = tagOf(folded)
  const name = folded.slice(tag.length + 1)
  return tag !== 'certsubject' && name.startsWith('/') ? [name] : []
}

/** Next hops that must be verified were verified against the same CAs. */
function carryTrusted(site: SendmailSite): void {
  const { draft, files } = site
  const option = optionNamed(site, 'CACertFile')
  const place = option === null ? null : files.locate(option.value)
  if (option === null || !draft.verifiesNextHops()) return
  if (place === null) draft.todo(option, `${option.value} is not here, and so next hops would be verified against the public CAs: put it there, and set delivery.trusted-ca`)
  else draft.set(option, 'delivery.trusted-ca', [place], 'the CAs that next hops are verified against')
}
