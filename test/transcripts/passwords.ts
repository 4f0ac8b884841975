/**
 * Whoever keeps the passwords of the transcripts' site: the user and the numbers of RFC 7677 §3.
 *
 * `user` has the password `pencil` and is the person joe of test/decisions/people.ts. Nonce and salt
 * are those of the RFC, so that what is sent can be compared with it.
 */

import { pbkdf2Sync } from 'node:crypto'
import type { Account } from '../../src/core/names/identity.ts'
import { isOneOfNames } from '../../src/core/sasl/acting-as.ts'
import type { CredentialAnswer, CredentialQuestion } from '../../src/core/sasl/script.ts'
import { createPasswordCrypto } from '../../src/io/password-crypto.ts'
import { checkProof } from '../../src/relay/password-keys.ts'
import { callerNamed } from '../decisions/people.ts'

const NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const SALT = 'W22ZaJ0SNY7soEsUEjb6gQ=='
const ITERATIONS = 4096
const PASSWORD = 'pencil'
/** A token of joe's. About the token `unknown` nobody can be asked. */
const TOKEN = 'vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=='
/** What the TLS connection of every transcript exports. */
export const BINDING = Buffer.alloc(32, 7)

const crypto = createPasswordCrypto()

export function judge(question: CredentialQuestion): CredentialAnswer {
  switch (question.kind) {
    case 'checkPassword':
      return question.attempt.login === 'user' && question.password === PASSWORD ? loggedIn(question.attempt.wanted, '') : REFUSED
    case 'startScram':
      return { kind: 'scramStarted', start: { nonce: NONCE, salt: SALT, iterations: ITERATIONS, bindingData: question.binding === 'tls-exporter' ? BINDING : null } }
    case 'checkProof': {
      const { isRight, serverSignature } = checkProof(crypto, question.hash, keysFor(question.hash), question)
      return isRight && question.attempt.login === 'user' ? loggedIn(question.attempt.wanted, serverSignature) : REFUSED
    }
    case 'checkToken':
      if (question.token === 'unknown') return { kind: 'failed', problem: 'unavailable' }
      return question.token === TOKEN ? loggedIn(question.attempt.wanted, '', null) : REFUSED
    case 'noteFailure':
      return REFUSED
    case 'noteMismatch':
      return { kind: 'failed', problem: 'notAllowed' }
  }
}

const REFUSED: CredentialAnswer = { kind: 'failed', problem: 'refused' }

function loggedIn(wanted: string, serverSignature: string, device: string | null = 'phone'): CredentialAnswer {
  const { identity } = callerNamed('joe')
  if (identity.kind !== 'verified' || identity.holder === null) throw new Error('joe holds a certificate')
  if (wanted !== '' && !isOneOfNames(wanted, ['user', ...identity.holder.senders])) return REFUSED
  const account: Account = { holder: identity.holder, device, passwordId: 'p1', endsAt: null, certificate: identity.certificate }
  return { kind: 'loggedIn', account, serverSignature }
}

/** RFC 5802 §3. */
function keysFor(hash: 'SHA-256' | 'SHA-1'): { readonly storedKey: string; readonly serverKey: string } {
  const [name, octets] = hash === 'SHA-256' ? ['sha256', 32] : ['sha1', 20]
  const salted = pbkdf2Sync(PASSWORD, Buffer.from(SALT, 'base64'), ITERATIONS, octets, name)
  const storedKey = crypto.toBase64(crypto.digest(hash, crypto.hmac(hash, salted, 'Client Key')))
  return { storedKey, serverKey: crypto.toBase64(crypto.hmac(hash, salted, 'Server Key')) }
}
