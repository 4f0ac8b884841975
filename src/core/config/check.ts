/**
 * What a configuration gives away, though nothing in it is wrong.
 *
 * Weakening is possible and explicit; this lists it, so that nobody does it without knowing.
 */

import { findRoute } from '../message/route.ts'
import type { KeyPath } from './key-lines.ts'
import type { Config } from './schema.ts'

export type Weakness = { readonly path: KeyPath; readonly text: string }

export function weaknessesOf(config: Config): readonly Weakness[] {
  const found: Weakness[] = []
  const add = (path: KeyPath, text: string): void => void found.push({ path, text })
  const { relay, delivery, routes, listeners, queue, hostname, web } = config

  if (hostname === 'localhost') add(['hostname'], 'other servers will not take mail from "localhost"; set this machine\'s full name before you deliver for real')
  if (relay.senderBinding === 'warn') add(['relay', 'sender-binding'], 'a certificate can send from any address, and is only logged; "enforce" refuses it')
  if (relay.headerFromBinding === 'off') add(['relay', 'header-from-binding'], 'a certificate can write as anybody in From, and nothing tells of it; "warn" logs it, "enforce" refuses it')
  if (relay.senderBinding === 'off') add(['relay', 'sender-binding'], 'a certificate can send from any address; "enforce" refuses it')
  if (relay.compatibility === 'sendmail') add(['relay', 'compatibility'], 'mistakes in the access map are loaded, and some of them let everybody in; "postern" refuses them')
  if (delivery.smarthost !== null && delivery.tls === 'none') add(['delivery', 'tls'], 'mail to the smarthost goes in clear; "verify" protects it')
  if (delivery.smarthost === null && delivery.tls === 'none') add(['delivery', 'tls'], 'all mail leaves in clear; "opportunistic" encrypts where it can')
  if (delivery.smarthost === null && (delivery.tls === 'encrypt' || delivery.tls === 'verify')) {
    add(['delivery', 'tls'], `many MX hosts cannot satisfy "${delivery.tls}", and mail to them will wait until it bounces; set it for single domains in [[route]]`)
  }
  const unrouted = delivery.smarthost === null ? [] : domainsWithoutRoute(config)
  if (unrouted.length > 0) {
    add(['relay', 'domains'], `mail that anybody sends to ${listed(unrouted)} goes to the smarthost, which may send it back here; write a [[route]] to the server that has the mailboxes`)
  }
  for (const [index, route] of routes.entries()) {
    if (route.tls === 'none') add(['route', index, 'tls'], `mail for ${route.domain} goes in clear; "verify" protects it`)
  }
  if (listeners.lmtp.enabled && listeners.lmtp.relay) add(['listeners', 'lmtp', 'relay'], 'every program that may write to the LMTP socket can send to everybody')
  for (const name of ['submission', 'submissions'] as const) {
    if (listeners[name].xclientFrom.length === 0) continue
    add(['listeners', name, 'xclient-from'], 'whomever a peer speaks for is refused (530): nobody sends here without an identity, and XCLIENT gives none; let it use "mx", or the PROXY protocol (proxy-from)')
  }
  if (web.address !== null) add(['web', 'address'], 'nothing listens here yet: the pages come in a later version')
  if (Object.values(listeners).every(listener => !listener.enabled)) add(['listeners'], 'every listener is off: no mail can come in')
  // RFC 5321 §4.5.4.1: retries go on for 4-5 days at least.
  if (queue.lifetimeSeconds < 4 * DAY) add(['queue', 'lifetime'], 'an outage of a few days at a recipient makes mail bounce; RFC 5321 asks for four days or more')
  if (queue.delayWarningSeconds !== null && queue.delayWarningSeconds >= queue.lifetimeSeconds) {
    add(['queue', 'delay-warning'], 'the warning would come after the bounce; make it shorter than queue.lifetime, or "never"')
  }
  return found
}

/** Domains that we take mail for, and send it where all other mail goes. */
function domainsWithoutRoute({ relay, routes }: Config): readonly string[] {
  const byDomain = new Map(routes.map(route => [route.domain.toLowerCase(), route]))
  return relay.domains.map(domain => domain.toLowerCase()).filter(domain => findRoute(domain, byDomain) === null)
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ')
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more of relay.domains` : shown
}

const MOST_NAMES = 5
const DAY = 86_400
