import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signingKey } from '../../test/support/token-provider.ts'
import { tokensByPublishedKeys } from './token-keys.ts'

const HOUR = 3_600_000
const URL = 'https://login.example.org/jwks'
const terms = { issuer: 'https://login.example.org', audience: 'mail', scopes: [], claim: 'sub' }
const key = signingKey('ES256', 'one')
const next = signingKey('EdDSA', 'two')
const token = key.token({ iss: terms.issuer, aud: terms.audience, sub: 'joe', exp: 1e9 })

// prettier-ignore
const ANSWERS: readonly (readonly [what: string, answer: string, expected: string])[] = [
  ['another key in its place',             set(next.jwk),                             'unknownKey'],
  ['none',                                 set(),                                     `${URL}: holds no key that can be used`],
  ['none of a kind that we take',          set({ kty: 'AKP', kid: 'one' }),           `${URL}: holds no key that can be used`],
  ['its own secret',                       set({ ...key.jwk, d: 'AAAA' }),            `${URL}: holds a private key or a secret`],
  ['a key that cannot be read',            set({ ...key.jwk, x: 'A'.repeat(43) }),    `${URL}: holds no key that can be used`],
  ['one that cannot be read beside it',    set({ ...key.jwk, kid: 'odd', x: 'A'.repeat(43) }, key.jwk), 'valid'],
  ['a page in place of keys',              '<html>Back soon</html>',                  'valid'],
  ['JSON that is no key set',              '{"error":"maintenance"}',                 'valid'],
]

for (const [what, answer, expected] of ANSWERS) {
  test(`S16: a provider that publishes ${what} when it is asked again: ${expected}`, async () => {
    let [now, text] = [0, set(key.jwk)]
    const tokens = tokensByPublishedKeys({ ask: () => Promise.resolve(text) }, URL, terms, { now: () => now })
    assert.equal((await tokens.verify(token)).kind, 'valid')
    text = answer
    now = HOUR
    const said = await tokens.verify(token).then(verdict => (verdict.kind === 'valid' ? 'valid' : verdict.why), (error: Error) => error.message)
    assert.equal(said.split(/[,;]| \(|: RSA/)[0], expected)
  })
}

function set(...keys: readonly object[]): string {
  return JSON.stringify({ keys })
}
