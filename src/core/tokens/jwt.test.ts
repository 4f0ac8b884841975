import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSignedBy } from '../../io/token-keys.ts'
import { compact, hmacToken, signingKey, type SigningKey } from '../../../test/support/token-provider.ts'
import { judgeJwt } from './jwt.ts'
import { parseKeySet } from './key-set.ts'

const NOW = 1_800_000_000_000
const SECONDS = NOW / 1000
const terms = { issuer: 'https://login.example.org', audience: 'mail', scopes: ['smtp'], claim: 'sub' }
const claims = { iss: terms.issuer, aud: terms.audience, scope: 'openid smtp', sub: 'joe', exp: SECONDS + 600 }

const rsa = signingKey('RS256', 'rsa')
const pss = signingKey('PS256', 'pss')
const ec = signingKey('ES256', 'ec')
const ed = signingKey('EdDSA', 'ed')
const stranger = signingKey('ES256', 'ec')

/** A verdict in a word: whose token it is, or what is wrong. */
function judge(token: string, keys: readonly SigningKey[] = [rsa, pss, ec, ed], wanted = terms): string {
  const set = parseKeySet(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }))
  assert.ok(set.ok)
  const verdict = judgeJwt(token, { keys: set.value, terms: wanted, now: NOW }, isSignedBy)
  return verdict.kind === 'valid' ? `valid: ${verdict.user}` : verdict.why
}

for (const key of [rsa, pss, ec, ed]) {
  test(`${key.alg} is checked`, () => {
    assert.equal(judge(key.token(claims)), 'valid: joe')
    const [header = '', , signature = ''] = key.token(claims).split('.')
    const payload = Buffer.from(JSON.stringify({ ...claims, sub: 'jane' })).toString('base64url')
    assert.equal(judge([header, payload, signature].join('.')), 'wrongSignature')
  })
}

const rsaPublic = Buffer.from(JSON.stringify(rsa.jwk))
const [goodHeader = '', goodPayload = '', goodSignature = ''] = ec.token(claims).split('.')
const ecSignature = Buffer.from(goodSignature, 'base64url')

// prettier-ignore
const FORGED: readonly (readonly [what: string, token: string, why: string])[] = [
  ['alg none, without a signature',         compact({ alg: 'none', kid: 'ec' }, claims, () => Buffer.alloc(0)),      'malformedToken'],
  ['alg none, with one',                    compact({ alg: 'none', kid: 'ec' }, claims, () => ecSignature),          'wrongAlgorithm'],
  ['alg None',                              compact({ alg: 'None', kid: 'ec' }, claims, () => ecSignature),          'wrongAlgorithm'],
  ['no alg',                                compact({ kid: 'ec' }, claims, () => ecSignature),                       'wrongAlgorithm'],
  ['a list for alg',                        compact({ alg: ['ES256'], kid: 'ec' }, claims, () => ecSignature),       'wrongAlgorithm'],
  ['HS256 with the RSA key as the secret',  hmacToken(rsaPublic, claims, { kid: 'rsa' }),                            'wrongAlgorithm'],
  ['RS256 said, HMAC made',                 hmacToken(rsaPublic, claims, { alg: 'RS256', kid: 'rsa' }),              'wrongSignature'],
  ['RS512',                                 rsa.token(claims, { alg: 'RS512' }),                                     'wrongAlgorithm'],
  ['RS256 with the name of an EC key',      rsa.token(claims, { kid: 'ec' }),                                        'unknownKey'],
  ['ES256 with the name of an RSA key',     ec.token(claims, { kid: 'rsa' }),                                        'unknownKey'],
  ['EdDSA with the name of an EC key',      ed.token(claims, { kid: 'ec' }),                                         'unknownKey'],
  ['PS256 said, RS256 made',                rsa.token(claims, { alg: 'PS256' }),                                     'wrongSignature'],
  ['an unknown key',                        ec.token(claims, { kid: 'other' }),                                      'unknownKey'],
  ['a statement that ends a session',       ec.token(claims, { typ: 'logout+jwt' }),                                 'wrongType'],
  ['one about events, by its full name',    ec.token(claims, { typ: 'application/secevent+JWT' }),                   'wrongType'],
  ['a kind that only begins alike',         ec.token(claims, { typ: 'cat+jwt' }),                                    'wrongType'],
  ['a list for typ',                        ec.token(claims, { typ: ['JWT'] }),                                      'wrongType'],
  ['a number for kid',                      ec.token(claims, { kid: 1 }),                                            'malformedToken'],
  ['another\'s key of the same name',       stranger.token(claims),                                                  'wrongSignature'],
  ['a key that it brings itself',           stranger.token(claims, { jwk: stranger.jwk }),                           'wrongSignature'],
  ['crit',                                  ec.token(claims, { crit: ['exp'], exp: SECONDS }),                       'wrongAlgorithm'],
  ['crit with b64',                         ec.token(claims, { crit: ['b64'], b64: false }),                         'wrongAlgorithm'],
  ['b64 alone',                             ec.token(claims, { b64: false }),                                        'wrongAlgorithm'],
  ['a truncated signature',                 ec.token(claims).slice(0, -2),                                           'wrongSignature'],
  ['half a signature',                      [goodHeader, goodPayload, ecSignature.subarray(0, 32).toString('base64url')].join('.'), 'wrongSignature'],
  ['a signature of zeros',                  [goodHeader, goodPayload, Buffer.alloc(64).toString('base64url')].join('.'), 'wrongSignature'],
  ['an empty signature',                    `${goodHeader}.${goodPayload}.`,                                         'malformedToken'],
  ['no signature',                          `${goodHeader}.${goodPayload}`,                                          'malformedToken'],
  ['a fourth part',                         `${ec.token(claims)}.x`,                                                 'malformedToken'],
  ['five parts, as when encrypted',         'a.b.c.d.e',                                                             'malformedToken'],
  ['padding',                               `${ec.token(claims)}==`,                                                 'malformedToken'],
  ['base64 that is not of URLs',            `${goodHeader}.${goodPayload}.++++`,                                     'malformedToken'],
  ['bits behind the end',                   `${goodHeader}.${goodPayload}.${goodSignature.slice(0, -1)}${nextLetter(goodSignature.at(-1))}`, 'malformedToken'],
  ['a blank in front',                      ` ${ec.token(claims)}`,                                                  'malformedToken'],
  ['a list for claims',                     ec.token([claims]),                                                      'malformedToken'],
  ['a header that is no JSON',              `e30x.${goodPayload}.${goodSignature}`,                                  'malformedToken'],
  ['no token at all',                       'vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==',                            'malformedToken'],
]

for (const typ of [undefined, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'application/okta-internal-at+jwt']) {
  test(`the type ${typ} is one of an access token`, () => assert.equal(judge(ec.token(claims, { typ })), 'valid: joe'))
}

for (const [what, token, why] of FORGED) test(`S16: ${what}: ${why}`, () => assert.equal(judge(token), why))

// prettier-ignore
const CLAIMS: readonly (readonly [what: string, claims: object, expected: string])[] = [
  ['the audience among several',       { aud: ['files', 'mail'] },             'valid: joe'],
  ['scopes as a list, called scp',     { scope: undefined, scp: ['smtp'] },    'valid: joe'],
  ['in force since now',               { nbf: SECONDS },                       'valid: joe'],
  ['in force by the issuer\'s clock',  { nbf: SECONDS + 60 },                  'valid: joe'],
  ['not yet in force',                 { nbf: SECONDS + 61 },                  'earlyToken'],
  ['expired this moment',              { exp: SECONDS },                       'expiredToken'],
  ['without an end',                   { exp: undefined },                     'malformedToken'],
  ['an end in words',                  { exp: '2999999999' },                  'malformedToken'],
  ['a beginning in words',             { nbf: '0' },                           'malformedToken'],
  ['another issuer',                   { iss: 'https://login.example.org/' },  'wrongIssuer'],
  ['the issuer in a list',             { iss: [terms.issuer] },                'wrongIssuer'],
  ['no issuer',                        { iss: undefined },                     'wrongIssuer'],
  ['another audience',                 { aud: 'mail.example.org' },            'wrongAudience'],
  ['the audience in capitals',         { aud: 'Mail' },                        'wrongAudience'],
  ['the audience within words',        { aud: 'mail files' },                  'wrongAudience'],
  ['no audience',                      { aud: undefined },                     'wrongAudience'],
  ['an empty audience',                { aud: [] },                            'wrongAudience'],
  ['no scope',                         { scope: undefined },                   'wrongScope'],
  ['a scope that begins alike',        { scope: 'smtp.read' },                 'wrongScope'],
  ['bound to a key',                   { cnf: { jkt: 'x' } },                  'boundToken'],
  ['no user',                          { sub: undefined },                     'namelessToken'],
  ['an empty user',                    { sub: '' },                            'namelessToken'],
  ['a number for a user',              { sub: 7 },                             'namelessToken'],
  ['a user of many letters',           { sub: 'x'.repeat(321) },               'namelessToken'],
  ['a control character in the user',  { sub: 'joe\n' },                       'namelessToken'],
  ['a user that NFKC makes another',   { sub: 'ｊoe' },                         'namelessToken'],
]

for (const [what, changed, expected] of CLAIMS) test(`${what}: ${expected}`, () => assert.equal(judge(ec.token({ ...claims, ...changed })), expected))

test('S16: a name that only its issuer must not give twice counts letter by letter', () => {
  const set = parseKeySet(JSON.stringify({ keys: [ec.jwk] }))
  assert.ok(set.ok)
  for (const [claim, expected] of [['sub', true], ['email', false]] as const) {
    const verdict = judgeJwt(ec.token({ ...claims, email: 'joe@example.org' }), { keys: set.value, terms: { ...terms, claim }, now: NOW }, isSignedBy)
    assert.equal(verdict.kind === 'valid' && verdict.isExact, expected)
  }
})

test('what every object has is no claim', () => {
  assert.equal(judge(ec.token(claims), [ec], { ...terms, claim: 'constructor' }), 'namelessToken')
  assert.equal(judge(ec.token(claims), [ec], { ...terms, claim: '__proto__' }), 'namelessToken')
})

test('an address that nobody has confirmed names nobody (OpenID Connect Core §5.1)', () => {
  const byAddress = { ...terms, claim: 'email' }
  const verdict = (more: object): string => judge(ec.token({ ...claims, email: 'joe@example.org', ...more }), [ec], byAddress)
  assert.deepEqual([verdict({}), verdict({ email_verified: true })], ['valid: joe@example.org', 'valid: joe@example.org'])
  for (const isVerified of [false, 'false', 'False', null, 0, 1, '', []]) assert.equal(verdict({ email_verified: isVerified }), 'namelessToken')
})

test('without a name of a key there must be one key that fits, and no more', () => {
  const token = ec.token(claims, { kid: undefined })
  assert.equal(judge(token), 'valid: joe')
  assert.equal(judge(token, [ec, signingKey('ES256', 'next')]), 'unknownKey')
})

/** The same bits that count, and others behind them. */
function nextLetter(letter = ''): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return letters[letters.indexOf(letter) + 1] ?? ''
}
