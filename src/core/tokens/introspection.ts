/**
 * Asking whoever issues tokens about one of them (RFC 7662): the question's form, and the answer's meaning.
 */

import { judgeClaims, parseClaims, refused, type TokenTerms, type TokenVerdict } from './claims.ts'

/** RFC 7662 §2.1. */
export function formatIntrospection(token: string): string {
  return new URLSearchParams({ token, token_type_hint: 'access_token' }).toString()
}

/** RFC 6749 §2.3.1: both are encoded as in a form before HTTP Basic encodes them again. */
export function formatClientCredentials({ clientId, clientSecret }: { readonly clientId: string; readonly clientSecret: string }): string {
  const encoded = [clientId, clientSecret].map(text => new URLSearchParams({ '': text }).toString().slice(1))
  return `Basic ${Buffer.from(encoded.join(':'), 'utf8').toString('base64')}`
}

/** RFC 7662 §2.2. Null if it is no answer; then nothing is known of the token. */
export function judgeIntrospection(answer: string, terms: TokenTerms, now: number): TokenVerdict | null {
  const claims = parseClaims(answer)
  if (claims === null || typeof claims['active'] !== 'boolean') return null
  return claims['active'] ? judgeClaims(claims, terms, { now, mustExpire: false }) : refused('inactiveToken')
}
