import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateNamed, tls, verifiedAs } from '../../../test/support/identities.ts'
import type { Asker } from '../policy/decision.ts'
import { formatDate, formatReceived, transmissionType, type TraceStamp } from './trace.ts'

const certificate = certificateNamed('Joe+20User')
const verified = verifiedAs(null, certificate)

const asker: Asker = {
  listener: 'submission',
  host: { address: '192.0.2.7', name: { resolve: 'OK', name: 'laptop.example.org' } },
  hello: 'laptop',
  identity: verified,
  authentication: { mechanism: 'EXTERNAL', authenticationId: '/CN=joe', authorizationId: 'joe@example.org', securityLayerBits: 0 },
}

function received(changes: Partial<Asker>, stamp: Partial<TraceStamp> = {}): string[] {
  const at = Date.UTC(2026, 10, 23, 19, 26, 5)
  const text = formatReceived({ asker: { ...asker, ...changes }, hostname: 'mx.example.org', id: 'q1', protocol: 'ESMTPSA', forPath: 'bob@example.net', at, ...stamp })
  return text.split('\r\n')
}

test('a Received field tells all that sendmail tells, and who the certificate names', () => {
  assert.deepEqual(received({}), [
    'Received: from laptop (laptop.example.org [192.0.2.7])',
    '\t(authenticated: EXTERNAL joe@example.org)',
    '\tby mx.example.org (Postern) with ESMTPSA id q1',
    '\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=OK)',
    '\t(subject=/O=Example/CN=Joe+20User issuer=/O=Example/CN=Example+20CA)',
    '\tfor <bob@example.net>;',
    '\tMon, 23 Nov 2026 19:26:05 +0000',
    '',
  ])
})

test('without TLS, a name or a single recipient, it says nothing of them', () => {
  const host = { address: '2001:db8::9', name: { resolve: 'FORGED' } } as const
  assert.deepEqual(received({ host, identity: { kind: 'plaintext' }, authentication: null, hello: '' }, { forPath: null, protocol: 'SMTP' }), [
    'Received: from unknown ([IPv6:2001:db8::9])',
    '\tby mx.example.org (Postern) with SMTP id q1;',
    '\tMon, 23 Nov 2026 19:26:05 +0000',
    '',
  ])
  const host4 = { address: '192.0.2.7', name: null }
  assert.equal(received({ host: host4 })[0], 'Received: from laptop ([192.0.2.7])')
})

test('S14: whatever it is made of, its lines are its own', () => {
  const wicked = 'x\r\nX-Forged: (yes\\'
  const host = { address: '192.0.2.7', name: { resolve: 'OK', name: wicked } } as const
  const named = { ...verified, certificate: { ...certificate, subject: wicked, issuer: wicked } }
  const authentication = { mechanism: 'PLAIN', authenticationId: wicked, authorizationId: wicked, securityLayerBits: 0 }
  assert.deepEqual(received({ hello: wicked, host, identity: named, authentication }, { forPath: wicked }).slice(0, 6), [
    'Received: from x??X-Forged:??yes? (x??X-Forged:??yes? [192.0.2.7])',
    '\t(authenticated: PLAIN x??X-Forged: \\(yes\\\\)',
    '\tby mx.example.org (Postern) with ESMTPSA id q1',
    '\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=OK)',
    '\t(subject=x??X-Forged: \\(yes\\\\ issuer=x??X-Forged: \\(yes\\\\)',
    '\tfor <x??X-Forged: (yes\\>;',
  ])
})

test('it says when no certificate came, and when the one that came did not count', () => {
  assert.equal(received({ identity: { kind: 'anonymous', tls } })[3], '\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NO)')
  const unverified = received({ identity: { kind: 'unverified', tls, certificate, problem: { kind: 'isAuthority' } } })
  assert.match(unverified[3] ?? '', /verify=FAIL\)$/)
  assert.match(unverified[4] ?? '', /subject=/)
})

test('the transmission type is that of RFC 3848 and RFC 6531 §4.3', () => {
  const plain = { isLmtp: false, extended: true, utf8: false, inTls: false, authenticated: false }
  assert.equal(transmissionType({ ...plain, extended: false, inTls: true }), 'SMTP')
  assert.equal(transmissionType(plain), 'ESMTP')
  assert.equal(transmissionType({ ...plain, authenticated: true }), 'ESMTPA')
  assert.equal(transmissionType({ ...plain, inTls: true }), 'ESMTPS')
  assert.equal(transmissionType({ ...plain, inTls: true, authenticated: true }), 'ESMTPSA')
  assert.equal(transmissionType({ ...plain, utf8: true }), 'UTF8SMTP')
  assert.equal(transmissionType({ ...plain, isLmtp: true }), 'LMTP')
  assert.equal(transmissionType({ ...plain, isLmtp: true, utf8: true, inTls: true, authenticated: true }), 'UTF8LMTPSA')
  assert.equal(transmissionType({ ...plain, utf8: true, inTls: true, authenticated: true }), 'UTF8SMTPSA')
})

test('dates are those of RFC 5322', () => {
  assert.equal(formatDate(0), 'Thu, 01 Jan 1970 00:00:00 +0000')
  assert.equal(formatDate(Date.UTC(2028, 1, 29, 23, 59, 59)), 'Tue, 29 Feb 2028 23:59:59 +0000')
})
