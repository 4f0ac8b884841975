/**
 * What a token says, and whether that makes it one for us (RFC 7519 §4.1, RFC 7662 §2.2).
 *
 * The same claims come from a token that is signed and from an endpoint that is asked about one. What
 * the configuration names must be there and be exactly that: a token that is good for another service
 * of the same issuer is not good for mail.
 */

/** What `[oauth]` wants of a token. */
export type TokenTerms = {
  /** Null: whoever the endpoint vouches for. */
  readonly issuer: string | null
  readonly audience: string | null
  /** All of these. */
  readonly scopes: readonly string[]
  /** The claim that holds a name or address of a person or machine. */
  readonly claim: string
}

export type Claims = { readonly [name: string]: unknown }

export type TokenVerdict =
  /**
   * `user` is a name or an address, letter by letter if `isExact`. `until` is when the token ends, in
   * milliseconds since 1970; null if nobody says.
   */
  | { readonly kind: 'valid'; readonly user: string; readonly isExact: boolean; readonly until: number | null }
  | { readonly kind: 'refused'; readonly why: TokenFault }

/** For the administrator's eyes only. */
export type TokenFault =
  | 'malformedToken'
  /** The endpoint says that it is not, or no longer, in force. */
  | 'inactiveToken'
  /** Signed by a method that we do not take, or with an extension that we do not know. */
  | 'wrongAlgorithm'
  /** Signed for something else than to give access. */
  | 'wrongType'
  /** No key of that name, or not of the kind that the token says. */
  | 'unknownKey'
  | 'wrongSignature'
  | 'expiredToken'
  /** Not yet in force. */
  | 'earlyToken'
  | 'wrongIssuer'
  | 'wrongAudience'
  | 'wrongScope'
  /** Good only together with a key (RFC 7800), of which nothing is proved here. */
  | 'boundToken'
  /** The claim that names the account is missing, or is no name. */
  | 'namelessToken'

/** RFC 7519 §4.1.5: our clock may be this much behind the issuer's. */
const LEEWAY_SECONDS = 60
const LONGEST_USER = 320

/** `mustExpire`: a token without an end is refused, because nobody could take it back. */
export function judgeClaims(claims: Claims, terms: TokenTerms, { now, mustExpire }: { readonly now: number; readonly mustExpire: boolean }): TokenVerdict {
  const { exp, nbf, iss, aud, cnf } = claims
  if (exp === undefined ? mustExpire : !isTime(exp)) return refused('malformedToken')
  if (nbf !== undefined && !isTime(nbf)) return refused('malformedToken')
  const until = isTime(exp) ? exp * 1000 : null
  if (until !== null && until <= now) return refused('expiredToken')
  if (isTime(nbf) && nbf * 1000 > now + LEEWAY_SECONDS * 1000) return refused('earlyToken')
  if (terms.issuer !== null && iss !== terms.issuer) return refused('wrongIssuer')
  if (terms.audience !== null && !listOf(aud).includes(terms.audience)) return refused('wrongAudience')
  const scopes = scopesOf(claims)
  if (!terms.scopes.every(scope => scopes.includes(scope))) return refused('wrongScope')
  if (cnf !== undefined) return refused('boundToken')
  const user = userOf(claims, terms.claim)
  // OpenID Connect Core §2: `sub` is one that nobody else has, letter by letter.
  return user === null ? refused('namelessToken') : { kind: 'valid', user, isExact: terms.claim === 'sub', until }
}

export function refused(why: TokenFault): TokenVerdict {
  return { kind: 'refused', why }
}

/** A JSON object, or null. */
export function parseClaims(text: string): Claims | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : null
  } catch {
    return null
  }
}

/** RFC 7519 §2: NumericDate. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** RFC 7519 §4.1.3: one string, or a list of them. */
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

/** RFC 8693 §4.2: words in one string. Some issuers call it `scp`, and some make a list of it. */
function scopesOf({ scope, scp }: Claims): readonly unknown[] {
  return [scope, scp].flatMap(listOf).flatMap(value => (typeof value === 'string' ? value.split(' ') : []))
}

/**
 * A name is looked up in NFKC. One that NFKC would change is taken for nobody's: an
 * issuer that lets people choose their names may well have given two of them to two people.
 */
function userOf(claims: Claims, claim: string): string | null {
  const { [claim]: user, email_verified: isVerified } = claims
  if (typeof user !== 'string' || user === '' || user.length > LONGEST_USER) return null
  if (user.normalize('NFKC') !== user || /\p{Cc}/u.test(user)) return null
  // OpenID Connect Core §5.1: an address that somebody has only typed there.
  if (claim === 'email' && isVerified !== undefined && isVerified !== true && isVerified !== 'true') return null
  return user
}
