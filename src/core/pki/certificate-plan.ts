/**
 * What goes into each certificate of our authority (RFC 5280).
 *
 * Two levels. The root signs nothing but the issuing CA, so that its key can be taken off the machine
 * after `init`; what clients trust is the root, and it stays the same when the issuing CA is replaced.
 * The issuing CA signs everybody else and can have no CA below it.
 *
 * A plan is data. der-certificate.ts makes it into bytes, io/x509.ts signs them.
 */

import { fail, ok } from '../result.ts'
import { LONGEST_NAME, addressProblem, dnsNameProblem, holderNameProblem, ipAddressBytes, organisationProblem } from './holder.ts'
import type { Result } from '../result.ts'

export type KeyType = 'p256' | 'rsa2048'

/** `/O=example.org/CN=joe` */
export type CertificateName = {
  readonly organisation: string
  /** Null where the name does not fit; then the alternative names alone count. */
  readonly commonName: string | null
}

export type CertificatePlan = {
  /** RFC 5280 §4.1.2.2: a positive number of at most 20 bytes, here 16 random ones. */
  readonly serial: Uint8Array
  readonly subject: CertificateName
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  /** For a CA: how many CAs may stand below it; null for no limit. For all others: not an authority. */
  readonly authority: { readonly pathLength: number | null } | 'none'
  readonly keyUsages: readonly KeyUsage[]
  readonly purposes: readonly ('serverAuth' | 'clientAuth')[]
  readonly alternativeNames: readonly AlternativeName[]
}

export type KeyUsage = 'digitalSignature' | 'keyEncipherment' | 'keyCertSign' | 'crlSign'

export type AlternativeName =
  | { readonly kind: 'address'; readonly value: string }
  | { readonly kind: 'dnsName'; readonly value: string }
  | { readonly kind: 'ipAddress'; readonly value: Uint8Array }

/** What a plan needs to know of the CA that will sign it. */
export type Issuer = {
  readonly organisation: string
  /** Common names of the issuing CA and its root. */
  readonly commonNames: readonly string[]
  readonly notAfter: number
}

/** Chosen at the moment of issuing. */
export type Occasion = {
  readonly now: number
  readonly serial: Uint8Array
  readonly days: number
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** A certificate must hold on machines whose clocks are a little behind ours. */
const CLOCK_SKEW = HOUR

const ROOT_DAYS = 7300
const ISSUING_DAYS = 3650

/**
 * What an authority is called. Refuses a CA of the server's name: with one name on both, a server's
 * certificate looks as if it had signed itself, and clients report a self-signed certificate.
 */
export function authorityNames(organisation: string, hostname: string, chosenName: string | null): Result<{ readonly root: string; readonly issuing: string }, string> {
  const problem = organisationProblem(organisation) ?? dnsNameProblem(hostname)
  if (problem !== null) return fail(problem)
  const base = `${organisation} Postern`.length + ' Issuing CA'.length <= LONGEST_NAME ? `${organisation} Postern` : 'Postern'
  const issuing = chosenName ?? `${base} Issuing CA`
  const root = chosenName === null ? `${base} Root CA` : `${chosenName} Root`
  // A backslash would make the CA's name ambiguous in access maps (S7).
  if (!/^[\x20-\x7e]+$/.test(issuing) || issuing.includes('\\') || root.length > LONGEST_NAME) {
    return fail(`${JSON.stringify(issuing)} is no name for a CA; use at most ${LONGEST_NAME - ' Root'.length} printable ASCII characters and no backslash`)
  }
  if ([issuing, root].some(name => isSame(name, hostname))) return fail(sameName(hostname))
  return ok({ root, issuing })
}

export function planRoot(organisation: string, commonName: string, occasion: Omit<Occasion, 'days'>): CertificatePlan {
  return planAuthority(organisation, commonName, { ...occasion, days: ROOT_DAYS }, null)
}

/** RFC 5280 §4.2.1.9: a path length of zero means that no CA may follow. */
export function planIssuing(organisation: string, commonName: string, occasion: Omit<Occasion, 'days'>): CertificatePlan {
  return planAuthority(organisation, commonName, { ...occasion, days: ISSUING_DAYS }, 0)
}

/** A server's certificate. `names` are host names and IP addresses; the first host name is the common name. */
export function planServer(names: readonly string[], keyType: KeyType, issuer: Issuer, occasion: Occasion): Result<CertificatePlan, string> {
  const alternativeNames: AlternativeName[] = []
  for (const name of names) {
    const address = ipAddressBytes(name)
    const problem = address === null ? dnsNameProblem(name) : null
    if (problem !== null) return fail(problem)
    if (issuer.commonNames.some(other => isSame(other, name))) return fail(sameName(name))
    alternativeNames.push(address === null ? { kind: 'dnsName', value: name.toLowerCase() } : { kind: 'ipAddress', value: address })
  }
  if (alternativeNames.length === 0) return fail('a server certificate needs at least one host name')
  const hostname = alternativeNames.find(name => name.kind === 'dnsName')?.value ?? null
  return planLeaf(issuer, occasion, {
    commonName: hostname === null || hostname.length > LONGEST_NAME ? null : hostname,
    // Old devices encrypt a secret to an RSA key instead of agreeing on one.
    keyUsages: keyType === 'rsa2048' ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'],
    purposes: ['serverAuth'],
    alternativeNames,
  })
}

/**
 * A client's certificate, for a person, for a machine, or for this relay when it is a client itself.
 * For clients only (RFC 5280 §4.2.1.12): nobody can pose as a server with it, and mail programs do not
 * offer it for signing.
 */
export function planClient(
  client: { readonly name: string; readonly addresses: readonly string[]; readonly dnsNames: readonly string[] },
  issuer: Issuer,
  occasion: Occasion,
): Result<CertificatePlan, string> {
  const problems = [holderNameProblem(client.name), ...client.addresses.map(addressProblem), ...client.dnsNames.map(dnsNameProblem)]
  const problem = problems.find(problem => problem !== null)
  if (problem !== undefined) return fail(problem)
  return planLeaf(issuer, occasion, {
    commonName: client.name,
    keyUsages: ['digitalSignature'],
    purposes: ['clientAuth'],
    alternativeNames: [
      ...client.addresses.map(value => ({ kind: 'address' as const, value })),
      ...client.dnsNames.map(value => ({ kind: 'dnsName' as const, value: value.toLowerCase() })),
    ],
  })
}

/** RFC 5280 §4.2.1.3 and §4.2.1.9: a CA says so, and what its key is for, both critically. */
function planAuthority(organisation: string, commonName: string, occasion: Occasion, pathLength: number | null): CertificatePlan {
  return {
    serial: occasion.serial,
    subject: { organisation, commonName },
    ...validity(occasion),
    authority: { pathLength },
    keyUsages: ['keyCertSign', 'crlSign'],
    purposes: [],
    alternativeNames: [],
  }
}

type Leaf = Pick<CertificatePlan, 'keyUsages' | 'purposes' | 'alternativeNames'> & { readonly commonName: string | null }

function planLeaf(issuer: Issuer, occasion: Occasion, leaf: Leaf): Result<CertificatePlan, string> {
  const { now, serial, days } = occasion
  const { notBefore, notAfter } = validity(occasion)
  if (!Number.isInteger(days) || days < 1) return fail('a certificate is valid for at least one day; give a whole number of days')
  if (now >= issuer.notAfter) return fail(`the issuing CA has expired, on ${new Date(issuer.notAfter).toISOString().slice(0, 10)}; nothing can be issued until it is replaced`)
  const { commonName, ...content } = leaf
  return ok({
    serial,
    subject: { organisation: issuer.organisation, commonName },
    notBefore,
    // A certificate that outlives its CA only looks valid.
    notAfter: Math.min(notAfter, issuer.notAfter),
    authority: 'none',
    ...content,
  })
}

/** Whole seconds: certificates know no smaller unit. */
function validity({ now, days }: Occasion): Pick<CertificatePlan, 'notBefore' | 'notAfter'> {
  const second = now - (now % 1000)
  return { notBefore: second - CLOCK_SKEW, notAfter: second + days * DAY }
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

function sameName(name: string): string {
  return `the CA and the server must not have the same name (${name}): clients would take the server's certificate for a self-signed one; give the CA another name`
}
