import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAccessMap } from './access-map.ts'
import { addressTerms } from './client-terms.ts'
import type { ClientHost } from './decision.ts'
import { compilePolicy, posternFeatures } from './policy.ts'
import type { Policy } from './policy.ts'
import { LONGEST_PAUSE_MILLISECONDS, sessionTerms, USUAL_TERMS } from './session-terms.ts'
import type { SessionTerms } from './session-terms.ts'
import { parseTlsSettings } from './tls-session-settings.ts'

test('without a line everybody gets the usual', () => {
  assert.equal(termsOf('Connect:192.0.2.7\tRELAY'), USUAL_TERMS)
  assert.deepEqual(termsOf('Srv_Features:198.51.100\tS').features, USUAL_TERMS.features)
})

test('the most specific line counts: name, then address, then the bare tag', () => {
  const map = 'Srv_Features:\tP\nSrv_Features:192.0.2\tS\nSrv_Features:good.example\ta'
  const named = (name: string): ClientHost => ({ address: '192.0.2.7', name: { resolve: 'OK', name } })
  assert.equal(termsOf(map, { address: '203.0.113.1', name: { resolve: 'FAIL' } }).features.hiddenKeywords.has('PIPELINING'), true)
  assert.equal(termsOf(map, named('mx.other.example')).features.startTls, 'hidden')
  assert.equal(termsOf(map, named('mx.good.example')).features.startTls, 'offered')
})

test('a name is asked for only where a line names a host', () => {
  const unnamed: ClientHost = { address: '192.0.2.7', name: null }
  assert.equal(sessionTerms(policyOf('Srv_Features:192.0.2\tS'), unnamed).kind, 'terms')
  assert.equal(sessionTerms(policyOf('GreetPause:slow.example\t5000'), unnamed).kind, 'missing')
})

test('letters are read as sendmail reads them', () => {
  for (const [value, startTls, asks, authentication] of [
    ['S', 'hidden', true, true],
    ['s v a', 'offered', true, true],
    ['V A', 'offered', false, false],
    ['R', 'offered', false, true],
    ['VA', 'offered', false, true],
    ['sv', 'offered', true, true],
  ] as const) {
    const { features, handshake } = termsOf(`Srv_Features:\t${value}`)
    assert.deepEqual([features.startTls, handshake.asksForCertificate, features.authentication], [startTls, asks, authentication], value)
  }
  assert.equal(termsOf('Srv_Features:\ttemporary trouble').features.refusesForNow, true)
})

test('GreetPause is milliseconds, and never longer than a client waits', () => {
  assert.equal(termsOf('GreetPause:192.0.2\t5000').greetPauseMilliseconds, 5000)
  assert.equal(termsOf('GreetPause:192.0.2\t99999999').greetPauseMilliseconds, LONGEST_PAUSE_MILLISECONDS)
  assert.equal(termsOf('GreetPause:192.0.2\tsoon').greetPauseMilliseconds, 0)
  assert.equal(termsOf('GreetPause:198.51.100\t5000').greetPauseMilliseconds, null)
})

test('ClientRate and ClientConn by address, then for all; what is no number is no limit', () => {
  const policy = policyOf('ClientRate:192.0.2.7\t5\nClientRate:\t50\nClientConn:192.0.2.7\tmany\nConnect:192.0.2.8\tRELAY\nConnect:192.0.2.9\tOK')
  assert.deepEqual(addressTerms(policy, '192.0.2.7'), { connections: null, connectionRate: { count: 5, entry: { key: 'ClientRate:192.0.2.7', value: '5', file: 'access', line: 1 } }, mayRelay: false })
  assert.equal(addressTerms(policy, '2001:db8::1').connectionRate?.entry.line, 2)
  assert.deepEqual(['192.0.2.8', '192.0.2.9'].map(address => addressTerms(policy, address).mayRelay), [true, false])
  assert.equal(addressTerms(policyOf('', ['198.51.100']), '198.51.100.7').mayRelay, true)
  const count = (value: string): number | undefined => addressTerms(policyOf(`ClientConn:\t${value}`), '192.0.2.7').connections?.count
  assert.deepEqual(['0', '5 (a comment)', '010', '0x10', '5x', '00', '-1', ''].map(count), [0, 5, 8, 16, 5, undefined, undefined, undefined])
})

test('TLS_Srv_Features: ciphers and options; what cannot be read breaks TLS', () => {
  const read = parseTlsSettings('"Options=SSL_OP_NO_TLSv1_3+NO_TICKET; CipherList=ECDHE-RSA-AES256-GCM-SHA384; CipherSuites=TLS_AES_256_GCM_SHA384"')
  assert.deepEqual(read.ok && read.value, {
    options: ['SSL_OP_NO_TLSv1_3', 'SSL_OP_NO_TICKET'],
    cipherList: 'ECDHE-RSA-AES256-GCM-SHA384',
    cipherSuites: ['TLS_AES_256_GCM_SHA384'],
  })
  for (const wrong of ['Options=SSL_OP_ALL', 'Options=SSL_OP_LEGACY_SERVER_CONNECT', 'CipherSuites=TLS_NULL', 'Cipher=x', 'nonsense', 'CipherList=a b']) {
    assert.equal(parseTlsSettings(wrong).ok, false, wrong)
    assert.equal(termsOf(`TLS_Srv_Features:192.0.2\t${wrong}`).features.startTls, 'broken', wrong)
  }
  assert.equal(termsOf('TLS_Srv_Features:192.0.2\tCertFile=/x/y.pem').features.startTls, 'offered')
})

function policyOf(access: string, relayDomains: readonly string[] = []): Policy {
  const { map } = parseAccessMap(`${access}\n`, 'access')
  const none = { localDomains: [], relayDomains, ownDomains: [], trustedMechanisms: [] }
  return compilePolicy({ access: map, hostname: 'mx.example.org', ...none, senderBinding: 'enforce', features: posternFeatures })
}

function termsOf(access: string, host: ClientHost = { address: '192.0.2.7', name: { resolve: 'FAIL' } }): SessionTerms {
  const answer = sessionTerms(policyOf(access), host)
  assert.equal(answer.kind, 'terms')
  return answer.kind === 'terms' ? answer.terms : USUAL_TERMS
}
