/**
 * The mechanisms that a client may use here and now, and the script of each.
 *
 * What is offered depends on what the connection has proved, on the listener, and on whether anybody
 * has a password at all. Outside TLS nothing is offered (RFC 4954 §9 would allow SCRAM; we do not).
 */

import type { ClientIdentity } from '../names/identity.ts'
import type { LoginRule } from '../policy/login.ts'
import { bearer, BEARER_MECHANISMS, type TokenHints } from './bearer.ts'
import { external } from './external.ts'
import { login, plain } from './plain.ts'
import { scram } from './scram.ts'
import type { AuthenticationProblem, LoginFailure, SaslScript } from './script.ts'

/** What a site may allow; -PLUS comes with its mechanism. The strongest come first, as some clients take the first they know. */
export const PASSWORD_MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'LOGIN'] as const
export type PasswordMechanism = (typeof PASSWORD_MECHANISMS)[number]

export type LoginSettings = {
  /** What it takes on this listener to be somebody. */
  readonly rule: LoginRule
  /** None if nobody has a password. */
  readonly byPassword: readonly PasswordMechanism[]
  /** What a client is told whose token does not do; null: tokens are not taken. */
  readonly byToken: TokenHints | null
}

/** In the order in which EHLO lists them. */
export function mechanismsFor(identity: ClientIdentity, { rule, byPassword, byToken }: LoginSettings): readonly string[] {
  if (identity.kind === 'plaintext') return []
  const passwords = PASSWORD_MECHANISMS.filter(mechanism => byPassword.includes(mechanism))
  const bound = canBind(identity) ? passwords.filter(isScram).map(mechanism => `${mechanism}-PLUS`) : []
  return [...(isExternalOffered(identity, rule) ? ['EXTERNAL'] : []), ...bound, ...passwords, ...(byToken === null ? [] : BEARER_MECHANISMS)]
}

/**
 * EXTERNAL says something only about a certificate that was verified. Where a password is wanted too
 * the certificate counts by itself, and EXTERNAL would use up the one login of the session (RFC 4954 §4).
 */
function isExternalOffered(identity: ClientIdentity, rule: LoginRule): boolean {
  return identity.kind === 'verified' && (rule === 'certificate' || rule === 'any')
}

/** The script of a mechanism that `mechanismsFor` has offered. */
export function scriptOf(mechanism: string, identity: ClientIdentity, hints: TokenHints | null): SaslScript {
  switch (mechanism) {
    case 'EXTERNAL':
      return external(identity)
    case 'PLAIN':
      return plain()
    case 'LOGIN':
      return login()
    case 'OAUTHBEARER':
    case 'XOAUTH2':
      return bearer(mechanism, hints)
    default: {
      const plus = mechanism.endsWith('-PLUS')
      const hash = mechanism.includes('SHA-256') ? 'SHA-256' : 'SHA-1'
      return scram({ mechanism, hash, plus, offersPlus: canBind(identity) })
    }
  }
}

/** How a client is told of a failure: of its causes it is told nothing but that nobody has looked. */
export function problemOf(mechanism: string, why: LoginFailure): AuthenticationProblem {
  if (why === 'tooManyFailures') return 'tooMany'
  return why === 'tooBusy' || why === 'unavailable' ? 'unavailable' : refusalBy(mechanism)
}

/** How a client is told that it has proved nothing, in a word about what it has shown. */
export function refusalBy(mechanism: string): Extract<AuthenticationProblem, 'notAllowed' | 'tokenRefused' | 'refused'> {
  if (mechanism === 'EXTERNAL') return 'notAllowed'
  return (BEARER_MECHANISMS as readonly string[]).includes(mechanism) ? 'tokenRefused' : 'refused'
}

/** RFC 9266 §4.2: before TLS 1.3 the exporter is safe only with an extension that we are not told about. */
function canBind(identity: ClientIdentity): boolean {
  return identity.kind !== 'plaintext' && identity.tls.version === 'TLSv1.3'
}

function isScram(mechanism: PasswordMechanism): boolean {
  return mechanism.startsWith('SCRAM-')
}
