import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { keySetProblem } from '../../io/token-keys.ts'
import { signingKey } from '../../../test/support/token-provider.ts'
import { chooseKey, parseKeySet } from './key-set.ts'

const rsa = signingKey('RS256', 'rsa').jwk
const ec = signingKey('ES256', 'ec').jwk
const ed = signingKey('EdDSA', 'ed').jwk

/** The names of the keys that can be used; or what is wrong. */
function read(...keys: readonly object[]): string {
  const set = parseKeySet(JSON.stringify({ keys }))
  return set.ok ? set.value.map(({ kid, algorithms }) => `${kid}: ${algorithms.join(' ')}`).join('; ') : (set.problem.split(/[,;:]/)[0] ?? '')
}

const NONE = 'holds no key that can be used'
const SECRET = 'holds a private key or a secret'

// prettier-ignore
const ROWS: readonly (readonly [what: string, keys: readonly object[], expected: string])[] = [
  ['one of each kind',         [rsa, ec, ed],                                  'rsa: RS256 PS256; ec: ES256; ed: EdDSA'],
  ['a key for one algorithm',  [{ ...rsa, alg: 'PS256' }],                     'rsa: PS256'],
  ['Ed25519 by its new name',  [{ ...ed, alg: 'Ed25519' }],                    'ed: EdDSA'],
  ['no name',                  [{ ...ec, kid: undefined }],                    'null: ES256'],
  ['for encryption',           [{ ...rsa, use: 'enc' }, ec],                   'ec: ES256'],
  ['for signing only',         [{ ...ec, key_ops: ['sign'] }],                 NONE],
  ['for verifying',            [{ ...ec, key_ops: ['verify'] }],               'ec: ES256'],
  ['for an algorithm of ours that its kind has not', [{ ...ec, alg: 'RS256' }], NONE],
  ['for an algorithm that we do not take', [{ ...rsa, alg: 'RS512' }],         NONE],
  ['RSA of 1024 bits',         [rsaOf(1024)],                                  NONE],
  ['RSA with the exponent 1',  [{ ...rsa, e: 'AQ' }],                          NONE],
  ['RSA with an even one',     [{ ...rsa, e: 'AQAC' }],                        NONE],
  ['RSA with 3',               [{ ...rsa, e: 'Aw' }],                          'rsa: RS256 PS256'],
  ['P-384',                    [ecOn('P-384')],                                NONE],
  ['a kind that we do not know', [{ kty: 'AKP', kid: 'pq', pub: 'AAAA' }],     NONE],
  ['a private key',            [rsa, { ...ec, d: 'AAAA' }],                    SECRET],
  ['a secret',                 [{ kty: 'oct', k: 'AAAA' }],                    SECRET],
  ['none',                     [],                                             NONE],
]

for (const [what, keys, expected] of ROWS) test(`${what}: ${expected}`, () => assert.equal(read(...keys), expected))

test('what is no set says so', () => {
  for (const text of ['', 'x', '[]', '{}', '{"keys":{}}', '{"keys":[1]}', 'null', JSON.stringify({ keys: Array.from({ length: 101 }, () => ec) })]) {
    const set = parseKeySet(text)
    assert.match(set.ok ? '' : set.problem, /^is not a JSON Web Key Set/, text)
  }
})

test('a point that is not on the curve is found before anybody logs in', () => {
  const text = JSON.stringify({ keys: [rsa, { ...ec, y: Buffer.alloc(32, 1).toString('base64url') }] })
  assert.match(keySetProblem(text) ?? '', /^key "ec" cannot be read/)
  assert.equal(keySetProblem(JSON.stringify({ keys: [rsa, ec, ed] })), null)
})

test('two keys of one name are told apart by their kind, and of one kind not at all', () => {
  const set = parseKeySet(JSON.stringify({ keys: [{ ...rsa, kid: 'k' }, { ...ec, kid: 'k' }, { ...ed, kid: 'k' }, { ...signingKey('EdDSA').jwk, kid: 'k' }] }))
  assert.ok(set.ok)
  assert.equal(chooseKey(set.value, { alg: 'ES256', kid: 'k' })?.jwk.kty, 'EC')
  assert.equal(chooseKey(set.value, { alg: 'EdDSA', kid: 'k' }), null)
})

function rsaOf(modulusLength: number): object {
  return { ...generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' }), kid: 'weak' }
}

function ecOn(namedCurve: string): object {
  return { ...generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' }), kid: 'other' }
}
