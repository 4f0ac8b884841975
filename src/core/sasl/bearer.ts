/**
 * OAUTHBEARER (RFC 7628) and XOAUTH2: a token that somebody else has issued is the credential.
 *
 * Both carry the same. XOAUTH2 is what Google made before there was a standard; it has the user as a
 * field of its own and no GS2 header. The token says whose it is; what the client says of that must
 * agree with it. After a failure the client gets an error as a challenge, answers it with nothing of
 * interest, and only then sees the reply (RFC 7628 §3.2.3).
 */

import { fail } from '../result.ts'
import { ask, challenge, conclude, saslName, textOf, type SaslScript } from './script.ts'

export const BEARER_MECHANISMS = ['OAUTHBEARER', 'XOAUTH2'] as const
export type BearerMechanism = (typeof BEARER_MECHANISMS)[number]

/** What a client is told that has no token yet, or one that does not do. */
export type TokenHints = {
  /** The scope to ask for; '' for none in particular. */
  readonly scope: string
  /** URL of a document that says where tokens are issued; null: not told. */
  readonly openidConfiguration: string | null
}

export type BearerMessage = {
  /** As whom the client wants to act; '' for as whom the token is of. */
  readonly user: string
  /** '' asks what tokens are wanted (RFC 7628 §4.3). */
  readonly token: string
}

export function* bearer(mechanism: BearerMechanism, hints: TokenHints | null): SaslScript {
  const message = parseBearerMessage(mechanism, yield* challenge(''))
  if (message === null) return fail('malformed')
  const { user, token } = message
  if (token !== '') {
    const attempt = { mechanism, login: user, wanted: user }
    const answer = yield* ask({ kind: 'checkToken', attempt, token })
    if (answer.kind !== 'failed' || answer.problem !== 'refused') return conclude(attempt, answer)
  }
  yield* challenge(formatBearerError(mechanism, hints))
  return fail('tokenRefused')
}

/** Null if it is not what the mechanism prescribes. */
export function parseBearerMessage(mechanism: BearerMechanism, octets: Uint8Array): BearerMessage | null {
  // Both use ^A where PLAIN has NUL. With these two changed for each other, no other control character is left.
  const text = octets.includes(0) ? null : textOf(octets.map(octet => (octet === CONTROL_A ? 0 : octet)))
  if (text === null || !text.endsWith('\0\0')) return null
  const [first = '', ...rest] = text.slice(0, -2).split('\0')
  const user = mechanism === 'XOAUTH2' ? userOf(first) : authorizationIdOf(first)
  const fields = fieldsOf(rest)
  const authorization = fields?.get('auth')
  if (user === null || authorization === undefined) return null
  if (authorization === '') return mechanism === 'OAUTHBEARER' ? { user, token: '' } : null
  const [, token] = BEARER.exec(authorization) ?? []
  return token === undefined ? null : { user, token }
}

/** The same whatever was wrong with the token: why is for the administrator alone (S16). */
export function formatBearerError(mechanism: BearerMechanism, hints: TokenHints | null): string {
  const { scope = '', openidConfiguration = null } = hints ?? {}
  const status = mechanism === 'XOAUTH2' ? { status: '401', schemes: 'bearer' } : { status: 'invalid_token' }
  return JSON.stringify({
    ...status,
    ...(scope === '' ? {} : { scope }),
    ...(openidConfiguration === null ? {} : { 'openid-configuration': openidConfiguration }),
  })
}

/** RFC 5801 §4: the GS2 header of a mechanism that binds no channel. Null if it is none; '' without an authzid. */
function authorizationIdOf(header: string): string | null {
  const match = GS2_HEADER.exec(header)
  return match === null ? null : saslName(match[1] ?? '')
}

function userOf(field: string): string | null {
  return field.startsWith('user=') && field.length > 'user='.length ? field.slice('user='.length) : null
}

/** RFC 7628 §3.1: keys that we do not know are nothing to us. None may come twice: which one counted would be anybody's guess. */
function fieldsOf(pairs: readonly string[]): ReadonlyMap<string, string> | null {
  const fields = new Map<string, string>()
  for (const pair of pairs) {
    const [, key, value] = FIELD.exec(pair) ?? []
    if (key === undefined || value === undefined || fields.has(key)) return null
    fields.set(key, value)
  }
  return fields
}

const CONTROL_A = 1
/** With an empty `a=` taken for none, as SCRAM takes it. */
const GS2_HEADER = /^[yn],(?:a=([^,]*))?,$/
const FIELD = /^([A-Za-z]+)=(.*)$/s
/** RFC 6750 §2.1. The scheme's case does not matter (RFC 9110 §11.1). */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i
