/** Makes up access maps out of the names that sessions use, so that most sessions meet some entry. */

import type { Random } from '../../support/random.ts'
import { pick } from './generate.ts'
import { ADDRESS_DOMAINS, HOSTS, LOCAL_PARTS } from './world.ts'

/** Of the certificates that clients show, in access-map form. */
export type Names = { readonly subjects: readonly string[]; readonly issuers: readonly string[] }

export function accessMap(random: Random, names: Names): string {
  const lines = Array.from({ length: random.between(3, 28) }, () => line(random, names))
  return `${lines.join('\n')}\n`
}

function line(random: Random, names: Names): string {
  const [tag, key, value] = pick(random, KINDS)(random, names)
  const spelt = random.chance(0.05) ? `${tag}${key}`.toUpperCase() : random.chance(0.05) ? `${tag}${key}`.toLowerCase() : `${tag}${key}`
  return `${spelt}\t${value}`
}

type Kind = (random: Random, names: Names) => readonly [tag: string, key: string, value: string]

const connect: Kind = random => ['Connect:', clientKey(random), verdict(random)]
const from: Kind = random => ['From:', addressKey(random), verdict(random)]
const to: Kind = random => ['To:', addressKey(random), verdict(random)]
const untagged: Kind = random => ['', random.chance(0.5) ? clientKey(random) : addressKey(random), verdict(random)]
const spam: Kind = random => ['Spam:', addressKey(random), pick(random, ['FRIEND', 'HATER', 'friend', 'RELAY', 'SPAMFRIEND'])]
const issuer: Kind = (random, names) => ['CERTISSUER:', name(random, names.issuers), pick(random, ['RELAY', 'RELAY', 'SUBJECT', 'SUBJECT', 'REJECT', 'OK', 'subject', 'RELAY now'])]
const subject: Kind = (random, names) => ['CERTSUBJECT:', name(random, names.subjects), pick(random, ['RELAY', 'RELAY', 'Relay', 'REJECT', 'OK', 'SUBJECT'])]
const tls: Kind = (random, names) => ['TLS_Clt:', random.chance(0.12) ? '' : clientKey(random), requirement(random, names)]
const tagOfIssuers: Kind = (random, names) => ['MyCAs:', name(random, names.issuers), pick(random, ['OK', 'OK', 'RELAY', 'REJECT'])]

const features: Kind = random => ['Srv_Features:', random.chance(0.3) ? '' : clientKey(random), pick(random, ['V', 'S', 's', 'v', 'V s', 'R', 'V,S', 'SV', 'sv', '"S"', 'P', 'V (x) S', 'OK'])]

const KINDS: readonly Kind[] = [connect, connect, connect, from, from, from, to, to, to, untagged, untagged, spam, issuer, issuer, subject, subject, tls, tls, tagOfIssuers, features]

function clientKey(random: Random): string {
  const { address, name } = pick(random, HOSTS)
  const separator = address.startsWith('IPv6:') ? ':' : '.'
  const shorter = (key: string): string => {
    const parts = key.split(separator)
    return parts.slice(0, random.chance(0.5) ? parts.length : random.between(1, parts.length)).join(separator)
  }
  const written = (key: string): string => (random.chance(0.15) ? pick(random, [key.toLowerCase(), key.toUpperCase(), key.replace(/:0(?::0)+/, ':'), key.replace('IPv6:', ''), `${key}.`, `${key}${separator}*`, `${key}/16`]) : key)
  if (name === null || random.chance(0.35)) return random.chance(0.2) ? `[${shorter(address)}]` : written(shorter(address))
  return domainKey(random, name)
}

function domainKey(random: Random, domain: string): string {
  if (domain.startsWith('[')) return domain
  const labels = domain.split('.')
  const rest = labels.slice(random.chance(0.6) ? 0 : random.between(0, labels.length - 1)).join('.')
  return random.chance(0.1) ? `.${rest}` : rest
}

function addressKey(random: Random): string {
  const domain = domainKey(random, pick(random, ADDRESS_DOMAINS))
  const localPart = pick(random, LOCAL_PARTS).replaceAll('"', '').replaceAll(' ', '.')
  const key = random.chance(0.25) ? localPart.replace(/\+.*/, '+*') : random.chance(0.25) ? localPart.replace(/\+.*/, '') : localPart
  return pick(random, [domain, domain, `${key}@${domain}`, `${key}@`])
}

function name(random: Random, names: readonly string[]): string {
  const whole = pick(random, names)
  return random.chance(0.12) ? pick(random, [`${whole}/`, whole.replaceAll('+20', '_'), whole.slice(0, -1), '']) : whole
}

function verdict(random: Random): string {
  return pick(random, random.chance(0.75) ? PLAIN : ODD)
}

const PLAIN = ['RELAY', 'RELAY', 'RELAY', 'OK', 'OK', 'REJECT', 'REJECT', 'DISCARD', 'QUARANTINE:held', 'SKIP', 'ERROR:5.7.1:550 Not you']

const ODD = [
  'relay', 'Reject', 'rElAy  ', 'RELAY now', 'OK extra words', 'FROBNICATE', 'FRIEND', 'HATER', 'SPAMFRIEND', 'SPAMHATER', 'ERROR:550 No', 'ERROR:450 4.2.2 Later',
  'ERROR:4.7.1:451 Later', 'ERROR:"550 5.1.3 Quoted,  text"', '550 Go away', '450 4.7.1 Try again', '421 Closing', 'ERROR:4.3.2:421 Closing', 'ERROR:nouser 550 Who',
  'ERROR:', '550', 'QUARANTINE', 'quarantine:two words', 'discard', 'RELAY (yes)', '"RELAY"', 'OK,', '553 5.3.0', '5.7.1 550 odd', 'ERROR:5.7.1:no code',
  'HOLD', 'TEMP', '"550 5.7.9 quoted  blanks"', 'ERROR:"5.7.1:550 in quotes"', 'ERROR : 550 blanks', 'ERROR:5.7.1:"450 quoted" and more', '551 5.1.6 moved', '250 fine', '354 go on',
  '999 no', '5500 no', '550-no', 'ERROR:5.7.1 550 no colon', 'QUARANTINE:', 'QUARANTINE : held', 'discard this', '(for now) RELAY', '<RELAY>', 'RELAY.', "'RELAY'", 'RELAY;', 'REJECT!', 'REJECT:5.7.1',
  'ERROR:D.S.N:550 no', 'ERROR:5.7:550 no', 'ERROR:5.7.1.2:550 no', 'ERROR:6.7.1:550 no', 'ERROR:2.0.0:250 fine', 'ERROR:4.7.1:550 mixed', 'ERROR:5.7.1:450 mixed', 'ERROR:5.777.1:550 no',
  'ERROR:05.7.1:550 no', 'ERROR:tempfail:later', 'ERROR:421 4.7.0 closing', '550 4.7.1 mixed', '450 5.7.1 mixed', '550 5.7.1: no', '550 5.7.1', '550 2.0.0 fine', 'ERROR:550 5.7.1', 'SKIP it', '"SKIP"', 'OK RELAY', 'RELAY:x@dest.example',
] as const

function requirement(random: Random, names: Names): string {
  const prefix = pick(random, ['', '', '', 'PERM+', 'TEMP+', 'perm + '])
  const base = pick(random, ['VERIFY', 'VERIFY:128', 'VERIFY:256', 'ENCR:128', 'ENCR:256', 'ENCR:168', 'ENCR:abc', 'verify', 'OK', 'VERIFIED', 'ENCR', 'REJECT', 'ENCR:0128', 'ENCR:0x81', 'VERIFY : 129', 'ENCR:129x', 'VERIFY/128', 'VERIFY:'])
  const count = random.chance(0.4) ? random.between(1, 2) : 0
  const further = Array.from({ length: count }, () =>
    pick(random, ['CN', 'CN:host.friend.example', 'CN:Joe+20User', `CS:${name(random, names.subjects)}`, `CI:${name(random, names.issuers)}`, 'CITag:MyCAs', 'CITag:Nobody', 'CX:what', 'CN:JOE+20USER', 'CN:', 'CS:', 'CITag:My.CA', 'CN joe']),
  )
  return `${prefix}${base}${count === 0 ? '' : `+${further.join(pick(random, ['++', '++', '++', ' ++ ', '+++', '+']))}${random.chance(0.05) ? '++' : ''}`}`
}
