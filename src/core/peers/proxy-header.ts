/**
 * The PROXY protocol's header, versions 1 and 2: what a proxy sends before anything else, to say for
 * whom it speaks (HAProxy's doc/proxy-protocol.txt, "the specification" below).
 *
 * Whoever may say this may be anybody, so it is read from listed peers only, once, and strictly: what
 * is not exactly a header is none, and the connection is closed. Nothing in it is an identity; what
 * version 2 can tell of the client's TLS is read over like every other extension.
 */

import { crc32c } from './crc32c.ts'
import { formatAddress } from './ip-address.ts'

export type ProxyHeader = {
  /** Octets that belong to the header; what follows is the client's. */
  readonly length: number
  /** For whom the proxy speaks; null if for itself (LOCAL), or for somebody it cannot name (UNKNOWN). */
  readonly client: ProxiedClient | null
}

export type ProxiedClient = { readonly address: string; readonly port: number }

export type ProxyHeaderRead =
  | { readonly kind: 'read'; readonly header: ProxyHeader }
  /** All octets so far may be the beginning of a header. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly detail: string }

/** No header is longer than this, whatever it says of itself. */
export const LONGEST_HEADER_OCTETS = 4096

/** `bytes` is all that has come since the connection began. */
export function readProxyHeader(bytes: Buffer): ProxyHeaderRead {
  const isV2 = startsLike(bytes, V2_SIGNATURE)
  if (isV2 && bytes.length >= V2_SIGNATURE.length) return readV2(bytes)
  const isV1 = startsLike(bytes, V1_SIGNATURE)
  if (isV1 && bytes.length >= V1_SIGNATURE.length) return readV1(bytes)
  return isV1 || isV2 ? INCOMPLETE : malformed('it does not begin with a PROXY header')
}

const INCOMPLETE: ProxyHeaderRead = { kind: 'incomplete' }
const V1_SIGNATURE = Buffer.from('PROXY ', 'latin1')
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** Neither is longer than the other. */
function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length)
  return bytes.subarray(0, length).equals(signature.subarray(0, length))
}

/** Section 2.1 of the specification: `PROXY TCP4 192.0.2.7 192.0.2.1 56324 25` and CRLF. */
function readV1(bytes: Buffer): ProxyHeaderRead {
  const end = bytes.indexOf('\n')
  if (end === -1) return bytes.length >= V1_LONGEST_OCTETS ? malformed('its first line is too long') : INCOMPLETE
  if (end >= V1_LONGEST_OCTETS) return malformed('its first line is too long')
  const line = bytes.toString('latin1', 0, end + 1)
  if (!line.endsWith('\r\n') || line.indexOf('\r') !== line.length - 2) return malformed('its first line has a CR or LF that is not part of a CRLF')
  const [, family = '', ...rest] = line.slice(0, -2).split(' ')
  // Whatever stands behind UNKNOWN is to be read over.
  if (family === 'UNKNOWN') return read(end + 1, null)
  if (family !== 'TCP4' && family !== 'TCP6') return malformed('its protocol is none of TCP4, TCP6 and UNKNOWN')
  const [source = '', destination = '', sourcePort = '', destinationPort = '', ...more] = rest
  if (more.length > 0 || !isPort(sourcePort) || !isPort(destinationPort)) return malformed('it does not have two addresses and two ports')
  const client = addressOf(source, family)
  if (client === null || addressOf(destination, family) === null) return malformed(`its addresses are none of ${family}`)
  return read(end + 1, { address: client, port: Number(sourcePort) })
}

/** With its CRLF; the specification counts it out for the longest addresses there are. */
const V1_LONGEST_OCTETS = 107

/** "A decimal integer in the range [0..65535] inclusive. Heading zeroes are not permitted." */
function isPort(text: string): boolean {
  return /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535
}

/** The canonical address of the text, or null if it is none of the family. */
function addressOf(text: string, family: 'TCP4' | 'TCP6'): string | null {
  return text.includes(':') === (family === 'TCP6') ? formatAddress(text) : null
}

/** Section 2.2 of the specification. */
function readV2(bytes: Buffer): ProxyHeaderRead {
  if (bytes.length < V2_FIXED_OCTETS) return INCOMPLETE
  const length = V2_FIXED_OCTETS + bytes.readUInt16BE(14)
  if (length > LONGEST_HEADER_OCTETS) return malformed(`it says that it is ${length} octets long, and ${LONGEST_HEADER_OCTETS} is the most`)
  const [versionAndCommand = 0, family = 0] = bytes.subarray(12, 14)
  if (versionAndCommand >> 4 !== 2) return malformed('its version is not 2')
  const command = versionAndCommand & 0xf
  if (command !== LOCAL && command !== PROXY) return malformed('its command is neither LOCAL nor PROXY')
  if (bytes.length < length) return INCOMPLETE
  const header = bytes.subarray(0, length)
  return command === LOCAL ? read(length, null) : readProxied(header, family)
}

function readProxied(header: Buffer, family: number): ProxyHeaderRead {
  // The proxy speaks for somebody and has no name for it.
  if (family === UNSPECIFIED) return read(header.length, null)
  const octets = ADDRESS_OCTETS.get(family)
  // A client of the proxy's own UNIX socket is not the proxy, and has no address to be judged by.
  if (octets === undefined) return malformed('its family is neither TCP over IPv4 nor TCP over IPv6')
  const extensions = V2_FIXED_OCTETS + 2 * octets + 4
  if (header.length < extensions) return malformed('its addresses are cut short')
  const problem = checkExtensions(header, extensions)
  if (problem !== null) return malformed(problem)
  const address = addressOfOctets(header.subarray(V2_FIXED_OCTETS, V2_FIXED_OCTETS + octets))
  return read(header.length, { address, port: header.readUInt16BE(V2_FIXED_OCTETS + 2 * octets) })
}

const V2_FIXED_OCTETS = 16
const LOCAL = 0
const PROXY = 1
const UNSPECIFIED = 0
/** TCP over IPv4 and over IPv6: the octets of an address. */
const ADDRESS_OCTETS: ReadonlyMap<number, number> = new Map([
  [0x11, 4],
  [0x21, 16],
])

function addressOfOctets(octets: Buffer): string {
  if (octets.length === 4) return octets.join('.')
  const groups = Array.from({ length: 8 }, (_, at) => octets.readUInt16BE(2 * at).toString(16))
  return formatAddress(groups.join(':')) ?? ''
}

/** Type, length and value, one after the other. They must fill the header; only the checksum is looked at. */
function checkExtensions(header: Buffer, start: number): string | null {
  let at = start
  while (at < header.length) {
    const end = at + 3 <= header.length ? at + 3 + header.readUInt16BE(at + 1) : Infinity
    if (end > header.length) return 'an extension is longer than the header'
    if (header[at] === CHECKSUM && !checksumHolds(header, at + 3, end)) return 'its checksum is wrong'
    at = end
  }
  return null
}

const CHECKSUM = 3

/** "The checksum is computed over the whole header with the field itself set to zero." */
function checksumHolds(header: Buffer, at: number, end: number): boolean {
  if (end - at !== 4) return false
  const zeroed = Buffer.from(header)
  zeroed.fill(0, at, end)
  return crc32c(zeroed) === header.readUInt32BE(at)
}

function read(length: number, client: ProxiedClient | null): ProxyHeaderRead {
  return { kind: 'read', header: { length, client } }
}

function malformed(detail: string): ProxyHeaderRead {
  return { kind: 'malformed', detail }
}
