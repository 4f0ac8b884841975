/**
 * A signed token (RFC 7519 as a JWS in its compact form, RFC 7515 §7.1), and whether it is one for us.
 *
 * Read strictly: whatever two readers could take for different things is refused. The header chooses
 * among the keys that we have, and never brings one: `jwk`, `jku`, `x5c` and `x5u` are not looked at.
 */

import { judgeClaims, parseClaims, refused, type Claims, type TokenTerms, type TokenVerdict } from './claims.ts'
import { chooseKey, TOKEN_ALGORITHMS, type PublicKey, type TokenAlgorithm } from './key-set.ts'

export type Signed = { readonly alg: TokenAlgorithm; readonly input: Uint8Array; readonly signature: Uint8Array }

/** Whether the signature is one by this key. The key has been chosen for the algorithm. */
export type IsSignedBy = (key: PublicKey, signed: Signed) => boolean

/** RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3. Nothing that a token says counts before its signature has been found right. */
export function judgeJwt(token: string, { keys, terms, now }: { readonly keys: readonly PublicKey[]; readonly terms: TokenTerms; readonly now: number }, isSignedBy: IsSignedBy): TokenVerdict {
  const parts = token.split('.', 4)
  const [header, payload, signature] = parts.map(decodeBase64url)
  if (parts.length !== 3 || !header || !payload || !signature) return refused('malformedToken')
  const parameters = claimsOf(header)
  const claims = claimsOf(payload)
  if (parameters === null || claims === null) return refused('malformedToken')
  const { alg = null, kid = null, typ = 'JWT' } = parameters
  // RFC 7515 §4.1.11: an extension that must be understood is not. RFC 7797 would have the payload unencoded.
  if (!isAlgorithm(alg) || ['crit', 'b64', 'zip'].some(name => Object.hasOwn(parameters, name))) return refused('wrongAlgorithm')
  if (!mayGiveAccess(typ)) return refused('wrongType')
  if (kid !== null && typeof kid !== 'string') return refused('malformedToken')
  const key = chooseKey(keys, { alg, kid })
  if (key === null) return refused('unknownKey')
  const input = Buffer.from(token.slice(0, token.lastIndexOf('.')), 'latin1')
  if (!isSignedBy(key, { alg, input, signature })) return refused('wrongSignature')
  return judgeClaims(claims, terms, { now, mustExpire: true })
}

function isAlgorithm(alg: unknown): alg is TokenAlgorithm {
  return (TOKEN_ALGORITHMS as readonly unknown[]).includes(alg)
}

/**
 * RFC 8725 §3.11: what the same issuer signs for another purpose, to end a session or to make a request, says
 * so by a type of its own. Few access tokens have theirs (RFC 9068 §2.1): most say that they are a JWT, or nothing.
 */
function mayGiveAccess(typ: unknown): boolean {
  return typeof typ === 'string' && (!/\+jwt$/i.test(typ) || /(?:^|[/-])at\+jwt$/i.test(typ))
}

/** RFC 7515 §2: without padding, and in the one way that there is to write it. */
function decodeBase64url(text: string): Buffer | null {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null
  const octets = Buffer.from(text, 'base64url')
  return octets.toString('base64url') === text ? octets : null
}

function claimsOf(octets: Uint8Array): Claims | null {
  try {
    return parseClaims(UTF8.decode(octets))
  } catch {
    return null
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
