/** Sendmail and the policy side by side, over as many generated sessions as asked for. */

import { join } from 'node:path'
import { MAILBOXES, playRelaySession } from '../../vectors/access-relay.ts'
import type { RelayAnswer, RelaySession } from '../../vectors/access-relay.ts'
import type { ClientIdentity } from '../../../src/core/names/identity.ts'
import { parseAccessMap } from '../../../src/core/policy/access-map.ts'
import { compilePolicy, sendmailFeatures } from '../../../src/core/policy/policy.ts'
import { letters } from '../../../src/core/policy/session-terms.ts'
import { findPeerEntry } from '../../../src/core/policy/tls-requirements.ts'
import { makeCertificates } from './certificates.ts'
import type { Certificates, Shown } from './certificates.ts'
import { makeSite, makeTrial } from './generate.ts'
import type { GeneratedSession, Site, Trial } from './generate.ts'
import type { Names } from './generate-map.ts'
import { KNOWN_DIFFERENCES, isSame } from './known-differences.ts'
import type { Difference } from './known-differences.ts'
import { startNameServer } from './name-server.ts'
import { play } from './play.ts'
import type { Played } from './play.ts'
import { startReference } from './reference.ts'
import type { Reference } from './reference.ts'
import { HOSTNAME, LOCAL_DOMAINS, OWN_DOMAINS, RECORDS, RELAY_DOMAINS } from './world.ts'

export type Options = {
  readonly folder: string
  readonly seed: number
  readonly maps: number
  readonly sessions: number
  /** Only this map of the run. */
  readonly only: number | null
  readonly show: boolean
}

export type Comparison = {
  readonly compared: number
  readonly overTls: number
  /** Differences with a reason, by reason. */
  readonly known: ReadonlyMap<string, number>
  readonly unexplained: number
}

/** Starting Sendmail takes longer than a session, so so many maps share a site. */
const MAPS_OF_A_SITE = 6

/** Sendmail lets ten connections wait to be accepted; those beyond are not answered. */
const MOST_AT_ONCE = 6

export async function compareWithSendmail(options: Options, told: (line: string) => void): Promise<Comparison> {
  const nameServer = await startNameServer()
  const certificates = await makeCertificates()
  const counted = { compared: 0, overTls: 0, known: new Map<string, number>(), unexplained: 0 }
  for (let first = 0; first < options.maps; first += MAPS_OF_A_SITE) {
    const maps = Array.from({ length: Math.min(MAPS_OF_A_SITE, options.maps - first) }, (_, index) => first + index).filter(
      map => options.only === null || map === options.only,
    )
    if (maps.length === 0) continue
    const site = makeSite(seedOf(options.seed, first, 1))
    const reference = await startReference(join(options.folder, `site-${first}`), site, certificates, [...MAILBOXES])
    try {
      for (const map of maps) {
        const trial = makeTrial(seedOf(options.seed, map, 2), namesOf(certificates), certificates.shown.length, options.sessions)
        await reference.writeMap(trial.access)
        await compareTrial({ ...options, map, site, trial, certificates, reference }, counted, told)
      }
    } finally {
      await reference.stop()
    }
  }
  nameServer.close()
  return counted
}

type Setting = Options & { readonly map: number; readonly site: Site; readonly trial: Trial; readonly certificates: Certificates; readonly reference: Reference }
type Counted = { compared: number; overTls: number; known: Map<string, number>; unexplained: number }

async function compareTrial(setting: Setting, counted: Counted, told: (line: string) => void): Promise<void> {
  const { site, trial, certificates, reference } = setting
  const playOne = async (session: GeneratedSession): Promise<{ session: GeneratedSession; shown: Shown | null; sendmail: Played }> => {
    const shown = session.shows === null ? null : (certificates.shown[session.shows] ?? null)
    return { session, shown, sendmail: await play(session, shown, reference).catch((error: unknown) => failed(error)) }
  }
  const played = []
  for (let first = 0; first < trial.sessions.length; first += MOST_AT_ONCE) {
    played.push(...(await Promise.all(trial.sessions.slice(first, first + MOST_AT_ONCE).map(playOne))))
  }
  for (const { session, shown, sendmail } of played) {
    const asked = asQuestions(site, trial.access, session, shown)
    const postern = playRelaySession(asked)
    const difference: Difference = { session, asked, sendmail, postern }
    counted.compared += 1
    if (shown !== null) counted.overTls += 1
    const same = isSame(sendmail, postern)
    if (setting.show) told(describe(setting, difference, shown, sendmail.text))
    if (same) continue
    const known = KNOWN_DIFFERENCES.find(({ matches }) => matches(difference))
    if (known === undefined) {
      counted.unexplained += 1
      told(describe(setting, difference, shown, sendmail.text))
    } else {
      counted.known.set(known.reason, (counted.known.get(known.reason) ?? 0) + 1)
    }
  }
}

/** The session as the policy meets it. */
function asQuestions(site: Site, access: string, session: GeneratedSession, shown: Shown | null): RelaySession {
  const { address, name, resolve } = session.host
  const client = { name: resolve === 'OK' && name !== null ? name : `[${address}]`, address }
  const proved = shown === null ? null : withBits(asksFor(access, client) ? shown.identity : UNASKED, session.cipherBits)
  const auth = { command: 'AUTH EXTERNAL =', type: 'EXTERNAL', authen: null, author: null, ssf: '0' }
  return {
    config: { localDomains: LOCAL_DOMAINS, relayDomains: RELAY_DOMAINS, classM: OWN_DOMAINS, features: site.features },
    access,
    client: { addr: address, name: client.name, resolve },
    identity: proved,
    auth: session.authenticates && proved?.kind === 'verified' ? auth : null,
    dns: RECORDS,
    mailFrom: session.mailFrom,
    rcptTo: session.rcptTo,
  }
}

/** Srv_Features V and R: Sendmail asks this client for no certificate. */
function asksFor(access: string, client: { readonly name: string; readonly address: string }): boolean {
  const policy = compilePolicy({ ...NO_SITE, access: parseAccessMap(access, 'access').map })
  const value = findPeerEntry({ policy, because: [] }, 'Srv_Features', client)?.value ?? ''
  return !letters(value).some(letter => letter === 'V' || letter === 'R')
}

const UNASKED: ClientIdentity = { kind: 'anonymous', tls: { version: 'TLSv1.3', cipher: '', cipherBits: 256 } }
const NO_SITE = { hostname: HOSTNAME, localDomains: [], relayDomains: [], ownDomains: [], trustedMechanisms: [], senderBinding: 'off', features: sendmailFeatures } as const

function withBits(identity: ClientIdentity, cipherBits: number): ClientIdentity {
  return identity.kind === 'plaintext' ? identity : { ...identity, tls: { ...identity.tls, cipherBits } }
}

function failed(error: unknown): Played {
  return { action: 'failed', step: 'connect', code: 0, enhanced: '', text: String(error) }
}

function namesOf({ shown }: Certificates): Names {
  const certificates = shown.flatMap(({ identity }) => ('certificate' in identity ? [identity.certificate] : []))
  return { subjects: certificates.map(({ subject }) => subject), issuers: certificates.map(({ issuer }) => issuer) }
}

function seedOf(seed: number, map: number, purpose: number): number {
  return (seed * 1_000_003 + map * 4 + purpose) >>> 0
}

function describe(setting: Setting, { asked, session, sendmail, postern }: Difference, shown: Shown | null, text: string): string {
  const { host, cipherBits, authenticates, mailFrom, rcptTo } = session
  const shows = shown === null ? 'in clear' : `TLS ${cipherBits} bits, ${shown.name}${authenticates ? ', AUTH EXTERNAL' : ''}`
  const said = ({ step, code, enhanced, action }: RelayAnswer): string => `${step} ${code} ${enhanced} ${action}`
  return [
    '',
    `--seed ${setting.seed} --sessions ${setting.sessions} --maps ${setting.maps} --only ${setting.map}`,
    `site     ${asked.config.features.join(' ')}`,
    `client   ${host.address} ${host.name ?? ''} ${host.resolve}, ${shows}`,
    `session  ${mailFrom} to ${rcptTo}`,
    `sendmail ${said(sendmail)} (${text})`,
    `postern  ${said(postern)}`,
    ...asked.access.trimEnd().split('\n').map(line => `  ${line}`),
  ].join('\n')
}
