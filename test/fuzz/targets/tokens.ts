/**
 * Signed tokens, key sets and what an endpoint says of a token: whatever comes, a verdict comes of it, and
 * nobody is vouched for whose signature was not found right or whom the endpoint does not call active (S16).
 */

import assert from 'node:assert/strict'
import { judgeIntrospection } from '../../../src/core/tokens/introspection.ts'
import { judgeJwt } from '../../../src/core/tokens/jwt.ts'
import { parseKeySet, TOKEN_ALGORITHMS } from '../../../src/core/tokens/key-set.ts'
import type { FuzzTarget } from '../target.ts'

const NOW = 1_800_000_000_000
const terms = { issuer: 'https://login.example.org', audience: 'mail', scopes: ['smtp'], claim: 'sub' }
const CLAIMS = JSON.stringify({ iss: terms.issuer, aud: ['mail'], scope: 'smtp', sub: 'joe', exp: 1_900_000_000, nbf: 1_700_000_000 })
const KEYS = JSON.stringify({
  keys: [
    { kty: 'OKP', crv: 'Ed25519', kid: 'a', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    { kty: 'EC', crv: 'P-256', x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' },
  ],
})
const usual = parseKeySet(KEYS)
assert.ok(usual.ok)
const keys = usual.value

function token(header: object): string {
  return [JSON.stringify(header), CLAIMS, 'signature'].map(part => Buffer.from(part).toString('base64url')).join('.')
}

export const target: FuzzTarget = {
  name: 'tokens',
  seeds: [token({ alg: 'EdDSA', kid: 'a' }), token({ alg: 'ES256' }), token({ alg: 'none' }), CLAIMS, CLAIMS.replace('{', '{"active":true,'), KEYS].map(text => Buffer.from(text)),
  words: ['.', '{', '}', '"alg":', '"none"', '"EdDSA"', '"crit":[]', '"active":true', '"sub":', '"aud":', '"exp":', '"__proto__":', '1e400', 'null', '[]', '"kty":"RSA"', '"d":', '\u{ff4a}oe'],
  check(input) {
    const text = input.toString('latin1')
    let said = false
    const signed = judgeJwt(text, { keys, terms, now: NOW }, (key, { alg }) => {
      assert.ok(key.algorithms.includes(alg) && TOKEN_ALGORITHMS.includes(alg), 'a key is asked only about what it is for')
      said = true
      return true
    })
    if (signed.kind === 'valid') assert.ok(said && signed.until !== null && signed.until > NOW && isName(signed.user))
    assert.equal(judgeJwt(text, { keys, terms, now: NOW }, () => false).kind, 'refused')
    const asked = judgeIntrospection(text, terms, NOW)
    if (asked?.kind === 'valid') assert.ok((JSON.parse(text) as { active: unknown }).active === true && isName(asked.user))
    const set = parseKeySet(text)
    if (set.ok) for (const { jwk } of set.value) assert.ok(!('d' in jwk) && !('k' in jwk))
  },
}

function isName(user: string): boolean {
  return user !== '' && user === user.normalize('NFKC') && !/\p{Cc}/u.test(user)
}
