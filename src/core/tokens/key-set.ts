/**
 * The public keys of an identity provider (RFC 7517), as far as they are of use: for signatures, of a
 * kind that we take, and strong enough. What else is in a set is nothing to us, but for a secret: a
 * file that holds one has been given to the wrong program.
 */

import { z } from 'zod'
import { fail, ok, type Result } from '../result.ts'

/** RFC 7518 §3.1, RFC 8037 §3.1. Never `none`, and never one whose key could be known to whoever only checks. */
export const TOKEN_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number]

export type PublicKey = {
  readonly kid: string | null
  /** What it may be used with. */
  readonly algorithms: readonly TokenAlgorithm[]
  /** Nothing but what makes it a public key. */
  readonly jwk: { readonly kty: 'RSA' | 'EC' | 'OKP'; readonly [name: string]: string }
}

/** `text` is the JSON of a set. What keeps it from being used is one line without a place. */
export function parseKeySet(text: string): Result<readonly PublicKey[], string> {
  const set = keySet.safeParse(parseJson(text))
  if (!set.success) return fail('is not a JSON Web Key Set, {"keys": [...]} (RFC 7517 §5), of at most 100 keys')
  if (set.data.keys.some(key => 'd' in key || 'k' in key)) return fail('holds a private key or a secret; put there what the provider publishes, and nothing else')
  const keys = set.data.keys.flatMap(publicKey)
  return keys.length === 0 ? fail(NO_USABLE_KEY) : ok(keys)
}

/** It says which keys there are, be it none that is of use. */
export function isKeySet(text: string): boolean {
  return keySet.safeParse(parseJson(text)).success
}

export const NO_USABLE_KEY = `holds no key that can be used: RSA of 2048 bits and more, EC on P-256 or Ed25519, for ${TOKEN_ALGORITHMS.join(', ')}`

/** The key of a signature. None by that name, or several where none is named: null. */
export function chooseKey(keys: readonly PublicKey[], { alg, kid }: { readonly alg: TokenAlgorithm; readonly kid: string | null }): PublicKey | null {
  const fitting = keys.filter(key => key.algorithms.includes(alg) && (kid === null || key.kid === kid))
  return fitting.length === 1 ? (fitting[0] ?? null) : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const keySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(100) })

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)
const COMMON = {
  kid: z.string().min(1).max(256).optional(),
  use: z.literal('sig').optional(),
  key_ops: z.array(z.string()).refine(operations => operations.includes('verify')).optional(),
}

const usableKey = z.discriminatedUnion('kty', [
  z.object({ ...COMMON, kty: z.literal('RSA'), alg: z.enum(['RS256', 'PS256']).optional(), n: base64url.refine(isStrongModulus), e: base64url.max(8).refine(isUsualExponent) }),
  z.object({ ...COMMON, kty: z.literal('EC'), alg: z.literal('ES256').optional(), crv: z.literal('P-256'), x: base64url.length(43), y: base64url.length(43) }),
  z.object({ ...COMMON, kty: z.literal('OKP'), alg: z.enum(['EdDSA', 'Ed25519']).optional(), crv: z.literal('Ed25519'), x: base64url.length(43) }),
])

function publicKey(key: unknown): readonly PublicKey[] {
  const { data } = usableKey.safeParse(key)
  if (data === undefined) return []
  const kid = data.kid ?? null
  switch (data.kty) {
    case 'RSA':
      return [{ kid, algorithms: data.alg === undefined ? ['RS256', 'PS256'] : [data.alg], jwk: { kty: 'RSA', n: data.n, e: data.e } }]
    case 'EC':
      return [{ kid, algorithms: ['ES256'], jwk: { kty: 'EC', crv: data.crv, x: data.x, y: data.y } }]
    case 'OKP':
      return [{ kid, algorithms: ['EdDSA'], jwk: { kty: 'OKP', crv: data.crv, x: data.x } }]
  }
}

/** RFC 8017 §3.1: odd, and 3 or more. With 1 whatever anybody writes is a signature. */
function isUsualExponent(text: string): boolean {
  const octets = Buffer.from(text, 'base64url')
  const exponent = octets.length === 0 ? 0 : octets.readUIntBE(0, octets.length)
  return exponent >= 3 && exponent % 2 === 1
}

/** RFC 7518 §3.3: 2048 bits or more; and no more than is checked in a moment. */
function isStrongModulus(text: string): boolean {
  const octets = Buffer.from(text, 'base64url')
  return octets.length >= 256 && octets.length <= 1024 && (octets.length > 256 || (octets[0] ?? 0) >= 0x80)
}
