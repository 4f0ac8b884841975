import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, integer, property } from 'fast-check'
import { formatCompletion, presumedAuthor } from './completion.ts'
import { UNKNOWN_CERTIFICATE } from '../names/identity.ts'
import { HeaderSection, type HeaderTreatment, type MessagePart } from './header-section.ts'
import type { Asker } from '../policy/decision.ts'

const RELAYED: HeaderTreatment = { hostname: 'mx.example.org', submission: null, readsAuthors: false }
const SUBMITTED: HeaderTreatment = { hostname: 'mx.example.org', submission: { author: 'joe@example.org' }, readsAuthors: false }

function treat(text: string, treatment: HeaderTreatment, length = text.length || 1): string {
  const section = new HeaderSection(treatment)
  const parts: MessagePart[] = []
  for (let at = 0; at < text.length; at += length) parts.push(...section.take(Buffer.from(text.slice(at, at + length), 'latin1')))
  return [...parts, ...section.finish()].map(said).join('')
}

function said(part: MessagePart): string {
  if (part.kind === 'body') return Buffer.from(part.bytes).toString('latin1')
  return formatCompletion(part.completion, { at: 0, id: 'q1', hostname: 'mx.example.org' })
}

const part = constantFrom(
  'Received', 'From', 'Date', 'message-id', 'Return-Path', 'Authentication-Results', ': ', ':', 'mx.example.org', ';', '(', ' ', '\t', '\r\n', '\r\n', '\xff',
)

test('what is made of a header does not depend on how its octets were cut', () => {
  check(
    property(array(part, { maxLength: 60 }), integer({ min: 1, max: 20 }), constantFrom(RELAYED, SUBMITTED), (parts, length, treatment) => {
      const text = parts.join('')
      assert.equal(treat(text, treatment, length), treat(text, treatment))
    }),
    { numRuns: 2000 },
  )
})

test('what went through once goes through a second time unchanged', () => {
  check(
    property(array(part, { maxLength: 60 }), constantFrom(RELAYED, SUBMITTED), (parts, treatment) => {
      const once = treat(parts.join(''), treatment)
      assert.equal(treat(once, treatment), once)
    }),
    { numRuns: 2000 },
  )
})

test('a message may end within a line of its header', () => {
  assert.equal(treat('Subject: x', SUBMITTED), `${treat('', SUBMITTED)}Subject: x`)
  assert.equal(treat('Subject', SUBMITTED), `${treat('', SUBMITTED)}\r\nSubject`)
})

test('the presumed author is one whole address, or nobody', () => {
  const certificate = { ...UNKNOWN_CERTIFICATE, addresses: ['', 'root', '@example.org', 'a@b,c', 'x@y\r\nBcc: z', 'jürgen@example.org', 'a b@example.org', 'joe@example.org'] }
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', cipherBits: 256 }
  const asker: Asker = {
    listener: 'submission',
    host: { address: '192.0.2.7', name: null },
    hello: '',
    identity: { kind: 'verified', tls, certificate, holder: null },
    authentication: null,
  }
  assert.equal(presumedAuthor('', asker), 'joe@example.org')
  assert.equal(presumedAuthor('jürgen@example.org', asker), 'jürgen@example.org')
  assert.equal(presumedAuthor('root', asker), null)
  const jane = { name: 'jane', kind: 'person', senders: ['@example.org', 'jane@example.org'] } as const
  const login = { mechanism: 'PLAIN', authenticationId: 'jane', authorizationId: '', securityLayerBits: 0 }
  const account = { holder: jane, device: 'phone', passwordId: 'p1', endsAt: null, certificate }
  assert.equal(presumedAuthor('', { ...asker, authentication: { ...login, account } }), 'jane@example.org')
  assert.equal(presumedAuthor('', { ...asker, identity: { kind: 'anonymous', tls } }), null)
})
