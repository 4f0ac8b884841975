/**
 * What may stand in a certificate that names a person, a machine or a server.
 *
 * Checked before anything is signed, so that no name that we issue can be read as another: no
 * control characters, no wildcards, and nothing that an access map or a file name would have to
 * escape (S7). Each problem says what would be right.
 */

/** RFC 5280 appendix A.1: ub-common-name and ub-organization-name. */
export const LONGEST_NAME = 64
/** RFC 5321 §4.5.3.1.1 and §4.5.3.1.2; RFC 1035 §2.3.4. */
const LONGEST_LOCAL_PART = 64
const LONGEST_DOMAIN = 253

/** The name of a person or machine: part of commands, file names and access map lines. */
export function holderNameProblem(name: string): string | null {
  const isRight = name.length <= LONGEST_NAME && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)
  if (isRight) return null
  return `${shown(name)} is no name for a holder; use letters, digits, ".", "_" and "-", at most ${LONGEST_NAME}, beginning with a letter or digit`
}

/** An address that goes into a certificate, where an rfc822Name is ASCII (RFC 5280 §4.2.1.6). */
export function addressProblem(address: string): string | null {
  const at = address.lastIndexOf('@')
  const localPart = address.slice(0, Math.max(at, 0))
  const isRight = at > 0 && localPart.length <= LONGEST_LOCAL_PART && DOT_STRING.test(localPart) && isDomain(address.slice(at + 1))
  if (isRight) return null
  if (/[^\x20-\x7e]/.test(address)) {
    return `${shown(address)} has characters that an address in a certificate cannot have; write the domain in its xn-- form, and give a name beyond ASCII as a sender instead`
  }
  return `${shown(address)} is no mail address; write it as joe@example.org`
}

/** A reverse-path that a holder may use: an address, possibly beyond ASCII (RFC 6531), or a whole domain. */
export function senderProblem(sender: string): string | null {
  const at = sender.lastIndexOf('@')
  const localPart = sender.slice(0, Math.max(at, 0))
  const domain = sender.slice(at + 1)
  const isRight =
    at >= 0 &&
    new TextEncoder().encode(localPart).length <= LONGEST_LOCAL_PART &&
    (localPart === '' || WIDE_DOT_STRING.test(localPart)) &&
    (isDomain(domain) || WIDE_DOMAIN.test(domain))
  return isRight ? null : `${shown(sender)} is no sender; write an address as joe@example.org, or a whole domain as @example.org`
}

/** A host name for a subjectAltName. */
export function dnsNameProblem(name: string): string | null {
  return isDomain(name) ? null : `${shown(name)} is no host name; write it as mail.example.org, in ASCII and without wildcards`
}

/** The organisation of every name in an authority: the site's domain. */
export function organisationProblem(organisation: string): string | null {
  if (!isDomain(organisation)) return `${shown(organisation)} is no domain; write it as example.org`
  return organisation.length <= LONGEST_NAME ? null : `${shown(organisation)} is longer than the ${LONGEST_NAME} characters that a certificate has for an organisation (RFC 5280)`
}

/** The bytes of an IPv4 or IPv6 address; null for anything else. */
export function ipAddressBytes(text: string): Uint8Array | null {
  if (/^(?:\d{1,3}\.){3}\d{1,3}$/.test(text)) {
    const bytes = text.split('.').map(Number)
    return bytes.every(byte => byte <= 255) ? Uint8Array.from(bytes) : null
  }
  // The URL parser knows every form of RFC 4291 §2.2 and writes it back in one.
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text) || !URL.canParse(`http://[${text}]/`)) return null
  const [before = '', after] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split('::')
  const head = groups(before)
  const tail = groups(after ?? '')
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0)
  return Uint8Array.from([...head, ...zeros, ...tail].flatMap(group => [group >> 8, group & 0xff]))
}

/** RFC 1123 §2.1. A name of one label is fine: test machines have them. */
function isDomain(domain: string): boolean {
  const isOfDigits = /^[\d.]+$/.test(domain)
  return domain.length <= LONGEST_DOMAIN && !isOfDigits && HOST_NAME.test(domain)
}

function groups(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16))
}

/** Whatever was typed, safe to print. */
function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
}

const HOST_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/** Dot-string of RFC 5321 §4.1.2; quoted local parts are left to those who already have one. */
const DOT_STRING = /^[a-z0-9!#$%&'*+\-/=?^_`{|}~]+(?:\.[a-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/i

/** The same with letters and digits of any script, and a domain of such labels. */
const WIDE_DOT_STRING = /^[\p{L}\p{M}\p{N}!#$%&'*+\-/=?^_`{|}~]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+\-/=?^_`{|}~]+)*$/u
const WIDE_DOMAIN = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?)+$/u
