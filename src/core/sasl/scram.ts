/**
 * SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password, and neither sends it.
 *
 * With -PLUS the proof covers the TLS channel too, so that nobody can stand in between even with a
 * certificate that the client believes. A client that could bind and thinks that we cannot has been
 * shown another list of mechanisms than ours, and is refused (RFC 5802 §6).
 */

import { assert, fail, ok, type Result } from '../result.ts'
import { ask, challenge, conclude, saslName, textOf } from './script.ts'
import type { AuthenticationProblem, BindingType, LoginAttempt, LoginFailure, SaslScript, ScramHash, ScramStart } from './script.ts'

export type ScramVariant = {
  /** `SCRAM-SHA-256-PLUS` */
  readonly mechanism: string
  readonly hash: ScramHash
  readonly plus: boolean
  /** A -PLUS mechanism was offered beside this one. */
  readonly offersPlus: boolean
}

export function* scram(variant: ScramVariant): SaslScript {
  const { mechanism, hash } = variant
  const first = parseClientFirst(textOf(yield* challenge('')) ?? '')
  if (first === null) return fail('malformed')
  const binding = bindingFor(variant, first)
  if (!binding.ok) return binding
  const attempt: LoginAttempt = { mechanism, login: first.login, wanted: first.wanted }
  if (first.flag === 'y' && variant.offersPlus) return yield* refuse(attempt, 'downgrade')

  const started = yield* ask({ kind: 'startScram', attempt, hash, binding: binding.value })
  if (started.kind === 'failed') return fail(started.problem)
  assert(started.kind === 'scramStarted', 'a start is what was asked for')
  const { start } = started
  const nonce = first.nonce + start.nonce
  const serverFirst = `r=${nonce},s=${start.salt},i=${start.iterations}`

  const final = parseClientFinal(textOf(yield* challenge(serverFirst)) ?? '')
  // RFC 5802 §5.1: a nonce that is not the one we sent belongs to another exchange.
  if (final === null || final.nonce !== nonce) return fail('malformed')
  if (final.channel !== channelOf(first.header, start, binding.value)) return yield* refuse(attempt, 'wrongChannel')
  const authMessage = `${first.bare},${serverFirst},${final.withoutProof}`
  const answer = yield* ask({ kind: 'checkProof', attempt, hash, authMessage, proof: final.proof })
  // RFC 4954 §4: SMTP has no success with data; the signature goes in a challenge that is answered by nothing.
  if (answer.kind === 'loggedIn' && (yield* challenge(`v=${answer.serverSignature}`)).length > 0) return fail('malformed')
  return conclude(attempt, answer)
}

function* refuse(attempt: LoginAttempt, why: LoginFailure): SaslScript {
  return conclude(attempt, yield* ask({ kind: 'noteFailure', attempt, why }))
}

type ClientFirst = {
  /** RFC 5802 §7: gs2-header, as it came. */
  readonly header: string
  /** `y`, `n`, or the name of a channel binding. */
  readonly flag: string
  readonly wanted: string
  readonly bare: string
  readonly login: string
  readonly nonce: string
}

/**
 * RFC 5802 §7: client-first-message. An extension that must be understood (`m=`) is not. Deviates: an
 * empty `a=` is taken for none, as GNU SASL sends it.
 */
function parseClientFirst(message: string): ClientFirst | null {
  const [, header = '', flag = '', binding, authzid = '', bare = '', name = '', nonce = ''] = CLIENT_FIRST.exec(message) ?? []
  const login = saslName(name)
  const wanted = saslName(authzid)
  if (header === '' || login === null || login === '' || wanted === null) return null
  return { header, flag: binding ?? flag, wanted, bare, login, nonce }
}

type ClientFinal = { readonly channel: string; readonly nonce: string; readonly withoutProof: string; readonly proof: Uint8Array }

/** RFC 5802 §7: client-final-message. */
function parseClientFinal(message: string): ClientFinal | null {
  const [, withoutProof = '', channel = '', nonce = '', proof = ''] = CLIENT_FINAL.exec(message) ?? []
  return withoutProof === '' ? null : { channel, nonce, withoutProof, proof: Buffer.from(proof, 'base64') }
}

/** The binding to look up; null for none. A name that we do not know, or one in the wrong mechanism, ends the exchange. */
function bindingFor({ plus }: ScramVariant, { flag }: ClientFirst): Result<BindingType | null, AuthenticationProblem> {
  if (!plus) return flag === 'y' || flag === 'n' ? ok(null) : fail('malformed')
  return flag === 'tls-exporter' || flag === 'tls-server-end-point' ? ok(flag) : fail('malformed')
}

/** RFC 5802 §7: cbind-input in base64. Null, which equals nothing, if there is no such binding here. */
function channelOf(header: string, { bindingData }: ScramStart, binding: BindingType | null): string | null {
  if (binding !== null && bindingData === null) return null
  return Buffer.concat([Buffer.from(header, 'utf8'), bindingData ?? new Uint8Array()]).toString('base64')
}

const CLIENT_FIRST = /^((?:([yn])|p=([A-Za-z0-9.-]{1,64})),(?:a=([^,\0]*))?,)(n=([^,\0]+),r=([!-+\--~]{1,256})(?:,[A-Za-ln-z]=[^,\0]+)*)$/
const CLIENT_FINAL = /^(c=([A-Za-z0-9+/=]+),r=([!-+\--~]+)(?:,[A-Za-ln-z]=[^,\0]+)*),p=([A-Za-z0-9+/]+={0,2})$/
