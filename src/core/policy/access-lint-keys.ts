/**
 * Keys that no client, sender or recipient can have: characters that are in no host name, addresses that
 * are none, local parts as a header writes them.
 *
 * Such a line is never found. One that was to refuse somebody lets them in.
 */

import { never } from './access-lint-finding.ts'
import type { LintFinding } from './access-lint-finding.ts'

/** A host name, a domain, an address or the beginning of one. `prefix` is what stands before it in the key. */
export function lintImpossibleHost(prefix: string, rest: string): readonly LintFinding[] {
  // Nearly every key of a large map is of this kind.
  if (PLAIN.test(rest)) return []
  const tagged = /^(connect|from|to)=(.+)$/i.exec(rest)
  if (tagged !== null) return [never('equalsSign', 'a tag ends with a colon', `${tagged[1]}:${tagged[2]}`)]
  const odd = ODD_CHARACTER.exec(rest)?.[0]
  if (odd !== undefined) return [never('hostForm', `no host has a ${odd} in its name`, bareHost(prefix, rest), 'write one line for each host, domain or address')]
  if (rest.startsWith('[') !== rest.endsWith(']')) return [never('brackets', 'an address in brackets has both of them', `${prefix}[${rest.replaceAll(/[[\]]/g, '')}]`)]
  return lintImpossibleAddress(prefix, rest)
}

function lintImpossibleAddress(prefix: string, rest: string): readonly LintFinding[] {
  const [, open = '', address = '', close = ''] = /^(\[?)(.*?)(\]?)$/.exec(rest) ?? []
  if (/^\d[\d.]*-\d[\d.]*$/.test(address)) return [never('addressForm', 'there are no ranges of addresses', null, 'write 10.1 for 10.1.0.0/16')]
  if (/^\d+(?:\.\d+)*$/.test(address)) {
    const octets = address.split('.')
    if (octets.length <= 4 && octets.every(octet => /^(?:0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256)) return []
    const plain = octets.map(octet => octet.replace(/^0+(?=\d)/, ''))
    const isAddress = octets.length <= 4 && plain.every(octet => Number(octet) < 256)
    return [never('addressForm', `${address} is no address and no beginning of one`, isAddress ? `${prefix}${open}${plain.join('.')}${close}` : null)]
  }
  if (open !== '' && /^[0-9a-f]{0,4}:[0-9a-f:.]*$/i.test(address)) {
    return [never('untaggedIpv6', 'IPv6 addresses are looked up with IPv6: in front', `${prefix}[IPv6:${address}]`)]
  }
  if (!/^IPv6:/i.test(address)) return []
  const groups = address.slice('IPv6:'.length).split(':')
  if (groups.length <= 8 && groups.every(group => /^(?:0|[1-9a-f][0-9a-f]{0,3})$/i.test(group))) return []
  const plain = groups.map(group => group.replace(/^0+(?=.)/, ''))
  const isAddress = groups.length <= 8 && plain.every(group => /^[0-9a-f]{1,4}$/i.test(group))
  return [never('addressForm', 'addresses are looked up without leading zeros, in groups of at most four digits', isAddress ? `${prefix}${open}IPv6:${plain.join(':')}${close}` : null)]
}

/** The local part of an address; `tag` with its colon. */
export function lintLocalPart(tag: string, localPart: string, domain: string): readonly LintFinding[] {
  if (localPart === '*') return [never('wildcard', 'there are no wildcards; a domain is all of its users', `${tag}${domain}`)]
  if (domain.includes('@')) return [never('secondAt', 'an address has one @', null, 'write joe@example.org')]
  if (!/["<>()\\,;]/.test(localPart)) return []
  const plain = localPart.replaceAll(/["<>]/g, '')
  return [never('localPartForm', 'addresses are looked up without quotation marks and brackets', `${tag}${plain}@${domain.replaceAll('>', '')}`)]
}

/** The other side of a connection is a host. `prefix` is the tag with its colon. */
export function lintPeerKey(prefix: string, rest: string): readonly LintFinding[] {
  if (!rest.includes('@')) return []
  return [never('peerAddress', 'the other side of a connection is a host and has no mail address', `${prefix}${rest.slice(rest.indexOf('@') + 1)}`)]
}

/** ClientRate and ClientConn. */
export function lintAddressKey(prefix: string, rest: string): readonly LintFinding[] {
  if (rest === '' || /^(?:\d|IPv6(?::|$))/i.test(rest)) return []
  return [never('addressOnly', `${prefix} is looked up by the address of the client, and not by its name`, null, `write ${prefix}192.0.2`)]
}

/** A name that begins with a letter, and IPv4 addresses. */
const PLAIN = /^(?:[a-z][a-z0-9._-]*|(?:(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])(?:\.(?!$)|$)){1,4})$/i
const ODD_CHARACTER = /["'<>(),;=\\|/{}`]/

/** What is left of `http://example.org/`, `<example.org>` or `"example.org"`, if that is a host. */
function bareHost(prefix: string, rest: string): string | null {
  const host = rest.replace(/^[a-z]+:\/\//i, '').replaceAll(/["'<>]|\/.*$/g, '')
  return ODD_CHARACTER.test(host) || host === '' ? null : `${prefix}${host}`
}
