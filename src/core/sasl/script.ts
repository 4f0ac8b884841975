/**
 * The form of a SASL mechanism (RFC 4422), server side: a script, read from top to bottom like the
 * exchange in its RFC.
 *
 * It yields a challenge and is resumed with the client's response, or yields a question and is
 * resumed with the answer of whoever keeps the passwords. Secrets, nonces and the work of hashing
 * are with the latter (relay/login-desk.ts): a script knows the protocol, and nothing to steal.
 */

import type { Account } from '../names/identity.ts'
import type { Authentication } from '../policy/decision.ts'
import type { TokenFault } from '../tokens/claims.ts'
import { assert, fail, ok, type Result } from '../result.ts'

export type SaslScript = Generator<SaslStep, Result<Authentication, AuthenticationProblem>, SaslFact>

export type SaslStep =
  | { readonly kind: 'challenge'; readonly text: string }
  | { readonly kind: 'ask'; readonly question: CredentialQuestion }

export type SaslFact =
  | { readonly kind: 'responded'; readonly octets: Uint8Array }
  | { readonly kind: 'answered'; readonly answer: CredentialAnswer }

/** Why an exchange ended without a login. */
export type AuthenticationProblem =
  | 'cancelled'
  | 'notBase64'
  /** The message is not what the mechanism prescribes. */
  | 'malformed'
  /** EXTERNAL: the certificate does not allow the identity that was asked for. */
  | 'notAllowed'
  /** The name, the password, the place or the channel is wrong; the client is not told which. */
  | 'refused'
  /** The same of a token. */
  | 'tokenRefused'
  /** Nobody looked: too many logins have failed, or too many are being checked. */
  | 'tooMany'
  | 'unavailable'

export type ScramHash = 'SHA-256' | 'SHA-1'

/** RFC 9266 and RFC 5929. */
export type BindingType = 'tls-exporter' | 'tls-server-end-point'

/** What a login is for, whatever the mechanism. Names are as the client typed them. */
export type LoginAttempt = {
  readonly mechanism: string
  /** Who the client says it is; '' if it leaves that to its token. */
  readonly login: string
  /** As whom it wants to act; '' for as itself. */
  readonly wanted: string
}

export type CredentialQuestion =
  | { readonly kind: 'checkPassword'; readonly attempt: LoginAttempt; readonly password: string }
  | { readonly kind: 'startScram'; readonly attempt: LoginAttempt; readonly hash: ScramHash; readonly binding: BindingType | null }
  | {
      readonly kind: 'checkProof'
      readonly attempt: LoginAttempt
      readonly hash: ScramHash
      /** RFC 5802 §3: AuthMessage. */
      readonly authMessage: string
      readonly proof: Uint8Array
    }
  /** A token (RFC 6750) of whoever issues them; it says itself whose it is. */
  | { readonly kind: 'checkToken'; readonly attempt: LoginAttempt; readonly token: string }
  /** The script itself has found a reason to refuse. It counts as a failed login like any other. */
  | { readonly kind: 'noteFailure'; readonly attempt: LoginAttempt; readonly why: LoginFailure }
  /** The certificate does not allow the identity that was asked for. Nothing was guessed, and nothing is counted. */
  | { readonly kind: 'noteMismatch'; readonly attempt: LoginAttempt }

export type CredentialAnswer =
  /** `serverSignature` in base64, for SCRAM only. */
  | { readonly kind: 'loggedIn'; readonly account: Account; readonly serverSignature: string }
  | { readonly kind: 'scramStarted'; readonly start: ScramStart }
  | { readonly kind: 'failed'; readonly problem: Extract<AuthenticationProblem, 'notAllowed' | 'refused' | 'tooMany' | 'unavailable'> }

/** What a SCRAM exchange begins with on our side. Somebody unknown gets the same, always the same. */
export type ScramStart = {
  readonly nonce: string
  /** Base64. */
  readonly salt: string
  readonly iterations: number
  /** The value of the binding that was asked for; null if the connection has none of that type. */
  readonly bindingData: Uint8Array | null
}

/** Why a login failed; for the administrator's eyes only. */
export type LoginFailure =
  | TokenFault
  | 'unknownUser'
  | 'wrongPassword'
  /** A password of that user, and not for the network the client is in. */
  | 'wrongNetwork'
  /** Logged in as one, and wanted to act as another. */
  | 'wrongIdentity'
  /** RFC 5802 §6: the client's channel is not ours, so somebody may be in between. */
  | 'wrongChannel'
  /** RFC 5802 §6: the client believes that we offer no channel binding, and we did. */
  | 'downgrade'
  /** Nobody looked at the password. */
  | 'tooManyFailures'
  | 'tooBusy'
  | 'unavailable'

/** Sends a challenge and waits for the response. */
export function* challenge(text: string): Generator<SaslStep, Uint8Array, SaslFact> {
  const fact = yield { kind: 'challenge', text }
  assert(fact.kind === 'responded', 'a challenge is followed by a response')
  return fact.octets
}

export function* ask(question: CredentialQuestion): Generator<SaslStep, CredentialAnswer, SaslFact> {
  const fact = yield { kind: 'ask', question }
  assert(fact.kind === 'answered', 'a question is followed by an answer')
  return fact.answer
}

/** The end of every exchange with a password or a token. Acting under one of its own names is acting as itself. */
export function conclude({ mechanism }: LoginAttempt, answer: CredentialAnswer): Result<Authentication, AuthenticationProblem> {
  if (answer.kind === 'failed') return fail(answer.problem)
  assert(answer.kind === 'loggedIn', 'a proof is judged')
  const { account } = answer
  const { name } = account.holder
  return ok({ mechanism, authenticationId: name, authorizationId: name, securityLayerBits: 0, account })
}

/** Text of a response: UTF-8, and no control character but NUL, which only PLAIN knows. Null if it is not (S16). */
export function textOf(octets: Uint8Array): string | null {
  try {
    const text = UTF8.decode(octets)
    return CONTROL.test(text) ? null : text
  } catch {
    return null
  }
}

/** RFC 5802 §7: `=2C` and `=3D` stand for a comma and an equals sign. Null for any other `=`. */
export function saslName(text: string): string | null {
  return /=(?!2C|3D)/.test(text) ? null : text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const CONTROL = /(?!\0)\p{Cc}/u
