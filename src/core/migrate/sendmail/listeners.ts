/**
 * DAEMON_OPTIONS to listeners.
 *
 * sendmail has as many daemons as it is told, Postern three listeners by purpose: mx, submission and
 * submissions. Each daemon goes to the one whose purpose it has.
 */

import type { ListenerName } from '../../policy/decision.ts'
import type { Draft } from '../draft.ts'
import type { Source } from '../report.ts'
import { needsIdentity } from '../words.ts'
import { featureNamed, statementsOf, untold, wordsNamed } from './site.ts'
import type { SendmailSite } from './site.ts'

type Daemon = {
  readonly from: Source
  readonly name: string
  /** Null for a name that only the old host knows. */
  readonly port: number | null
  readonly host: string | null
  readonly family: 'inet' | 'inet6' | 'local'
  readonly modifiers: string
  readonly others: readonly string[]
}

/** Which listener each daemon became, by its name, as logs have it. */
type DaemonListeners = ReadonlyMap<string, ListenerName>

export function carryListeners(site: SendmailSite): DaemonListeners {
  const { draft } = site
  const daemons = daemonsOf(site)
  const became = new Map<string, ListenerName>()
  for (const [listener, own] of Map.groupBy(daemons.filter(({ family, port }) => family !== 'local' && port !== null), listenerFor)) {
    const [first] = own
    if (first !== undefined) carryDaemons(draft, listener, first, own)
    for (const daemon of own) became.set(daemon.name, listener)
  }
  for (const daemon of daemons) reportOptions(draft, daemon)
  const off = (['mx', 'submission', 'submissions'] as const).filter(name => ![...became.values()].includes(name))
  for (const name of off) draft.put({ file: '', line: 0, text: '' }, `listeners.${name}.enabled`, false)
  if (off.length > 0) draft.unneeded(untold(`no daemon for ${off.join(', ')}`), 'Listeners that sendmail did not have are off; enabled = true turns them on')
  return became
}

/** Those that are written, and those that sendmail adds. */
function daemonsOf(site: SendmailSite): readonly Daemon[] {
  const options = statementsOf(site, 'option').filter(({ name }) => name === 'DaemonPortOptions')
  const written = [
    ...wordsNamed(site, 'DAEMON_OPTIONS').map(word => parseDaemon(word, word.args.join(','))),
    ...options.map(option => parseDaemon(option, option.value)),
  ]
  // A .cf has the daemons that m4 added written out.
  if (options.length > 0) return written
  const standard = written.length === 0 ? [parseDaemon(untold('the daemon on port 25 that sendmail has without being told'), 'Name=MTA, Port=25')] : written
  if (featureNamed(site, 'no_default_msa') !== null || featureNamed(site, 'msp') !== null) return standard
  return [...standard, parseDaemon(untold('the daemon on port 587 that sendmail adds'), 'Port=587, Name=MSA, M=E')]
}

function parseDaemon(from: Source, text: string): Daemon {
  const parts = text.split(',').map(part => part.trim()).filter(part => part !== '')
  const value = (key: RegExp): string | null => {
    const part = parts.find(part => key.test(part))
    return part === undefined ? null : part.slice(part.indexOf('=') + 1).trim()
  }
  const family = (value(/^F[a-z]*\s*=/i) ?? 'inet').toLowerCase()
  const host = value(/^A[a-z]*\s*=/i)?.replace(/^ipv6:/i, '') ?? null
  return {
    from,
    name: value(/^N[a-z]*\s*=/i) ?? 'MTA',
    port: portOf(value(/^P[a-z]*\s*=/i) ?? '25'),
    host: host === '' || host === '0.0.0.0' || host === '::' ? null : host,
    family: family === 'inet6' || host?.includes(':') === true ? 'inet6' : family.startsWith('l') || family.startsWith('u') ? 'local' : 'inet',
    modifiers: value(/^M[a-z]*\s*=/) ?? '',
    others: parts.filter(part => !/^(?:[FANPM][a-z]*)\s*=/i.test(part)),
  }
}

export function portOf(text: string): number | null {
  const known: { readonly [name: string]: number } = { smtp: 25, submission: 587, msa: 587, smtps: 465, submissions: 465, ssmtp: 465, urd: 465 }
  return known[text.toLowerCase()] ?? (/^\d{1,5}$/.test(text) ? Number(text) : null)
}

function listenerFor({ port, modifiers }: Daemon): ListenerName {
  if (modifiers.includes('s') || port === 465) return 'submissions'
  return port === 587 || modifiers.includes('a') ? 'submission' : 'mx'
}

const USUAL_PORTS: { readonly [Name in ListenerName]?: number } = { mx: 25, submission: 587, submissions: 465 }

/** A listener has one address: any, or the first of them. */
function carryDaemons(draft: Draft, listener: ListenerName, first: Daemon, daemons: readonly Daemon[]): void {
  const anywhere = daemons.filter(({ host }) => host === null)
  const chosen = anywhere[0] ?? first
  const isBoth = anywhere.some(({ family }) => family === 'inet6') && anywhere.some(({ family }) => family === 'inet')
  draft.enableListener(chosen.from, listener, addressOf(chosen, listener, isBoth))
  for (const daemon of daemons) {
    const isCovered = daemon.port === chosen.port && (daemon === chosen || (daemon.host === null && isBoth))
    const address = String(draft.valueOf(`listeners.${listener}.address`) ?? `every address, port ${USUAL_PORTS[listener]}`)
    if (isCovered) draft.carried(daemon.from, `listeners.${listener}: ${address}`)
    else draft.todo(daemon.from, `A listener has one address in this version, and listeners.${listener} has ${address}: "[::]:${daemon.port}" would be every address of the host`)
  }
  if (listener !== 'mx') {
    draft.todo(chosen.from, needsIdentity(listener))
  }
}

/** Null for the listener's own default. */
function addressOf({ host, port, family }: Daemon, listener: ListenerName, isBoth: boolean): string | null {
  if (host !== null) return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  if (isBoth || family === 'inet6') return port === USUAL_PORTS[listener] ? null : `[::]:${port}`
  return `0.0.0.0:${port}`
}

/** Modifiers and keys that have no equal. Letters without a word here need none. */
const MODIFIERS: { readonly [letter: string]: string } = {
  S: 'Every listener of Postern offers STARTTLS',
  A: 'AUTH with a password is offered only to those who have one, within TLS: authentication = "certificate" under the listener turns it off. AUTH EXTERNAL stays, and gives nothing that the certificate does not give anyway',
  b: 'Postern chooses the source address of outgoing connections by its routes, not by the listener that mail came in on',
  f: 'Postern takes no sender without a domain',
  h: 'Postern gives the same name after EHLO everywhere: delivery.helo',
}

function reportOptions(draft: Draft, { from, port, family, modifiers, others }: Daemon): void {
  if (port === null) draft.todo(from, 'Postern wants the number of the port: write the address of a listener yourself')
  if (family === 'local') draft.todo(from, 'Postern takes SMTP over TCP only; [listeners.lmtp] can be a socket file')
  for (const letter of modifiers) {
    const words = MODIFIERS[letter]
    if (words !== undefined) draft.todo({ ...from, text: `M=${letter} in ${from.text}` }, words)
  }
  if (others.length > 0) draft.todo({ ...from, text: others.join(', ') }, 'Postern has no settings for one listener but its address and client-ca: limits are for all, in [limits]; there are no milters')
}
