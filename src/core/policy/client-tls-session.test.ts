import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseClientTlsSession } from './client-tls-session.ts'

const NOTHING = { options: [], cipherList: null, cipherSuites: null, certificate: null, fallsBack: null }

for (const [value, expected] of [
  ['', {}],
  ['"Options=SSL_OP_NO_TLSv1_3; CipherList=HIGH:!aNULL;"', { options: ['SSL_OP_NO_TLSv1_3'], cipherList: 'HIGH:!aNULL' }],
  ['options = +SSL_OP_NO_TLSv1_2, -SSL_OP_ALL SSL_OP_NO_TICKET', { options: ['SSL_OP_NO_TLSv1_2', 'SSL_OP_NO_TICKET'] }],
  ['CipherSuites=TLS_AES_128_GCM_SHA256;FLAGS=dC', { cipherSuites: 'TLS_AES_128_GCM_SHA256', fallsBack: false }],
  ['Flags=c', { fallsBack: true }],
  ['CertFile=tls/b.pem;KeyFile=tls/b.key', { certificate: { certificateFile: 'tls/b.pem', keyFile: 'tls/b.key' } }],
] as const)
  test(`"${value}" is read`, () => assert.deepEqual(parseClientTlsSession(value), { ok: true, value: { ...NOTHING, ...expected } }))

for (const [value, problem] of [
  ['CypherList=HIGH', /"CypherList=HIGH" is none of/],
  ['HIGH', /"HIGH" is none of/],
  ['CipherList=', /nothing behind CipherList=/],
  ['Flags=c; flags=C', /twice/],
  ['CertFile=a.pem', /belong together/],
  ['KeyFile=a.key', /belong together/],
  ['Options=NO_TLSv1', /no name of an OpenSSL option/],
  ['Options=0x800', /no name of an OpenSSL option/],
  ['Flags=R', /revocation lists/],
  ['Flags=x', /none of the flags/],
] as const)
  test(`"${value}" is not`, () => {
    const parsed = parseClientTlsSession(value)
    assert.ok(!parsed.ok)
    assert.match(parsed.problem, problem)
  })
