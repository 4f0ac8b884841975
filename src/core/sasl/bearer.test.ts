import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBearerError, parseBearerMessage, type BearerMechanism, type BearerMessage } from './bearer.ts'

const TOKEN = 'vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=='

/** In a message `^` stands for ^A. */
type Row = readonly [what: string, mechanism: BearerMechanism, message: string, expected: BearerMessage | null]

// prettier-ignore
const ROWS: readonly Row[] = [
  ['RFC 7628 §4.1',                 'OAUTHBEARER', `n,a=user@example.com,^host=server.example.com^port=143^auth=Bearer ${TOKEN}^^`, { user: 'user@example.com', token: TOKEN }],
  ['without a user',                'OAUTHBEARER', `n,,^auth=Bearer ${TOKEN}^^`,                     { user: '', token: TOKEN }],
  ['with an empty user',            'OAUTHBEARER', `n,a=,^auth=Bearer ${TOKEN}^^`,                   { user: '', token: TOKEN }],
  ['that could have bound',         'OAUTHBEARER', `y,,^auth=Bearer ${TOKEN}^^`,                     { user: '', token: TOKEN }],
  ['with a comma in the user',      'OAUTHBEARER', `n,a=a=2Cb=3Dc,^auth=Bearer ${TOKEN}^^`,          { user: 'a,b=c', token: TOKEN }],
  ['the scheme in any case',        'OAUTHBEARER', `n,,^auth=bEARER  ${TOKEN}^^`,                    { user: '', token: TOKEN }],
  ['an unknown field',              'OAUTHBEARER', `n,,^mthd=POST^auth=Bearer ${TOKEN}^path=/^^`,    { user: '', token: TOKEN }],
  ['a field with an equals sign',   'OAUTHBEARER', `n,,^qs=a=b&c=d^auth=Bearer ${TOKEN}^^`,          { user: '', token: TOKEN }],
  ['without a token (§4.3)',        'OAUTHBEARER', 'n,a=user@example.com,^host=x^port=143^auth=^^',  { user: 'user@example.com', token: '' }],
  ['with a binding',                'OAUTHBEARER', `p=tls-exporter,,^auth=Bearer ${TOKEN}^^`,        null],
  ['of GSS-API',                    'OAUTHBEARER', `F,n,,^auth=Bearer ${TOKEN}^^`,                   null],
  ['a user with a bare equals sign', 'OAUTHBEARER', `n,a=a=b,^auth=Bearer ${TOKEN}^^`,               null],
  ['no GS2 header',                 'OAUTHBEARER', `^auth=Bearer ${TOKEN}^^`,                        null],
  ['a header of XOAUTH2',           'OAUTHBEARER', `user=joe^auth=Bearer ${TOKEN}^^`,                null],
  ['no fields',                     'OAUTHBEARER', 'n,,^^',                                          null],
  ['no authorization',              'OAUTHBEARER', 'n,,^host=x^^',                                   null],
  ['two authorizations',            'OAUTHBEARER', `n,,^auth=Bearer ${TOKEN}^auth=Bearer x^^`,       null],
  ['another scheme',                'OAUTHBEARER', 'n,,^auth=Basic dXNlcjpwYXNz^^',                  null],
  ['a scheme alone',                'OAUTHBEARER', 'n,,^auth=Bearer ^^',                             null],
  ['no blank behind the scheme',    'OAUTHBEARER', `n,,^auth=Bearer${TOKEN}^^`,                      null],
  ['a token with a blank',          'OAUTHBEARER', 'n,,^auth=Bearer a b^^',                          null],
  ['a token with a quote',          'OAUTHBEARER', 'n,,^auth=Bearer a"b^^',                          null],
  ['a token of equals signs',       'OAUTHBEARER', 'n,,^auth=Bearer ==^^',                           null],
  ['equals signs inside',           'OAUTHBEARER', 'n,,^auth=Bearer a=b^^',                          null],
  ['a field without a name',        'OAUTHBEARER', `n,,^=x^auth=Bearer ${TOKEN}^^`,                  null],
  ['a field without a value',       'OAUTHBEARER', `n,,^host^auth=Bearer ${TOKEN}^^`,                null],
  ['an empty field',                'OAUTHBEARER', `n,,^^auth=Bearer ${TOKEN}^^`,                    null],
  ['one ^A at the end',             'OAUTHBEARER', `n,,^auth=Bearer ${TOKEN}^`,                      null],
  ['three ^A at the end',           'OAUTHBEARER', `n,,^auth=Bearer ${TOKEN}^^^`,                    null],
  ['something behind the end',      'OAUTHBEARER', `n,,^auth=Bearer ${TOKEN}^^x`,                    null],
  ['NUL for ^A',                    'OAUTHBEARER', `n,,\0auth=Bearer ${TOKEN}\0\0`,                  null],
  ['a NUL in the user',             'OAUTHBEARER', `n,a=jo\0e,^auth=Bearer ${TOKEN}^^`,              null],
  ['a line end in a field',         'OAUTHBEARER', `n,,^host=x\r\n^auth=Bearer ${TOKEN}^^`,          null],
  ['the dummy response',            'OAUTHBEARER', '^',                                              null],
  ['nothing',                       'OAUTHBEARER', '',                                               null],
  ['as Google writes it',           'XOAUTH2',     `user=someuser@example.com^auth=Bearer ${TOKEN}^^`, { user: 'someuser@example.com', token: TOKEN }],
  ['a comma in the user',           'XOAUTH2',     `user=a,b=c^auth=Bearer ${TOKEN}^^`,              { user: 'a,b=c', token: TOKEN }],
  ['no user',                       'XOAUTH2',     `user=^auth=Bearer ${TOKEN}^^`,                   null],
  ['the user behind the token',     'XOAUTH2',     `auth=Bearer ${TOKEN}^user=joe^^`,                null],
  ['a GS2 header',                  'XOAUTH2',     `n,a=joe,^auth=Bearer ${TOKEN}^^`,                null],
  ['without a token',               'XOAUTH2',     'user=joe^auth=^^',                               null],
  ['one ^A at the end',             'XOAUTH2',     `user=joe^auth=Bearer ${TOKEN}^`,                 null],
]

for (const [what, mechanism, message, expected] of ROWS) {
  test(`${mechanism}, ${what}: ${expected === null ? 'refused' : 'read'}`, () => {
    assert.deepEqual(parseBearerMessage(mechanism, Buffer.from(message.replaceAll('^', '\x01'))), expected)
  })
}

test('octets that are no text are refused', () => {
  assert.equal(parseBearerMessage('OAUTHBEARER', Buffer.from('n,a=\xff,\x01auth=Bearer x\x01\x01', 'latin1')), null)
})

test('the error says what to ask for and where, and not what was wrong (RFC 7628 §3.2.2)', () => {
  const hints = { scope: 'smtp mail', openidConfiguration: 'https://login.example.org/.well-known/openid-configuration' }
  assert.deepEqual(JSON.parse(formatBearerError('OAUTHBEARER', hints)), { status: 'invalid_token', scope: 'smtp mail', 'openid-configuration': hints.openidConfiguration })
  assert.deepEqual(JSON.parse(formatBearerError('OAUTHBEARER', { scope: '', openidConfiguration: null })), { status: 'invalid_token' })
  assert.deepEqual(JSON.parse(formatBearerError('XOAUTH2', { scope: 'smtp', openidConfiguration: null })), { status: '401', schemes: 'bearer', scope: 'smtp' })
})
