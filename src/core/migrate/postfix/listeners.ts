/**
 * The services of master.cf to listeners.
 */

import type { ListenerName } from '../../policy/decision.ts'
import { listed } from './main-cf.ts'
import type { Service } from './master-cf.ts'
import { needsIdentity } from '../words.ts'
import { carryPeerOverride } from './peers.ts'
import { untold } from './site.ts'
import type { PostfixSite } from './site.ts'

export function carryListeners(site: PostfixSite): void {
  const { draft, main, services, spokenOf } = site
  spokenOf.add('inet_interfaces').add('inet_protocols')
  const interfaces = main.get('inet_interfaces')
  const taken = new Set<ListenerName>()
  for (const service of services) {
    if (service.type !== 'inet' || !['smtpd', 'postscreen'].includes(service.command)) continue
    const place = placeOf(service)
    const listener = listenerFor(place, service)
    if (listener === null || taken.has(listener)) {
      draft.todo(service, 'A listener has one address in this version, and its purpose: mx, submission or submissions')
      continue
    }
    taken.add(listener)
    const address = place.host === '' ? addressFor(site, place.port) : `${place.host}:${place.port}`
    draft.enableListener(service, listener, address)
    draft.carried(service, `listeners.${listener}: ${address ?? `every address, port ${place.port}`}`)
    if (listener !== 'mx') draft.todo(service, needsIdentity(listener))
    reportOverrides(site, service, listener)
  }
  if (services.length === 0) {
    taken.add('mx')
    draft.enableListener(untold(''), 'mx', addressFor(site, 25))
    draft.todo(untold('master.cf'), 'it is not here: copy it into this folder and migrate again, or see that the listeners in postern.toml are those that you want')
  }
  for (const parameter of [interfaces, main.get('inet_protocols')]) {
    if (parameter !== null) draft.carried(parameter, `listeners.mx: ${String(draft.valueOf('listeners.mx.address') ?? 'every address, port 25')}`)
  }
  for (const name of LISTENERS) if (!taken.has(name)) draft.put({ file: '', line: 0, text: '' }, `listeners.${name}.enabled`, false)
}

const LISTENERS = ['mx', 'submission', 'submissions'] as const

type ServicePlace = { readonly host: string; readonly port: number }

/** `smtp`, `127.0.0.1:submission`, `[::1]:2525`. */
function placeOf({ name }: Service): ServicePlace {
  const [, host = '', port = name] = /^(?:(.*):)?([^:\]]+)$/.exec(name) ?? []
  const known: { readonly [name: string]: number } = { smtp: 25, submission: 587, smtps: 465, submissions: 465, urd: 465 }
  return { host, port: known[port] ?? (Number.parseInt(port, 10) || 0) }
}

function listenerFor({ port }: ServicePlace, { overrides }: Service): ListenerName | null {
  if (overrides.get('smtpd_tls_wrappermode') === 'yes' || port === 465) return 'submissions'
  if (port === 587) return 'submission'
  // A port for mail that comes back from a filter is none for the world.
  return overrides.get('content_filter') === '' || port === 0 ? null : 'mx'
}

/** Null for every address, both kinds, on the listener's own port. */
function addressFor({ main }: PostfixSite, port: number): string | null {
  const [first = 'all', ...others] = listed(main.value('inet_interfaces'))
  if (first === 'loopback-only' || first === 'localhost') return `127.0.0.1:${port}`
  if (first !== 'all' && others.length === 0 && /^[\d.]+$|:/.test(first)) return first.includes(':') ? `[${first.replaceAll(/[[\]]/g, '')}]:${port}` : `${first}:${port}`
  if (main.value('inet_protocols') === 'ipv4') return `0.0.0.0:${port}`
  return [25, 465, 587].includes(port) ? null : `[::]:${port}`
}

/** What a service sets for itself is for one listener, and Postern's settings are for all. */
function reportOverrides(site: PostfixSite, service: Service, listener: ListenerName): void {
  for (const [name, value] of service.overrides) {
    if (HARMLESS.test(name) || (listener !== 'mx' && RESTRICTIONS.test(name))) continue
    const from = { ...service, text: `-o ${name}=${value}` }
    if (carryPeerOverride(site, from, listener, [name, value])) continue
    site.draft.todo(from, 'Postern has no such setting for one listener: limits are for all, submission and submissions ask for an identity, mx does not')
  }
}

const HARMLESS = /^(?:syslog_name|smtpd_tls_wrappermode|smtpd_tls_security_level|smtpd_tls_auth_only|milter_macro_daemon_name|smtpd_reject_unlisted_recipient|smtpd_sasl_auth_enable|smtpd_tls_ask_ccert)$/

/** On submission they come to "whoever has an identity". */
const RESTRICTIONS = /^smtpd_(?:client|helo|sender|recipient|relay)_restrictions$/

/** Services that no listener is made of. */
export function reportServices({ draft, services }: PostfixSite): void {
  for (const service of services) {
    if (service.type === 'inet' && ['smtpd', 'postscreen'].includes(service.command)) continue
    if (service.command === 'pipe') draft.todo(service, 'Postern gives mail to no program: if a transport used this, name a server with SMTP')
    else draft.unneeded(service, 'a process of Postfix itself')
  }
}
