import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Asker, CalloutWord } from './decision.ts'
import { parseAccessMap } from './access-map.ts'
import { decide } from './decide.ts'
import { compilePolicy, posternFeatures } from './policy.ts'
import type { Policy, PolicyFeatures } from './policy.ts'
import { NO_CHECKS } from './site-checks.ts'

const ACCESS = 'Connect:192.0.2.9 OK\nConnect:192.0.2.10 RELAY\nTo:listed.example RELAY\nTo:refused@example.org REJECT\nCERTISSUER:/CN=CA RELAY\n'
const STRANGER: Asker = { listener: 'mx', host: { address: '192.0.2.7', name: null }, hello: 'x', identity: { kind: 'plaintext' }, authentication: null }
const TLS = { version: 'TLSv1.3', cipher: 'x', cipherBits: 256 }

// prettier-ignore
const SAID: readonly (readonly [CalloutWord, 'defer' | 'accept', string])[] = [
  ['yes',       'defer',  'accept'],
  ['no',        'defer',  '550 5.1.1 User unknown'],
  ['no',        'accept', '550 5.1.1 User unknown'],
  ['unknown',   'defer',  '450 4.4.0 The recipient cannot be verified now; try again later'],
  ['unknown',   'accept', 'accept'],
  ['busy',      'defer',  '450 4.4.5 Too many recipients are being verified; try again later'],
  ['busy',      'accept', '450 4.4.5 Too many recipients are being verified; try again later'],
  ['cannotAsk', 'defer',  'accept'],
  ['notAsked',  'defer',  'accept'],
]

for (const [says, recipientCallout, expected] of SAID) {
  test(`the next hop says ${says}, and what is unknown is to ${recipientCallout}`, () => {
    assert.equal(ask('joe@example.org', { recipientCallout, says }), expected)
  })
}

test('of recipients in domains that the site lists', () => {
  assert.equal(ask('joe@example.org'), 'missing callout')
  assert.equal(ask('joe@sub.example.org'), 'missing callout')
  assert.equal(ask('joe@listed.example'), 'missing callout')
  assert.match(ask('joe@elsewhere.example'), /^550 5\.7\.1 Relaying denied/)
})

test('not of whoever is refused already, and not of postmaster (RFC 5321 §4.5.1)', () => {
  assert.equal(ask('refused@example.org'), '550 5.2.1 Mailbox disabled for this recipient')
  assert.equal(ask('postmaster'), 'accept')
  assert.equal(ask('Postmaster@Example.ORG'), 'accept')
})

test('not of domains that only DNS makes ours', () => {
  assert.equal(ask('joe@mx.example', { features: { relayBasedOnMx: true } }), 'accept')
})

test('strangers only: who is known, welcome or elsewhere causes no callout', () => {
  const certificate = { subject: '/CN=joe', issuer: '/CN=CA', cnSubject: 'joe', cnIssuer: 'CA', fingerprint: '', keyFingerprint: '', serial: '', notBefore: 0, notAfter: 0, addresses: [], dnsNames: [], uris: [] }
  const verified = { kind: 'verified', tls: TLS, certificate, holder: null } as const
  const others: Readonly<Record<string, Partial<Asker>>> = {
    'with a certificate that may relay': { identity: verified },
    'with one that may not': { identity: { ...verified, certificate: { ...certificate, issuer: '/CN=Other' } } },
    'logged in': { authentication: { mechanism: 'PLAIN', authenticationId: 'joe', authorizationId: '', securityLayerBits: 0 } },
    'welcome by a line': { host: { address: '192.0.2.9', name: null } },
    'let relay by a line': { host: { address: '192.0.2.10', name: null } },
    'by LMTP': { listener: 'lmtp' },
    'on submission': { listener: 'submission', identity: verified },
  }
  for (const [who, changes] of Object.entries(others)) assert.equal(ask('joe@example.org', { changes }), 'accept', who)
  assert.equal(ask('joe@example.org', { changes: { identity: { kind: 'anonymous', tls: TLS } } }), 'missing callout')
})

test('off, nobody is asked about', () => {
  assert.equal(ask('joe@example.org', { recipientCallout: 'off' }), 'accept')
})

type Circumstances = {
  readonly recipientCallout?: 'off' | 'defer' | 'accept'
  readonly says?: CalloutWord
  readonly changes?: Partial<Asker>
  readonly features?: Partial<PolicyFeatures>
}

function ask(forwardPath: string, { recipientCallout = 'defer', says, changes = {}, features = {} }: Circumstances = {}): string {
  const policy = policyWith(recipientCallout, features)
  const asker: Asker = { ...STRANGER, ...changes }
  const callouts = says === undefined ? {} : { callouts: new Map([[forwardPath, { says, detail: 'what it said' }]]) }
  const facts = { domainExists: new Map(), isMxFor: new Map([['mx.example', 'yes']] as const), ...callouts }
  const answer = decide(policy, { kind: 'recipient', asker, reversePath: 'a@example.com', forwardPath }, facts, 'D1')
  if (answer.kind === 'missing') return `missing ${answer.missing.kind}`
  const { reply, verdict, because } = answer.decision
  if (says !== undefined) assert.ok(because.some(reason => reason.kind === 'fact' && reason.text === 'what it said'))
  return reply === null ? verdict : `${reply.code} ${reply.enhanced} ${reply.text}`
}

test('whether the sender requires TLS goes with the question', () => {
  const question = { kind: 'recipient', asker: STRANGER, reversePath: '', forwardPath: 'joe@example.org', requiresTls: true } as const
  const missing = { kind: 'callout', forwardPath: 'joe@example.org', requiresTls: true }
  assert.deepEqual(decide(policyWith('defer'), question, { domainExists: new Map(), isMxFor: new Map() }, 'D1'), { kind: 'missing', missing })
})

function policyWith(recipientCallout: 'off' | 'defer' | 'accept', features: Partial<PolicyFeatures> = {}): Policy {
  return compilePolicy({
    access: parseAccessMap(ACCESS, 'access').map,
    hostname: 'mx.example.org',
    localDomains: [],
    relayDomains: ['example.org'],
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'off',
    checks: { ...NO_CHECKS, recipientCallout },
    features: { ...posternFeatures, ...features },
  })
}
