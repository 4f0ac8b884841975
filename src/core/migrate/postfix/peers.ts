/**
 * Clients that Postfix treated apart by their address: who may say XCLIENT, what proxies say, and whom
 * no rate counts for.
 */

import type { ListenerName } from '../../policy/decision.ts'
import { parseNetwork } from '../../policy/networks.ts'
import type { Source } from '../report.ts'
import { listed } from './main-cf.ts'
import type { PostfixSite } from './site.ts'

const LISTENERS = ['mx', 'submission', 'submissions'] as const

export function carryPeers(site: PostfixSite): void {
  const { main, draft, spokenOf } = site
  const xclient = take(site, 'smtpd_authorized_xclient_hosts')
  const enabled = LISTENERS.filter(name => draft.valueOf(`listeners.${name}.enabled`) === true)
  if (xclient !== null) for (const listener of enabled) carryPeersOf(site, xclient, xclient.value, `listeners.${listener}.xclient-from`)
  const exempt = take(site, 'smtpd_client_event_limit_exceptions')
  if (exempt !== null) carryPeersOf(site, exempt, exempt.value, 'limits.exempt')
  for (const name of PROXY_PARAMETERS) {
    const proxy = main.get(name)
    spokenOf.add(name)
    if (proxy !== null) draft.todo(proxy, adviceOnProxy('mx'))
  }
}

function take({ main, spokenOf }: PostfixSite, name: string): ReturnType<PostfixSite['main']['get']> {
  const parameter = main.get(name)
  if (parameter !== null) spokenOf.add(name)
  return parameter
}

/** The same, set for one service of master.cf. False if this is something else. */
export function carryPeerOverride(site: PostfixSite, from: Source, listener: ListenerName, [name, value]: readonly [string, string]): boolean {
  if (PROXY_PARAMETERS.has(name)) site.draft.todo(from, adviceOnProxy(listener))
  else if (name === 'smtpd_authorized_xclient_hosts') carryPeersOf(site, from, site.main.expand(value), `listeners.${listener}.xclient-from`)
  else return false
  return true
}

const PROXY_PARAMETERS: ReadonlySet<string> = new Set(['smtpd_upstream_proxy_protocol', 'postscreen_upstream_proxy_protocol'])

function adviceOnProxy(listener: ListenerName): string {
  return `Postern reads the PROXY protocol from listed proxies only: write their addresses as proxy-from = ["192.0.2.5"] under [listeners.${listener}]`
}

function carryPeersOf({ draft }: PostfixSite, from: Source, value: string, setting: string): void {
  const peers: string[] = []
  for (const member of listed(value)) {
    const plain = member.replaceAll(/[[\]]/g, '')
    const network = parseNetwork(plain.includes('/') ? plain : `${plain}/${plain.includes(':') ? 128 : 32}`)
    if (network.ok) peers.push(plain)
    else draft.todo({ ...from, text: `${member} in ${from.text}` }, `Postern knows these peers by addresses and networks only: add those that this stands for to ${setting}`)
  }
  if (peers.length > 0) draft.set(from, setting, [...new Set(peers)])
}
