/** Has signed tokens checked by the public keys of whoever issues them, on node:crypto. */

import { constants, createPublicKey, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { assert, fail, ok, unreachable } from '../core/result.ts'
import type { TokenTerms, TokenVerdict } from '../core/tokens/claims.ts'
import { judgeJwt, type IsSignedBy } from '../core/tokens/jwt.ts'
import { isKeySet, NO_USABLE_KEY, parseKeySet, type PublicKey } from '../core/tokens/key-set.ts'
import type { System, TokenVerifier } from '../relay/ports.ts'
import { PublishedKeys } from '../relay/published-keys.ts'
import type { Provider } from './provider-request.ts'

/** `keySetText` has been found right when the settings were read. */
export function tokensByKeys(keySetText: string, terms: TokenTerms, system: Pick<System, 'now'>): TokenVerifier {
  const keys = parseKeySet(keySetText)
  assert(keys.ok, 'a key set is checked before it is used')
  return { verify: token => Promise.resolve(judgeJwt(token, { keys: keys.value, terms, now: system.now() }, isSignedBy)) }
}

/** The same by keys that the provider publishes at an address of its own. */
export function tokensByPublishedKeys(provider: Pick<Provider, 'ask'>, url: string, terms: TokenTerms, system: Pick<System, 'now'>): TokenVerifier {
  const published = new PublishedKeys(async () => {
    const text = await provider.ask({ url, method: 'GET', headers: {}, body: '' })
    const set = parseKeySet(text)
    const keys = set.ok ? set.value.filter(canBeRead) : []
    if (keys.length > 0) return ok(keys)
    const problem = new Error(`${url}: ${set.ok ? NO_USABLE_KEY : set.problem}`)
    if (!isKeySet(text)) throw problem
    return fail(problem)
  }, system)
  return {
    verify: async token => {
      const judge = (keys: readonly PublicKey[]): TokenVerdict => judgeJwt(token, { keys, terms, now: system.now() }, isSignedBy)
      const keys = await published.current()
      const verdict = judge(keys)
      if (verdict.kind === 'valid' || verdict.why !== 'unknownKey') return verdict
      const newer = await published.newerThan(keys)
      return newer === null ? verdict : judge(newer)
    },
  }
}

/** What keeps a key set from being used, in one line without a place; null if nothing does. */
export function keySetProblem(text: string): string | null {
  const keys = parseKeySet(text)
  if (!keys.ok) return keys.problem
  const bad = keys.value.find(key => !canBeRead(key))
  return bad === undefined ? null : `key ${JSON.stringify(bad.kid ?? '')} cannot be read; fetch the set again from the provider`
}

/** RFC 7518 §3.3, §3.4 and §3.5, RFC 8037 §3.1. */
export const isSignedBy: IsSignedBy = (key, { alg, input, signature }) => {
  const publicKey = keyObject(key)
  switch (alg) {
    case 'RS256':
      return verify('sha256', input, { key: publicKey, padding: constants.RSA_PKCS1_PADDING }, signature)
    case 'PS256':
      return verify('sha256', input, { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, signature)
    case 'ES256':
      return verify('sha256', input, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
    case 'EdDSA':
      return verify(null, input, publicKey, signature)
    default:
      return unreachable(alg)
  }
}

/** Made once for each key of a set. */
const KEY_OBJECTS = new WeakMap<PublicKey, KeyObject>()

function keyObject(key: PublicKey): KeyObject {
  const known = KEY_OBJECTS.get(key)
  if (known !== undefined) return known
  const made = createPublicKey({ key: key.jwk, format: 'jwk' })
  KEY_OBJECTS.set(key, made)
  return made
}

function canBeRead(key: PublicKey): boolean {
  try {
    return keyObject(key).type === 'public'
  } catch {
    return false
  }
}
