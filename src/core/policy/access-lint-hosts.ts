/**
 * Entries for hosts, networks and mail addresses in forms that are never looked up, and values that
 * give nothing there.
 */

import { foldCase } from './access-map.ts'
import { parseAccessValue } from './access-value.ts'
import { found, harmless, never } from './access-lint-finding.ts'
import type { LintContext, LintFinding } from './access-lint-finding.ts'
import { lintImpossibleHost, lintLocalPart } from './access-lint-keys.ts'
import { accessAddress } from './client-address.ts'
import type { AccessEntry } from './decision.ts'
import { formatNetwork, looksLikeNetwork, parseNetwork } from './networks.ts'

/** `Connect:` and untagged entries; `rest` is the key without its tag. */
export function lintHost(tag: string, rest: string, entry: AccessEntry, context: LintContext): readonly LintFinding[] {
  const prefix = entry.key.slice(0, entry.key.length - rest.length)
  if (tag === 'connect' && looksLikeNetwork(rest) && context.reading === 'postern') return lintNetwork(prefix, rest, context)
  if (tag === 'connect' && rest.includes('@')) return [never('connectAddress', 'a client has no mail address', `From:${rest}`)]
  if (rest.startsWith('[') && parseAccessValue(entry.value).kind === 'relay') {
    return [harmless('bracketedRelay', 'a client without a host name never relays by its name in brackets', `${prefix}${rest.slice(1, -1)}`)]
  }
  return lintDomainForm(prefix, rest)
}

function lintNetwork(prefix: string, rest: string, context: LintContext): readonly LintFinding[] {
  const network = parseNetwork(rest)
  if (!network.ok) {
    const { text, suggestion } = network.problem
    return [found('networkForm', text, suggestion === null ? null : `${prefix}${suggestion}`, suggestion === null ? 'write 192.0.2.0/24 or 2001:db8::/32' : null)]
  }
  if (context.networks.add(network.value, rest)) return []
  return [found('duplicateNetwork', `a line above is for the network ${formatNetwork(network.value)} already, and stays`, null, 'remove one of them')]
}

/** `.example.org` */
export const LEADING_DOT = 'leadingDot'

/** `To:joe@`, which sendmail looks up for domains whose mailboxes it has itself. */
export const LOCAL_PART_ALONE = 'localPartAlone'

/** `From:` and `To:` entries. */
export function lintAddress(tag: string, rest: string, entry: AccessEntry): readonly LintFinding[] {
  const prefix = entry.key.slice(0, entry.key.length - rest.length)
  if (!rest.includes('@') && ADDRESS.test(rest)) {
    return [never('bareAddress', 'in a mail address an IP address stands in brackets', `${prefix}[${rest}]`)]
  }
  if (tag === 'to' && rest.endsWith('@') && foldCase(rest) !== 'postmaster@') {
    return [harmless(LOCAL_PART_ALONE, 'Postern has no users of its own, so it never looks up a recipient by the local part alone', `${prefix}${rest}example.org`, null)]
  }
  if (parseAccessValue(entry.value).kind === 'relay') {
    if (tag === 'from') return [harmless('relayForSender', 'a sender address permits no relaying: sendmail takes it for OK', 'OK')]
    if (rest.includes('@')) {
      return [harmless('relayForMailbox', 'RELAY counts for whole domains only: sendmail takes it for OK, unless relaytofulladdress is on', `To:${rest.slice(rest.indexOf('@') + 1)}`)]
    }
  }
  return lintAfterAt(prefix, rest)
}

/** The domain of an address, or the whole key where it is a domain itself. */
export function lintAfterAt(prefix: string, rest: string): readonly LintFinding[] {
  const at = rest.indexOf('@') + 1
  if (at === 1) return [never('domainAfterAt', 'a domain stands without the @', `${prefix}${rest.slice(1)}`)]
  const local = at === 0 ? [] : lintLocalPart(prefix, rest.slice(0, at - 1), rest.slice(at))
  if (local.length > 0 || at === rest.length) return local
  return lintDomainForm(`${prefix}${rest.slice(0, at)}`, rest.slice(at))
}

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){0,3}|IPv6:.*)$/i

/** Forms of a domain or network that are never looked up. `prefix` is what stands before it in the key. */
export function lintDomainForm(prefix: string, rest: string): readonly LintFinding[] {
  if (/\/\d+$/.test(rest)) {
    const network = parseNetwork(rest)
    const isForClients = network.ok && (prefix === '' || /^(?:from|to):$/i.test(prefix))
    const suggestion = isForClients ? `Connect:${formatNetwork(network.value)}` : null
    return [never('cidr', 'only Postern reads networks in this form, and only for clients', suggestion, suggestion === null ? 'write 10.1 for 10.1.0.0/16' : null)]
  }
  if (/^ipv6:.*::/i.test(rest)) return [never('shortIpv6', 'addresses are looked up with all eight groups written out', `${prefix}${withoutGap(rest)}`)]
  if (rest.includes(':') && /^[0-9a-f:.]+$/i.test(rest)) {
    return [never('untaggedIpv6', 'IPv6 addresses are looked up with IPv6: in front', `${prefix}${withoutGap(`IPv6:${rest}`)}`)]
  }
  const network = /^(\d{1,3}(?:\.\d{1,3}){0,2}|IPv6(?::[0-9a-f]{1,4}){1,7})(?:[.:]\*)+$/i.exec(rest)?.[1]
  if (network !== undefined) return [never('wildcard', 'there are no wildcards; the beginning of an address is all of its network', `${prefix}${network}`)]
  if (/.\*/.test(rest)) return [never('wildcard', 'there are no wildcards; a domain covers all hosts below it')]
  if (/^\*\.?/.test(rest)) return [never('wildcard', 'there are no wildcards; a domain covers all hosts below it', `${prefix}${rest.replace(/^\*\.?/, '')}`)]
  if (/^\d{1,3}(?:\.\d{1,3}){0,2}\.$/.test(rest) || /[a-z]\.$/i.test(rest)) return [never('finalDot', 'a final dot is never looked up', `${prefix}${rest.slice(0, -1)}`)]
  if (rest.startsWith('.')) return [never(LEADING_DOT, 'without lookupdotdomain a leading dot is never looked up', `${prefix}${rest.slice(1)}`)]
  return lintImpossibleHost(prefix, rest)
}

/** `2001:db8::/32` without a tag: all before its first colon looks like one. */
export function lintBareIpv6(key: string): readonly LintFinding[] {
  if (!/^[0-9a-f]{1,4}:[0-9a-f:.]*(?:\/\d+)?$/i.test(key)) return []
  return lintDomainForm('', key)
}

function withoutGap(rest: string): string {
  const groups = rest.slice('IPv6:'.length)
  if (groups.endsWith('::')) return `IPv6:${groups.slice(0, -2)}`
  return groups.includes('::') ? accessAddress(groups) : rest
}
