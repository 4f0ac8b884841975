/**
 * The forms of values in postern.toml: what each looks like, and what to write instead of a wrong one.
 *
 * A form parses to a value that can't be wrong; nothing after it checks again. `form` in a schema's
 * metadata is the name under which the manual page explains it.
 */

import { z } from 'zod'
import type { Rate } from '../limits/rate.ts'
import { canonicalDomain } from '../names/address.ts'
import { NON_ASCII, toALabels } from '../names/idna.ts'
import { parsePeer } from '../peers/peer-list.ts'
import type { Network } from '../policy/networks.ts'
import { assert, fail, ok, type Result } from '../result.ts'
import { DURATION_HINT, parseDuration, parseSize, SIZE_HINT } from '../time.ts'

export type HostPort = { readonly host: string; readonly port: number }

/** Where a listener is: an address and a port, or a UNIX socket by its path. */
export type UnixAddress = { readonly unixPath: string }

/** What the manual page says of each form. */
export const FORMS = {
  duration: 'a number and a unit: `30s`, `5m`, `4h`, `5d`',
  size: 'a number and a unit: `512B`, `64KiB`, `50MiB`, `2GiB`',
  rate: 'so much in so much time: `120/1m`, for octets `2GiB/1h`; or `unlimited`',
  'HOST:PORT': 'a host name or IP address and a port; IPv6 addresses in brackets: `[2001:db8::9]:25`',
  'HOST:PORT or UNIX socket': 'as HOST:PORT, or `unix:` and the whole path of a socket: `unix:/run/postern/lmtp.sock`',
  path: 'a file; relative paths start at the data directory',
  domain: 'a domain name, without `@` or a leading dot',
  network: 'an IP address, or a network: `192.0.2.0/24`, `2001:db8::/32`',
  'IP address': 'an IPv4 or IPv6 address; with a port as `127.0.0.1:5353` or `[::1]:5353`',
} as const

/** Whole seconds, from one up to `most` (in the words of a duration). */
export function duration(most = '10000d') {
  return parsed('duration', DURATION_HINT, parseDuration, '1s', most)
}

/** Whole bytes, from `least` up to `most` (in the words of a size). */
export function size(least: string, most: string) {
  return parsed('size', SIZE_HINT, parseSize, least, most)
}

const RATE_HINTS = {
  count: 'write a number and a time, such as "120/1m", or "unlimited"',
  size: 'write a size and a time, such as "2GiB/1h", or "unlimited"',
}

/** `120/1m`; null for `unlimited`. */
export function rate(of: 'count' | 'size') {
  return z
    .string({ error: RATE_HINTS[of] })
    .transform((text, context): Rate | null => {
      if (text === 'unlimited') return null
      const [amount = '', time = '', ...rest] = text.split('/')
      const parsedAmount = of === 'size' ? parseSize(amount) : /^[0-9]{1,12}$/.test(amount) ? ok(Number(amount)) : fail('')
      const seconds = parseDuration(time)
      if (rest.length === 0 && parsedAmount.ok && seconds.ok && parsedAmount.value > 0 && seconds.value > 0) {
        return { amount: parsedAmount.value, seconds: seconds.value }
      }
      context.issues.push({ code: 'custom', message: RATE_HINTS[of], input: text })
      return z.NEVER
    })
    .meta({ form: 'rate' })
}

const HOST_PORT_HINT = 'write HOST:PORT, such as "mail.example.org:25", "192.0.2.1:25" or "[2001:db8::9]:25"'
export const nextHop = hostPort(1)
/** Port 0 lets the system choose, and the `ready` log line says what it chose. */
export const listenAddress = hostPort(0)

export const path = z
  .string({ error: 'write a file name in quotes' })
  .min(1, { error: 'write a file name; leave the key out for the default' })
  .refine(text => !text.includes('\0'), { error: 'a file name holds no NUL' })
  .meta({ form: 'path' })

const LOCAL_ADDRESS_HINT = 'write HOST:PORT, or "unix:" and the whole path of a socket: "unix:/run/postern/lmtp.sock"'
/** As `listenAddress`, or `unix:/run/postern/lmtp.sock`. */
export const localListenAddress = z
  .string({ error: LOCAL_ADDRESS_HINT })
  .transform((text, context): HostPort | UnixAddress => {
    const address = text.startsWith('unix:') ? parseUnixPath(text.slice('unix:'.length)) : parseHostPort(text, 0)
    if (address !== null) return address
    context.issues.push({ code: 'custom', message: LOCAL_ADDRESS_HINT, input: text })
    return z.NEVER
  })
  .meta({ form: 'HOST:PORT or UNIX socket' })

/** unix(7): the kernel has room for 108 octets with the NUL behind them. */
function parseUnixPath(text: string): UnixAddress | null {
  return /^\/[!-~]{1,106}$/.test(text) && !text.endsWith('/') ? { unixPath: text } : null
}

/** Of an account or a group of this system. */
export const accountName = z
  .string({ error: 'write a name as in /etc/passwd or /etc/group' })
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, { error: 'write a name as in /etc/passwd or /etc/group' })

const MODE_HINT = 'write the permissions as an octal number in quotes: "0660"'
export const socketMode = z
  .string({ error: MODE_HINT })
  .regex(/^0?[0-7]{3}$/, { error: MODE_HINT })
  .transform(text => Number.parseInt(text, 8))

const DOMAIN_HINT = 'write a domain such as "example.org", without "@" or a leading dot'
export const domain = z
  .string({ error: DOMAIN_HINT })
  .refine(isDomain, { error: DOMAIN_HINT })
  .transform(canonicalDomain)
  .meta({ form: 'domain' })

const DOMAIN_OR_BELOW_HINT = 'write "example.org" for a domain, or ".example.org" for all below it'
export const domainOrBelow = z
  .string({ error: DOMAIN_OR_BELOW_HINT })
  .refine(text => isDomain(text.replace(/^\./, '')), { error: DOMAIN_OR_BELOW_HINT })
  .transform(canonicalDomain)
  .meta({ form: 'domain' })

const ROUTE_DOMAIN_HINT = 'write "example.org" for a domain, ".example.org" for all below it, or "*" for every other'
export const routeDomain = z
  .string({ error: ROUTE_DOMAIN_HINT })
  .refine(text => text === '*' || isDomain(text.replace(/^\./, '')), { error: ROUTE_DOMAIN_HINT })
  .transform(canonicalDomain)
  .meta({ form: 'domain' })

const HOSTNAME_HINT = 'write this machine\'s full name, such as "mail.example.org", or "localhost" to try things out'
export const hostname = z
  .string({ error: HOSTNAME_HINT })
  .refine(text => text.toLowerCase() === 'localhost' || (text.includes('.') && isHostname(text)), { error: HOSTNAME_HINT })
  .transform(text => text.toLowerCase())

const IP_HINT = 'write an IP address, such as "192.0.2.1" or "2001:db8::9"'
export const ipAddress = z.string({ error: IP_HINT }).refine(isIpAddress, { error: IP_HINT }).meta({ form: 'IP address' })

export const peer = z
  .string({ error: 'write an IP address or a network: "10.0.0.5", "192.0.2.0/24"' })
  .transform((text, context): Network => {
    const parsedPeer = parsePeer(text)
    if (parsedPeer.ok) return parsedPeer.value
    context.issues.push({ code: 'custom', message: parsedPeer.problem, input: text })
    return z.NEVER
  })
  .meta({ form: 'network' })

const RESOLVER_HINT = 'write the IP address of a DNS server, with a port if it is not 53: "127.0.0.1", "[::1]:5353"'
export const resolver = z
  .string({ error: RESOLVER_HINT })
  .transform((text, context): HostPort => {
    const address = isIpAddress(text) ? { host: text, port: 53 } : parseHostPort(text, 1)
    if (address !== null && isIpAddress(address.host)) return address
    context.issues.push({ code: 'custom', message: RESOLVER_HINT, input: text })
    return z.NEVER
  })
  .meta({ form: 'IP address' })

/** A whole number from 1 up to `most`. */
export function count(most: number) {
  const hint = `write a whole number from 1 to ${most}`
  return z.int({ error: hint }).min(1, { error: hint }).max(most, { error: hint })
}

export function flag() {
  return z.boolean({ error: 'write true or false, without quotes' })
}

export function oneOf<const Word extends string>(words: readonly [Word, ...Word[]]) {
  return z.enum(words, { error: `write one of ${words.map(word => `"${word}"`).join(', ')}` })
}

/** `hint` says what to write when it isn't a list at all; elements have their own words. */
export function listOf<Element extends z.ZodType>(element: Element, hint: string) {
  return z.array(element, { error: hint })
}

/** One or more labels of letters, digits and inner hyphens; letters of any script (RFC 5890 §2.3.2.1). */
export function isDomain(text: string): boolean {
  const label = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_-]{0,61}[\p{L}\p{M}\p{N}_])?$/u
  return text.length <= 253 && text.split('.').every(part => label.test(part)) && (!NON_ASCII.test(text) || toALabels(text) !== null)
}

/** A host name as RFC 1123 §2.1 has it: ASCII, and not all digits, which would be an address. */
export function isHostname(text: string): boolean {
  const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
  return text.length <= 253 && text.split('.').every(part => label.test(part)) && !/\.?[0-9]+$/.test(text)
}

export function isIpAddress(text: string): boolean {
  return z.regexes.ipv4.test(text) || z.regexes.ipv6.test(text)
}

/** Null if it isn't HOST:PORT with a port of at least `lowest`. */
export function parseHostPort(text: string, lowest: 0 | 1): HostPort | null {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  const host = bracketed ?? plain ?? ''
  const known = bracketed === undefined ? z.regexes.ipv4.test(host) || isHostname(host) : z.regexes.ipv6.test(host)
  return known && port >= lowest && port <= 65535 ? { host: host.toLowerCase(), port } : null
}

export function formatHostPort(address: HostPort): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

function hostPort(lowest: 0 | 1) {
  return z
    .string({ error: HOST_PORT_HINT })
    .transform((text, context): HostPort => {
      const address = parseHostPort(text, lowest)
      if (address !== null) return address
      context.issues.push({ code: 'custom', message: HOST_PORT_HINT, input: text })
      return z.NEVER
    })
    .meta({ form: 'HOST:PORT' })
}

type Quantity = (text: string) => Result<number, string>

function parsed(form: keyof typeof FORMS, hint: string, parse: Quantity, least: string, most: string) {
  const bound = (text: string): number => {
    const result = parse(text)
    assert(result.ok, `the bound ${text} is well formed`)
    return result.value
  }
  const [lowest, highest] = [bound(least), bound(most)]
  return z
    .string({ error: hint })
    .transform((text, context) => {
      const result = parse(text)
      if (result.ok && result.value >= lowest && result.value <= highest) return result.value
      const message = result.ok ? `write a value from ${least} to ${most}` : result.problem
      context.issues.push({ code: 'custom', message, input: text })
      return z.NEVER
    })
    .meta({ form })
}
