/**
 * XCLIENT, as Postfix documents it (XCLIENT_README): a filter or proxy in front of us says for whom it
 * speaks, in place of its own address.
 *
 * Whoever may say this may be anybody. What cannot be read is no reason to go on with the peer's own
 * address, which may be allowed more than the client; the session ends then. LOGIN is read and gives
 * nothing: who may relay as whom is proved to us, and never told to us.
 *
 * Deviates: ADDR must be there, since policy and limits are about an address.
 */

import type { ClientHost, ClientName } from '../policy/decision.ts'
import { fail, ok, type Result } from '../result.ts'
import { formatAddress } from './ip-address.ts'

export type Introduction = {
  readonly host: ClientHost
  /** What the client has said after EHLO or HELO; null if nothing, or if that is not known. */
  readonly hello: { readonly name: string; readonly extended: boolean } | null
  /** The name that the client has logged in with, in the peer's words. For the log alone. */
  readonly login: string | null
}

/** What EHLO lists: what has an effect here, or is at least checked. */
export const XCLIENT_KEYWORD = 'XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT'

/** `argument` is what stands behind the verb. The problem is for the peer's administrator. */
export function parseXclient(argument: string): Result<Introduction, string> {
  const values = new Map<Attribute, Value>()
  for (const word of argument.split(' ').filter(word => word !== '')) {
    const [, name = '', written = ''] = /^([A-Za-z]+)=([!-~]*)$/.exec(word) ?? []
    const attribute = ATTRIBUTES.find(known => known === name.toUpperCase())
    if (attribute === undefined) return fail('An attribute that is not known')
    if (values.has(attribute)) return fail(`${attribute} twice`)
    const value = readValue(written)
    if (value === null || !isValueOf(attribute, value)) return fail(`${attribute} cannot be read`)
    values.set(attribute, value)
  }
  const address = values.get('ADDR')
  if (typeof address !== 'string') return fail('ADDR must be given')
  return ok({
    host: { address: addressOf(address) ?? '', name: nameOf(values.get('NAME')) },
    hello: helloOf(values.get('HELO'), values.get('PROTO')),
    login: textOf(values.get('LOGIN')),
  })
}

type Attribute = (typeof ATTRIBUTES)[number]
const ATTRIBUTES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN', 'DESTADDR', 'DESTPORT'] as const

/** The peer does not know, for good or for now. */
const UNAVAILABLE = Symbol('[UNAVAILABLE]')
const TEMPUNAVAIL = Symbol('[TEMPUNAVAIL]')
type Value = string | typeof UNAVAILABLE | typeof TEMPUNAVAIL

/** RFC 3461 §4: xtext writes some octets as `+` and two digits. Null if it is none, or no text without control characters. */
function readValue(written: string): Value | null {
  if (/\+(?![0-9A-F]{2})/.test(written)) return null
  const octets = written.replaceAll(/\+([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
  const text = Buffer.from(octets, 'latin1').toString()
  if (text === '' || /[\p{Cc}\ufffd]/u.test(text)) return null
  if (text.toUpperCase() === '[UNAVAILABLE]') return UNAVAILABLE
  if (text.toUpperCase() === '[TEMPUNAVAIL]') return TEMPUNAVAIL
  return text
}

function isValueOf(attribute: Attribute, value: Value): boolean {
  if (value === TEMPUNAVAIL) return attribute === 'NAME'
  if (value === UNAVAILABLE) return attribute !== 'ADDR' && attribute !== 'PROTO'
  switch (attribute) {
    case 'NAME':
      return HOST_NAME.test(value)
    case 'ADDR':
    case 'DESTADDR':
      return addressOf(value) !== null
    case 'PORT':
    case 'DESTPORT':
      return /^[0-9]{1,5}$/.test(value) && Number(value) <= 65_535
    case 'PROTO':
      return value === 'SMTP' || value === 'ESMTP'
    case 'HELO':
      return HELLO_NAME.test(value)
    case 'LOGIN':
      return true
  }
}

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*$/
const HELLO_NAME = /^[!-~]{1,255}$/

/** IPv6 addresses have `IPV6:` in front, and IPv4 addresses have not. */
function addressOf(written: string): string | null {
  const bare = written.replace(/^ipv6:/i, '')
  return bare.includes(':') === (bare !== written) ? formatAddress(bare) : null
}

/** Null while nobody has looked the name up. The peer's word on it counts, as its word on the address does. */
function nameOf(value: Value | undefined): ClientName | null {
  if (value === undefined) return null
  if (value === TEMPUNAVAIL) return { resolve: 'TEMP' }
  return value === UNAVAILABLE ? { resolve: 'FAIL' } : { resolve: 'OK', name: value.toString().toLowerCase() }
}

function helloOf(name: Value | undefined, protocol: Value | undefined): Introduction['hello'] {
  return typeof name === 'string' ? { name, extended: protocol !== 'SMTP' } : null
}

function textOf(value: Value | undefined): string | null {
  return typeof value === 'string' ? value : null
}
