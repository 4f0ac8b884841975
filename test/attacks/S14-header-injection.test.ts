/**
 * S14: header injection. Strangers choose the name after EHLO, names in certificates and paths; none
 * of it can end our line, open a line of its own, or leave its comment.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, constantFrom, oneof, property, record, string } from 'fast-check'
import { formatReceived } from '../../src/core/message/trace.ts'
import { HeaderScanner } from '../../src/core/message/header.ts'
import type { ClientIdentity, PeerCertificate } from '../../src/core/names/identity.ts'
import { parsePath } from '../../src/core/smtp/path.ts'

const hostile = oneof(
  string({ unit: 'binary', maxLength: 400 }),
  constantFrom('x\r\nSubject: injected', 'x\n\nbody', 'x)\r\n\t(', ')', '(', '\\', '"', 'x; Mon, 1 Jan 2001 00:00:00 +0000', 'x\u2028y', 'x\u0085y', '\ud800', 'a b', '<', 'x'.repeat(5000)),
)

function certificateOf(subject: string, issuer: string): PeerCertificate {
  const names = { subject, issuer, cnSubject: subject, cnIssuer: issuer }
  return { ...names, fingerprint: 'f', keyFingerprint: 'e', serial: '1', notBefore: 0, notAfter: 1, addresses: [], dnsNames: [], uris: [] }
}

const stranger = record({ hello: hostile, name: hostile, subject: hostile, issuer: hostile, authorizationId: hostile })

function receivedFrom({ hello, name, subject, issuer, authorizationId }: Record<'hello' | 'name' | 'subject' | 'issuer' | 'authorizationId', string>): string {
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', cipherBits: 256 }
  const identity: ClientIdentity = { kind: 'verified', tls, certificate: certificateOf(subject, issuer), holder: null }
  const authentication = { mechanism: 'EXTERNAL', authenticationId: subject, authorizationId, securityLayerBits: 0 }
  const host = { address: '192.0.2.7', name: { resolve: 'OK', name } } as const
  const asker = { listener: 'mx', host, hello, identity, authentication } as const
  return formatReceived({ asker, hostname: 'mx.example.org', id: 'q1', protocol: 'ESMTPSA', forPath: 'bob@example.net', at: 0 })
}

test('S14: whatever strangers are called, Received is one field of seven lines', () => {
  check(
    property(stranger, who => {
      const lines = receivedFrom(who).split('\r\n')
      assert.equal(lines.length, 8)
      assert.equal(lines.pop(), '', 'it ends with CRLF')
      for (const line of lines) assert.match(line, /^(?:Received: |\t)[ -~]{1,990}$/)
      assert.ok(lines.slice(1).every(line => line.startsWith('\t')))
      const scanner = new HeaderScanner()
      scanner.scan(Buffer.from(receivedFrom(who)))
      assert.deepEqual([scanner.fields, scanner.receivedFields], [1, 1])
    }),
  )
})

test('S14: comments are closed where they were opened', () => {
  check(
    property(stranger, who => {
      // RFC 5322 §3.2.2: a backslash quotes what follows it.
      const marks = receivedFrom(who).replaceAll(/\\./g, '').replaceAll(/[^()]/g, '')
      assert.match(marks, /^(?:\(\))+$/)
    }),
  )
})

test('S14: the stamp that counts is the last clause, and only ours', () => {
  check(property(stranger, who => assert.match(receivedFrom(who), /for <bob@example\.net>;\r\n\tThu, 01 Jan 1970 00:00:00 \+0000\r\n$/)))
})

test('S14: no path with a control character gets as far as a header', () => {
  check(
    property(string({ unit: 'binary' }), string({ unit: 'binary' }), (local, domain) => {
      for (const path of [`<${local}@${domain}>`, `<"${local}"@example.org>`, `<${local}@example.org>`]) {
        const parsed = parsePath(path)
        if (parsed.ok) assert.doesNotMatch(parsed.value.address, /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u)
      }
    }),
    { numRuns: 2000 },
  )
})
