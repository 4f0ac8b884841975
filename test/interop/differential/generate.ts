/** Makes up sites, access maps and sessions: the same ones for the same seed. */

import { randomFrom } from '../../support/random.ts'
import type { Random } from '../../support/random.ts'
import { accessMap } from './generate-map.ts'
import type { Names } from './generate-map.ts'
import { ADDRESS_DOMAINS, HOSTS, LOCAL_PARTS, ROUTED_LOCAL_PARTS } from './world.ts'
import type { Host } from './world.ts'

export type GeneratedSession = {
  readonly host: Host
  /** What the client shows after STARTTLS: an index of the certificates. Null: it does without TLS. */
  readonly shows: number | null
  readonly cipherBits: 128 | 256
  readonly authenticates: boolean
  readonly mailFrom: string
  readonly rcptTo: string
}

export type Site = { readonly features: readonly string[] }

export type Trial = { readonly access: string; readonly sessions: readonly GeneratedSession[] }

export function makeSite(seed: number): Site {
  const random = randomFrom(seed)
  const features = ['nocanonify']
  for (const [feature, probability] of FEATURES) if (random.chance(probability)) features.push(pick(random, feature))
  return { features }
}

export function makeTrial(seed: number, names: Names, certificates: number, sessions: number): Trial {
  const random = randomFrom(seed)
  const access = accessMap(random, names)
  return { access, sessions: Array.from({ length: sessions }, () => makeSession(random, certificates)) }
}

/** The name of each is one of the vectors'; of those in a row at most one. */
const FEATURES: readonly (readonly [readonly string[], number])[] = [
  [['accept_unresolvable_domains'], 0.6],
  [['accept_unqualified_senders'], 0.15],
  [['blocklist_recipients'], 0.6],
  [['delay_checks', 'delay_checks', 'delay_checks:friend', 'delay_checks:hater'], 0.45],
  [['access_db:skip'], 0.4],
  [['access_db:lookupdotdomain'], 0.25],
  [['access_db:relaytofulladdress'], 0.25],
  [['relay_hosts_only'], 0.2],
  [['relay_entire_domain'], 0.2],
  [['relay_local_from'], 0.1],
  [['relay_mail_from', 'relay_mail_from:domain'], 0.2],
  [['relay_based_on_MX'], 0.15],
  [['promiscuous_relay'], 0.04],
  [['loose_relay_check'], 0.15],
  [['require_rdns'], 0.15],
  [['nopercenthack:reject', 'nopercenthack:nospecial'], 0.2],
  [['nouucp:reject', 'nouucp:nospecial'], 0.2],
  [['TLS_PERM_ERR'], 0.15],
  [['confREJECT_MSG'], 0.1],
  [['confRELAY_MSG'], 0.1],
  [['confRCPTREJ_MSG'], 0.1],
  [['trust_auth_mech:EXTERNAL'], 0.3],
]

function makeSession(random: Random, certificates: number): GeneratedSession {
  const shows = random.chance(0.4) ? random.between(0, certificates - 1) : null
  return {
    host: pick(random, HOSTS),
    shows,
    cipherBits: random.chance(0.3) ? 128 : 256,
    authenticates: shows !== null && random.chance(0.2),
    mailFrom: random.chance(0.08) ? '<>' : `<${address(random)}>`,
    rcptTo: `<${address(random)}>`,
  }
}

function address(random: Random): string {
  const localPart = random.chance(0.2) ? pick(random, ROUTED_LOCAL_PARTS) : pick(random, LOCAL_PARTS)
  if (random.chance(0.06)) return localPart
  const domain = pick(random, ADDRESS_DOMAINS)
  const spelt = random.chance(0.1) ? domain.toUpperCase() : domain
  const route = random.chance(0.04) ? `@${pick(random, ['home.example', 'relay.example', 'dest.example'])}:` : ''
  return `${route}${localPart}@${spelt}`
}

export function pick<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[random.between(0, values.length - 1)]
  if (value === undefined) throw new Error('nothing to pick from')
  return value
}
