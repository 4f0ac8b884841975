import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateNamed, tls, verifiedAs } from '../../../test/support/identities.ts'
import type { ClientIdentity, Holder } from '../names/identity.ts'
import { external } from './external.ts'
import { mechanismsFor, type LoginSettings } from './mechanisms.ts'

const certificate = certificateNamed('joe', { addresses: ['joe@example.org'] })
const joe: Holder = { name: 'joe', kind: 'person', senders: ['j.smith@example.org', '@joe.example'] }
const logins: LoginSettings = { rule: 'any', byPassword: [], byToken: null }

function verified(holder: Holder | null): ClientIdentity {
  return verifiedAs(holder, certificate)
}

/** As whom a certificate may act if the client asks for this; or what is wrong. */
function ask(wanted: string | Uint8Array, identity: ClientIdentity = verified(joe)): string {
  const script = external(identity)
  script.next()
  let end = script.next({ kind: 'responded', octets: Buffer.from(wanted as string) })
  if (end.done !== true && end.value.kind === 'ask' && end.value.question.kind === 'noteMismatch') {
    end = script.next({ kind: 'answered', answer: { kind: 'failed', problem: 'notAllowed' } })
  }
  assert.ok(end.done === true, 'the exchange is one message')
  return end.value.ok ? end.value.value.authorizationId : end.value.problem
}

test('EXTERNAL is for those whose certificate was verified', () => {
  assert.deepEqual(mechanismsFor(verified(null), logins), ['EXTERNAL'])
  assert.deepEqual(mechanismsFor({ kind: 'plaintext' }, logins), [])
  assert.deepEqual(mechanismsFor({ kind: 'anonymous', tls }, logins), [])
  assert.deepEqual(mechanismsFor(verified(null), { ...logins, rule: 'certificate' }), ['EXTERNAL'])
  for (const rule of ['password', 'both'] as const) assert.deepEqual(mechanismsFor(verified(null), { ...logins, rule }), [])
  assert.equal(ask('joe', { kind: 'anonymous', tls }), 'notAllowed')
})

test('without a wish it is the certificate itself that logs in', () => {
  assert.equal(ask(''), '/O=Example/CN=joe')
})

test('the names of the certificate and of its holder may be asked for', () => {
  for (const name of ['joe', 'JOE', 'joe@example.org', 'Joe@Example.org', 'j.smith@example.org', 'x@joe.example', '/O=Example/CN=joe']) {
    assert.equal(ask(name), name)
  }
})

test("nobody else's may", () => {
  for (const name of ['jane', 'jane@example.org', '@joe.example', 'x@not-joe.example', 'x@joe.example.net', '/O=Example/CN=jane', 'jo']) {
    assert.equal(ask(name), 'notAllowed')
  }
  assert.equal(ask('j.smith@example.org', verified(null)), 'notAllowed')
  assert.equal(ask('joe@example.org', verified(null)), 'joe@example.org')
})

test('S16: a name with control characters, or octets that are no text, is none', () => {
  assert.equal(ask('joe\0'), 'notBase64')
  assert.equal(ask('joe\n'), 'notBase64')
  assert.equal(ask(Buffer.of(0xff, 0xff, 0xff)), 'notBase64')
})
