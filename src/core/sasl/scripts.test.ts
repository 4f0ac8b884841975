import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, oneof, property, string, uint8Array } from 'fast-check'
import type { ClientIdentity } from '../names/identity.ts'
import { mechanismsFor, PASSWORD_MECHANISMS, scriptOf, type LoginSettings } from './mechanisms.ts'
import type { CredentialAnswer, CredentialQuestion, SaslFact } from './script.ts'

const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', cipherBits: 256 }
const anonymous: ClientIdentity = { kind: 'anonymous', tls }
const logins: LoginSettings = { rule: 'any', byPassword: PASSWORD_MECHANISMS, byToken: { scope: '', openidConfiguration: null } }

/** Octets, and messages that are nearly right. */
const response = oneof(
  uint8Array({ maxLength: 100 }),
  string({ unit: 'binary', maxLength: 100 }).map(text => Buffer.from(text)),
  array(constantFrom('n,,', 'y,,', 'p=tls-exporter,,', 'a=', 'n=user', 'r=abc', 'c=biws', 's=', 'm=', ',', '=', '\0', 'user', 'p=AAAA', 'v=', '\x01', 'auth=Bearer ', 'auth=', 'user=a'), { maxLength: 8 }).map(
    parts => Buffer.from(parts.join('')),
  ),
)

test('S16: whatever a client responds, no mechanism logs in whom the keeper of passwords refuses', () => {
  check(
    property(constantFrom('EXTERNAL', ...mechanismsFor(anonymous, logins)), array(response, { minLength: 1, maxLength: 6 }), (mechanism, responses) => {
      const script = scriptOf(mechanism, anonymous, logins.byToken)
      let fact: SaslFact | null = null
      for (const octets of responses) {
        let step = fact === null ? script.next() : script.next(fact)
        while (step.done !== true && step.value.kind === 'ask') step = script.next({ kind: 'answered', answer: refuse(step.value.question) })
        if (step.done === true) return assert.equal(step.value.ok, false)
        fact = { kind: 'responded', octets }
      }
    }),
    { numRuns: 5000 },
  )
})

function refuse(question: CredentialQuestion): CredentialAnswer {
  if (question.kind !== 'startScram') return { kind: 'failed', problem: 'refused' }
  return { kind: 'scramStarted', start: { nonce: 'def', salt: 'c2FsdA==', iterations: 4096, bindingData: Buffer.alloc(32) } }
}
