import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorityNames, planClient, planIssuing, planRoot, planServer } from './certificate-plan.ts'

const NOW = Date.UTC(2026, 10, 23, 12) + 789
const SECOND = NOW - 789
const HOUR = 3_600_000
const DAY = 24 * HOUR
const serial = Uint8Array.of(0x40, 1, 2)

const issuer = { organisation: 'example.org', commonNames: ['example.org Postern Issuing CA', 'example.org Postern Root CA'], notAfter: NOW + 1000 * DAY }
const occasion = { now: NOW, serial, days: 365 }

function problemOf(result: { readonly ok: boolean; readonly problem?: string }): string {
  assert.equal(result.ok, false)
  return result.problem ?? ''
}

test('an authority is named after the site', () => {
  assert.deepEqual(authorityNames('example.org', 'mail.example.org', null), {
    ok: true,
    value: { root: 'example.org Postern Root CA', issuing: 'example.org Postern Issuing CA' },
  })
})

test('a site with a long name leaves it to the organisation', () => {
  const organisation = `${'x'.repeat(45)}.example.org`
  assert.deepEqual(authorityNames(organisation, 'mail.example.org', null), { ok: true, value: { root: 'Postern Root CA', issuing: 'Postern Issuing CA' } })
})

test('a CA may not have the name of the server, and is told why', () => {
  for (const name of ['mail.example.org', 'MAIL.example.org']) {
    assert.match(problemOf(authorityNames('example.org', 'mail.example.org', name)), /self-signed/)
  }
  assert.equal(authorityNames('example.org', 'mail.example.org', 'Mail CA').ok, true)
})

for (const name of ['', 'a\\b', 'a\nb', 'Jörg CA', 'x'.repeat(60)]) {
  test(`no name for a CA: ${JSON.stringify(name)}`, () => assert.match(problemOf(authorityNames('example.org', 'mail.example.org', name)), /no name for a CA/))
}

test('organisation and host name are checked', () => {
  assert.match(problemOf(authorityNames('Example Inc', 'mail.example.org', null)), /no domain/)
  assert.match(problemOf(authorityNames('example.org', '*.example.org', null)), /no host name/)
})

test('root and issuing CA sign certificates and nothing else (RFC 5280 §4.2.1.3, §4.2.1.9)', () => {
  const root = planRoot('example.org', 'Root', { now: NOW, serial })
  assert.deepEqual(root.authority, { pathLength: null })
  const issuing = planIssuing('example.org', 'Issuing', { now: NOW, serial })
  assert.deepEqual(issuing.authority, { pathLength: 0 })
  for (const plan of [root, issuing]) {
    assert.deepEqual(plan.keyUsages, ['keyCertSign', 'crlSign'])
    assert.deepEqual(plan.purposes, [])
    assert.equal(plan.notBefore, SECOND - HOUR)
  }
  assert.ok(root.notAfter > issuing.notAfter)
})

test('a server has host names and addresses, and is for servers only', () => {
  const plan = planServer(['Mail.Example.org', '127.0.0.1', 'mx'], 'p256', issuer, occasion)
  assert.ok(plan.ok)
  assert.deepEqual(plan.value.subject, { organisation: 'example.org', commonName: 'mail.example.org' })
  assert.deepEqual(plan.value.alternativeNames, [
    { kind: 'dnsName', value: 'mail.example.org' },
    { kind: 'ipAddress', value: Uint8Array.of(127, 0, 0, 1) },
    { kind: 'dnsName', value: 'mx' },
  ])
  assert.deepEqual(plan.value.purposes, ['serverAuth'])
  assert.deepEqual(plan.value.keyUsages, ['digitalSignature'])
  assert.equal(plan.value.authority, 'none')
})

test('an RSA server may also be sent secrets, as old devices do', () => {
  const plan = planServer(['mail.example.org'], 'rsa2048', issuer, occasion)
  assert.deepEqual(plan.ok ? plan.value.keyUsages : null, ['digitalSignature', 'keyEncipherment'])
})

test('a host name that is too long for a common name is an alternative name only (RFC 5280 appendix A.1)', () => {
  const name = `${'a'.repeat(40)}.${'b'.repeat(40)}.example.org`
  const plan = planServer([name], 'p256', issuer, occasion)
  assert.equal(plan.ok ? plan.value.subject.commonName : '', null)
})

test('a server of the name of a CA is refused', () => {
  const sameName = { ...issuer, commonNames: ['mail.example.org'] }
  assert.match(problemOf(planServer(['MAIL.example.org'], 'p256', sameName, occasion)), /self-signed/)
})

test('servers without names, or with wrong ones, are refused', () => {
  assert.match(problemOf(planServer([], 'p256', issuer, occasion)), /at least one/)
  assert.match(problemOf(planServer(['*.example.org'], 'p256', issuer, occasion)), /wildcards/)
})

test('a client has its addresses and host names, and is for clients only', () => {
  const plan = planClient({ name: 'web7', addresses: ['web7@example.org'], dnsNames: ['Web7.example.org'] }, issuer, occasion)
  assert.ok(plan.ok)
  assert.deepEqual(plan.value, {
    serial,
    subject: { organisation: 'example.org', commonName: 'web7' },
    notBefore: SECOND - HOUR,
    notAfter: SECOND + 365 * DAY,
    authority: 'none',
    keyUsages: ['digitalSignature'],
    purposes: ['clientAuth'],
    alternativeNames: [
      { kind: 'address', value: 'web7@example.org' },
      { kind: 'dnsName', value: 'web7.example.org' },
    ],
  })
})

test('clients with wrong names are refused', () => {
  assert.match(problemOf(planClient({ name: '../x', addresses: [], dnsNames: [] }, issuer, occasion)), /no name for a holder/)
  assert.match(problemOf(planClient({ name: 'joe', addresses: ['joe'], dnsNames: [] }, issuer, occasion)), /no mail address/)
  assert.match(problemOf(planClient({ name: 'joe', addresses: [], dnsNames: ['a b'] }, issuer, occasion)), /no host name/)
})

test('nothing outlives its CA', () => {
  const plan = planClient({ name: 'joe', addresses: [], dnsNames: [] }, issuer, { ...occasion, days: 5000 })
  assert.equal(plan.ok ? plan.value.notAfter : 0, issuer.notAfter)
})

test('an expired CA issues nothing', () => {
  assert.match(problemOf(planClient({ name: 'joe', addresses: [], dnsNames: [] }, { ...issuer, notAfter: NOW }, occasion)), /expired, on 2026-11-23/)
})

for (const days of [0, -1, 1.5, Number.NaN]) {
  test(`${days} days are no time to be valid`, () =>
    assert.match(problemOf(planClient({ name: 'joe', addresses: [], dnsNames: [] }, issuer, { ...occasion, days })), /at least one day/))
}
