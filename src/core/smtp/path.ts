/**
 * Reverse-paths and forward-paths (RFC 5321 §4.1.2-3, with the letters of RFC 6531 §3.3).
 *
 * What is accepted here has one reading only. A path that two programs could take apart differently
 * is how a relay is talked into sending where it should not (S15), so whatever the grammar leaves out
 * is refused, and the result is one canonical text: minimal quoting, no source route.
 */

import { formatAddress } from '../names/address.ts'
import { NON_ASCII, toALabels } from '../names/idna.ts'
import { fail, ok, type Result } from '../result.ts'

export type Path = {
  /** Without angle brackets; '' is the null reverse-path. The domain is spelt as the client did. */
  readonly address: string
  /** All of it is ASCII; if not, it needs SMTPUTF8. */
  readonly isAscii: boolean
}

/** Which part is not as the grammar has it. */
export type PathProblem = { readonly detail: string }

/** RFC 5321 §4.5.3.1.3, with the angle brackets; a local part and a domain of full size do not fit. */
const PATH_LIMIT_OCTETS = 256
/** RFC 5321 §4.5.3.1.2. The local part's 64 octets (§4.5.3.1.1) are less than mailing lists make. */
const DOMAIN_LIMIT_OCTETS = 255
/** RFC 1035 §2.3.4. */
const LABEL_LIMIT_OCTETS = 63

/**
 * A path with its angle brackets. Deviates: `<>` and a local part alone are accepted. Which of them
 * may be used where depends on the command and, beyond `<postmaster>` (RFC 5321 §4.5.1), on the policy.
 */
export function parsePath(text: string): Result<Path, PathProblem> {
  const isAscii = !NON_ASCII.test(text)
  const octets = isAscii ? text.length : Buffer.byteLength(text)
  if (octets > PATH_LIMIT_OCTETS) return syntax(`longer than ${PATH_LIMIT_OCTETS} octets`)
  if (!text.startsWith('<') || !text.endsWith('>')) return syntax('write it in angle brackets')
  if (text === '<>') return ok({ address: '', isAscii })
  const mailbox = withoutRoute(text.slice(1, -1))
  if (mailbox === null) return syntax('the source route is malformed')
  return parseMailbox(mailbox, isAscii)
}

/** RFC 5321 §4.1.2: Mailbox = Local-part "@" ( Domain / address-literal ). */
function parseMailbox(mailbox: string, isAscii: boolean): Result<Path, PathProblem> {
  const [spelling = ''] = LOCAL_PART.exec(mailbox) ?? []
  if (spelling === '') return syntax('the part before the @ is malformed')
  const localPart = spelling.startsWith('"') ? spelling.slice(1, -1).replaceAll(/\\(.)/gu, '$1') : spelling
  if (localPart === '') return syntax('the part before the @ is empty')
  const rest = mailbox.slice(spelling.length)
  if (rest === '') return ok({ address: formatAddress({ localPart, domain: null }), isAscii })
  if (!rest.startsWith('@')) return syntax('the part before the @ is malformed')
  const domain = rest.slice(1)
  if (!isDomain(domain) && !isAddressLiteral(domain)) return syntax('the domain is malformed')
  return ok({ address: formatAddress({ localPart, domain }), isAscii })
}

/** RFC 5321 §4.1.1.3: a source route must be accepted and should be ignored. Null if it is malformed. */
function withoutRoute(path: string): string | null {
  if (!path.startsWith('@')) return path
  const colon = path.indexOf(':')
  if (colon === -1) return null
  const hops = path.slice(0, colon).split(',')
  return hops.every(hop => hop.startsWith('@') && isDomain(hop.slice(1))) ? path.slice(colon + 1) : null
}

/**
 * RFC 5321 §4.1.2: letters, digits and hyphens between single dots. A U-label (RFC 6531 §3.3) may hold
 * any letters that make such a domain in A-labels, but not the dots of other scripts, which IDNA takes for dots: they
 * would move the label's end for whoever looks the name up.
 */
export function isDomain(text: string): boolean {
  if (text.length > DOMAIN_LIMIT_OCTETS || Buffer.byteLength(text) > DOMAIN_LIMIT_OCTETS) return false
  if (!text.split('.').every(label => LABEL.test(label) && Buffer.byteLength(label) <= LABEL_LIMIT_OCTETS)) return false
  if (!NON_ASCII.test(text)) return true
  const name = toALabels(text)
  return name !== null && isDomain(name)
}

/** RFC 5321 §4.1.3: `[192.0.2.1]` or `[IPv6:2001:db8::1]`; no other tag has been registered. */
export function isAddressLiteral(text: string): boolean {
  if (!text.startsWith('[') || !text.endsWith(']')) return false
  const literal = text.slice(1, -1)
  return IPV6_TAG.test(literal) ? isIpv6(literal.slice('IPv6:'.length)) : isIpv4(literal)
}

/** Without leading zeros: some programs read `010` as eight. */
function isIpv4(text: string): boolean {
  const numbers = text.split('.')
  return numbers.length === 4 && numbers.every(number => DECIMAL_OCTET.test(number) && Number(number) <= 255)
}

/** RFC 5321 §4.1.3: eight groups, or fewer around one `::` that stands for two at least. */
function isIpv6(text: string): boolean {
  const lastColon = text.lastIndexOf(':')
  const tail = text.slice(lastColon + 1)
  const hexadecimal = tail.includes('.') ? (isIpv4(tail) ? `${text.slice(0, lastColon + 1)}0:0` : '') : text
  const halves = hexadecimal.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')))
  if (!groups.every(group => HEX_GROUP.test(group))) return false
  return halves.length === 1 ? groups.length === 8 : groups.length <= 6
}

function syntax(detail: string): { readonly ok: false; readonly problem: PathProblem } {
  return fail({ detail })
}

/** RFC 6531 §3.3 adds all of UTF-8; controls, blanks and what is assigned to nothing are no letters. */
const LETTER = String.raw`[^\0-\x7f\p{C}\p{Z}]`
const ATEXT = String.raw`(?:[\w!#$%&'*+\-/=?^\x60{|}~]|${LETTER})`
const QUOTED = String.raw`(?:[ !#-\[\]-~]|\\[ -~]|${LETTER})`
const LOCAL_PART = new RegExp(String.raw`^${ATEXT}+(?:\.${ATEXT}+)*|^"${QUOTED}*"`, 'u')
const LET_DIG = String.raw`(?:[A-Za-z0-9]|(?![\u3002\uff0e\uff61])${LETTER})`
const LABEL = new RegExp(`^${LET_DIG}(?:(?:${LET_DIG}|-)*${LET_DIG})?$`, 'u')
const IPV6_TAG = /^IPv6:/i
const DECIMAL_OCTET = /^(?:0|[1-9][0-9]{0,2})$/
const HEX_GROUP = /^[0-9A-Fa-f]{1,4}$/
