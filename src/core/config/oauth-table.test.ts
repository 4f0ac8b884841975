import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './parse.ts'

/** What `[oauth]` with these lines is told: the keys that are wrong. */
function wrong(...lines: readonly string[]): readonly string[] {
  const parsed = parseConfig(['hostname = "mx.example.org"', '[oauth]', ...lines].join('\n'), 'postern.toml')
  return parsed.ok ? [] : parsed.problem.map(({ key }) => key.replace('oauth.', ''))
}

const ASKED = ['introspection = "https://login.example.org/introspect"', 'client-id = "postern"', 'client-secret-file = "secret"']
const KEYS = ['jwks-file = "keys.json"', 'issuer = "https://login.example.org"', 'audience = "mail"']

// prettier-ignore
const ROWS: readonly (readonly [what: string, lines: readonly string[], wrong: readonly string[]])[] = [
  ['an endpoint and an audience',       [...ASKED, 'audience = "mail"'],                          []],
  ['an endpoint and a scope',           [...ASKED, 'scope = ["smtp"]'],                           []],
  ['an endpoint for any token',         ASKED,                                                    ['audience']],
  ['an endpoint without a secret',      [ASKED[0] ?? '', 'scope = ["smtp"]'],                     ['client-id', 'client-secret-file']],
  ['keys',                              KEYS,                                                     []],
  ['keys of any issuer, for anything',  [KEYS[0] ?? ''],                                          ['issuer', 'audience']],
  ['keys and a client',                 [...KEYS, 'client-id = "postern"'],                       ['client-id']],
  ['keys at an address',                ['jwks-url = "https://login.example.org/keys"', ...KEYS.slice(1), 'trusted-ca = ["ca.pem"]'], []],
  ['keys at an address and in a file',  [...KEYS, 'jwks-url = "https://login.example.org/keys"'], ['jwks-url']],
  ['keys at an address in clear',       ['jwks-url = "http://login.example.org/keys"', ...KEYS.slice(1)], ['jwks-url']],
  ['keys in a file and a CA',           [...KEYS, 'trusted-ca = ["ca.pem"]'],                     ['trusted-ca']],
  ['both',                              [...ASKED, ...KEYS],                                      ['jwks-file']],
  ['neither',                           ['scope = ["smtp"]'],                                     ['introspection']],
  ['two scopes in one',                 [...ASKED, 'scope = ["a b"]'],                            ['scope[0]']],
  ['a claim with a blank',              [...KEYS, 'claim = "e mail"'],                            ['claim']],
  ['a long timeout',                    [...KEYS, 'timeout = "2m"'],                              ['timeout']],
]

for (const [what, lines, keys] of ROWS) test(`${what}: ${keys.length === 0 ? 'taken' : `wrong are ${keys.join(', ')}`}`, () => assert.deepEqual(wrong(...lines), keys))

// prettier-ignore
const ENDPOINTS: readonly (readonly [url: string, taken: boolean])[] = [
  ['https://login.example.org/oauth2/introspect?tenant=1', true],
  ['http://127.0.0.1:8080/introspect',                     true],
  ['http://[::1]:8080/introspect',                         true],
  ['http://localhost/introspect',                          true],
  ['http://login.example.org/introspect',                  false],
  ['http://127.0.0.1.example.org/introspect',              false],
  ['http://localhost.example.org/introspect',              false],
  ['https://user:secret@login.example.org/',               false],
  ['https://login.example.org/#fragment',                  false],
  ['file:///etc/passwd',                                   false],
  ['login.example.org',                                    false],
]

for (const [url, taken] of ENDPOINTS) {
  test(`S16: ${url} is ${taken ? '' : 'not '}asked about tokens`, () => {
    assert.deepEqual(wrong(`introspection = ${JSON.stringify(url)}`, ...ASKED.slice(1), 'audience = "mail"'), taken ? [] : ['introspection'])
  })
}
