import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientIdentity, Holder } from '../names/identity.ts'
import { answerExternal, authenticateExternal, mechanismsFor } from './authentication.ts'

const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', cipherBits: 256 }
const certificate = {
  subject: '/O=Example/CN=joe',
  issuer: '/O=Example/CN=Example+20CA',
  cnSubject: 'joe',
  cnIssuer: 'Example+20CA',
  fingerprint: 'f',
  keyFingerprint: 'e',
  serial: '1',
  notBefore: 0,
  notAfter: 1,
  addresses: ['joe@example.org'],
  dnsNames: [],
  uris: [],
}
const joe: Holder = { name: 'joe', kind: 'person', senders: ['j.smith@example.org', '@joe.example'] }

function verified(holder: Holder | null): ClientIdentity {
  return { kind: 'verified', tls, certificate, holder }
}

/** As whom a certificate may act if the client asks for this; or what is wrong. */
function ask(wanted: string, identity: ClientIdentity = verified(joe)): string {
  const result = authenticateExternal(identity, Buffer.from(wanted).toString('base64'))
  return result.ok ? result.value.authorizationId : result.problem
}

test('EXTERNAL is for those whose certificate was verified', () => {
  assert.deepEqual(mechanismsFor(verified(null)), ['EXTERNAL'])
  assert.deepEqual(mechanismsFor({ kind: 'plaintext' }), [])
  assert.deepEqual(mechanismsFor({ kind: 'anonymous', tls }), [])
  assert.equal(ask('joe', { kind: 'anonymous', tls }), 'notAllowed')
})

test('without a wish it is the certificate itself that logs in', () => {
  const itself = { mechanism: 'EXTERNAL', authenticationId: '/O=Example/CN=joe', authorizationId: '/O=Example/CN=joe', securityLayerBits: 0 }
  for (const empty of ['', '=']) assert.deepEqual(authenticateExternal(verified(joe), empty), { ok: true, value: itself })
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
  assert.deepEqual(authenticateExternal(verified(joe), Buffer.of(0xff, 0xff, 0xff).toString('base64')), { ok: false, problem: 'notBase64' })
})

test('base64 is read strictly', () => {
  for (const text of ['am9', 'am9l=', 'am9s====', 'am 9l', 'am9l\\', '*', '==', 'a']) {
    assert.deepEqual(authenticateExternal(verified(joe), text), { ok: false, problem: 'notBase64' })
  }
})

test('an asterisk gives up, as an answer only', () => {
  assert.deepEqual(answerExternal(verified(joe), '*'), { ok: false, problem: 'cancelled' })
  assert.equal(answerExternal(verified(joe), 'am9l').ok, true)
})
