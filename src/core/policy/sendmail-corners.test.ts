/** Corners of sendmail's rules that a differential run has found; see test/interop/differential. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAccessMap } from './access-map.ts'
import { decide } from './decide.ts'
import type { Asker, ClientName, KnownFacts } from './decision.ts'
import { compilePolicy, posternFeatures, sendmailFeatures } from './policy.ts'
import type { Policy, PolicyFeatures } from './policy.ts'
import { judgeNextHop } from './next-hop-tls.ts'
import { checkPeerTls, findPeerEntry } from './tls-requirements.ts'

type Session = { readonly from?: string; readonly to?: string; readonly name?: ClientName; readonly facts?: Partial<KnownFacts> }

function policyWith(features: PolicyFeatures, access: string): Policy {
  return compilePolicy({
    access: parseAccessMap(access, 'access').map,
    hostname: 'mx.home.example',
    localDomains: ['mx.home.example', 'home.example', 'localhost'],
    relayDomains: [],
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'off',
    features: { ...features, acceptUnresolvableDomains: true },
  })
}

/** What becomes of a stranger's message: the first refusal, else the verdict on its recipient. */
function answer(features: PolicyFeatures, access: readonly string[], session: Session): string {
  const policy = policyWith(features, access.join('\n'))
  const { from = 's@ok.example', to = 'ann@home.example', name = { resolve: 'OK', name: 'host.friend.example' }, facts } = session
  const asker: Asker = { listener: 'mx', host: { address: '192.0.2.7', name }, hello: 'c.example', identity: { kind: 'plaintext' }, authentication: null }
  const known: KnownFacts = { domainExists: new Map(), isMxFor: new Map(), ...facts }
  for (const question of [
    { kind: 'sender', asker, reversePath: from },
    { kind: 'recipient', asker, reversePath: from, forwardPath: to },
  ] as const) {
    const answered = decide(policy, question, known, 'D1')
    if (answered.kind === 'missing') return `missing ${answered.missing.kind}`
    const { reply, verdict } = answered.decision
    if (reply !== null || question.kind === 'recipient') return reply === null ? verdict : `${reply.code} ${reply.enhanced}`
  }
  return 'nothing was asked'
}

test('SKIP for one sender is a text to sendmail, which refuses', () => {
  const skip = { ...sendmailFeatures, skip: true }
  for (const line of ['From:s@ SKIP', 'From:s@ok.example SKIP', 's+*@ SKIP']) {
    assert.equal(answer(skip, [line], { from: line.startsWith('s+') ? 's+x@ok.example' : 's@ok.example' }), '553 5.3.0', line)
  }
  assert.equal(answer(skip, ['From:ok.example SKIP', 'From:example REJECT'], {}), 'accept')
  assert.equal(answer(posternFeatures, ['From:s@ SKIP'], { to: 'ann@home.example' }), 'accept')
})

test('SKIP for one recipient ends the search, and refuses nobody', () => {
  const skip = { ...sendmailFeatures, skip: true, blocklistRecipients: true }
  assert.equal(answer(skip, ['To:ann@ SKIP', 'To:home.example REJECT'], {}), 'accept')
  assert.equal(answer({ ...skip, skip: false }, ['To:ann@ SKIP'], {}), '553 5.3.0')
})

test('a sender behind a detour through us is not one of us', () => {
  for (const features of [{ ...sendmailFeatures, relayLocalFrom: true }, { ...posternFeatures, relayLocalFrom: true }]) {
    assert.equal(answer(features, [], { from: 's@home.example', to: 'ann@dest.example' }), 'accept')
    assert.equal(answer(features, [], { from: 's%other.example@home.example', to: 'ann@dest.example' }), '550 5.7.1')
  }
  const byEntry = { ...sendmailFeatures, relayMailFrom: 'domain' } as const
  assert.equal(answer(byEntry, ['From:home.example RELAY'], { from: 's%other.example@home.example', to: 'ann@dest.example' }), '550 5.7.1')
})

test('with relay_hosts_only a whole address is found as it stands only', () => {
  const features = { ...sendmailFeatures, relayToFullAddress: true, relayHostsOnly: true }
  const to = (line: string): string => answer(features, [line], { to: 'ann+x@dest.example' })
  assert.equal(to('To:ann+x@dest.example RELAY'), 'accept')
  assert.equal(to('To:dest.example RELAY'), 'accept')
  for (const line of ['To:ann@dest.example RELAY', 'ann+x@dest.example RELAY', 'To:ann+x@ RELAY']) assert.equal(to(line), '550 5.7.1', line)
})

test('a client without a name is refused for good, even if the MX records cannot be looked up now', () => {
  const features = { ...sendmailFeatures, relayBasedOnMx: true }
  const facts = { isMxFor: new Map([['dest.example', 'unknown']] as const) }
  const from = (name: ClientName): string => answer(features, [], { to: 'ann@dest.example', name, facts })
  assert.equal(from({ resolve: 'OK', name: 'host.friend.example' }), '450 4.4.0')
  assert.equal(from({ resolve: 'TEMP' }), '450 4.4.0')
  assert.equal(from({ resolve: 'FORGED' }), '550 5.7.1')
  assert.equal(from({ resolve: 'FAIL' }), '550 5.7.1')
})

test('half an address behind a percent sign is none, and a bare exclamation mark is a character', () => {
  for (const to of ['%ann@home.example', 'ann%@home.example', 'ann%', '%ann']) assert.equal(answer(sendmailFeatures, [], { to }), '553 5.1.3', to)
  for (const from of ['%s@home.example', 's%@home.example', 's%']) assert.equal(answer(sendmailFeatures, [], { from }), '553 5.1.3', from)
  for (const from of ['!s@home.example', 's!@home.example', 's!', '%@home.example']) assert.equal(answer(sendmailFeatures, [], { from }), '553 5.5.4', from)
  for (const to of ['!ann@home.example', 'ann!@home.example', 'ann!']) assert.equal(answer(sendmailFeatures, [], { to }), 'accept', to)
  assert.equal(answer({ ...sendmailFeatures, percentHack: 'ordinary' }, [], { to: 'ann%@home.example' }), 'accept')
})

test('QUARANTINE without a text holds mail of a sender or a recipient, and refuses a client', () => {
  const policy: PolicyFeatures = { ...sendmailFeatures, blocklistRecipients: true, delayChecks: 'on' }
  assert.equal(answer(policy, ['From:ok.example QUARANTINE:'], {}), 'quarantine')
  assert.equal(answer(policy, ['To:ann@ QUARANTINE:'], {}), 'quarantine')
  assert.equal(answer(policy, ['Connect:192.0.2 QUARANTINE:'], {}), '553 5.3.0')
})

test('a domain that no host can have is another fault than a route', () => {
  for (const domain of ['.dest.example', 'dest..example', '[192.0.2.9]x']) assert.equal(answer(sendmailFeatures, [], { to: `ann@${domain}` }), '553 5.1.2', domain)
  for (const to of ['ann@dest.example:25', 'ann,bob@home.example', '@:ann@home.example']) assert.equal(answer(sendmailFeatures, [], { to }), '553 5.1.3', to)
  assert.equal(answer(sendmailFeatures, [], { from: 's@dest..example' }), '553 5.1.2')
})

test('localhost.UUCP is this host only where UUCP paths are followed', () => {
  const policy = { ...sendmailFeatures, blocklistRecipients: true }
  const lines = ['To:mx.home.example REJECT']
  const session = { to: 'ann@localhost.UUCP' }
  assert.equal(answer(policy, lines, session), '550 5.2.1')
  assert.equal(answer({ ...policy, uucpPaths: 'ordinary' }, lines, session), '550 5.7.1')
})

const peer = { name: 'c.example', address: '192.0.2.7', verify: 'OK', cipherBits: 100, securityLayerBits: 0, cnSubject: 'joe', subject: '/CN=joe', issuer: '/CN=ca', dnsNames: ['mx.example', '*.d.example'] }

function requirement(value: string, features: Partial<PolicyFeatures> = {}, of: Partial<typeof peer> = {}): string {
  const entry = { key: 'TLS_Clt:', value, file: 'access', line: 1 }
  return checkPeerTls({ policy: policyWith({ ...sendmailFeatures, ...features }, ''), because: [] }, entry, { ...peer, ...of }).kind
}

test('a requirement with an empty name accepts at the end of the list, and else refuses but for a peer without that name', () => {
  for (const word of ['CN:', 'CS:', 'CI:']) {
    assert.equal(requirement(`ENCR:0+${word}`), 'accept', word)
    assert.equal(requirement(`ENCR:0+${word}++CN:joe`), 'refuse', word)
    assert.equal(requirement(`ENCR:0+${word}++CN:nobody`, {}, { cnSubject: '', subject: '', issuer: '' }), 'refuse', word)
    assert.equal(requirement(`ENCR:0+${word}++CN`, {}, { name: '', cnSubject: '', subject: '', issuer: '' }), 'accept', word)
  }
})

test('two plus signs at the end of a list make sendmail forget all of it', () => {
  assert.equal(requirement('ENCR:0+CN:nobody'), 'refuse')
  assert.equal(requirement('ENCR:0+CN:nobody++'), 'accept')
  assert.equal(requirement('VERIFY++++'), 'accept')
  assert.equal(requirement('ENCR:0+CN:nobody++++CN:joe'), 'refuse')
})

test('a requirement is read token by token, and blanks do not matter', () => {
  assert.equal(requirement('ENCR : 0 + CN : nobody'), 'refuse')
  assert.equal(requirement('ENCR:0+CN:jo e'), 'accept')
  assert.equal(requirement('VERIFY:++CN:nobody', {}, { verify: 'FAIL' }), 'refuse')
  assert.equal(requirement('VERIFY/128', {}, { verify: 'FAIL' }), 'accept')
  assert.equal(requirement('VERIFY=128', {}, { verify: 'FAIL' }), 'accept')
  assert.equal(requirement('ENCR:0+CITag:My.CA++CN:nobody'), 'accept')
})

test('bits are a number as C reads it, with any base', () => {
  for (const bits of ['128', '128x', '0x80', '0300', '99999999999']) assert.equal(requirement(`ENCR:${bits}`), 'refuse', bits)
  for (const bits of ['0128', '08', 'x128', '"128"', '-5', '+128', '12x8', '128.5', '100']) assert.equal(requirement(`ENCR:${bits}`), 'accept', bits)
})

test('with check_cert_altnames a wildcard for the domain asked for ends the list, and no alternative name means the name of the peer', () => {
  const features = { checkCertificateAltNames: true }
  assert.equal(requirement('ENCR:0+CN:mx.example++CS:/CN=nobody', features), 'refuse')
  assert.equal(requirement('ENCR:0+CN:a.d.example++CS:/CN=nobody', features), 'accept')
  assert.equal(requirement('ENCR:0+CN:a.b.d.example', features), 'refuse')
  assert.equal(requirement('ENCR:0+CN:joe', features), 'refuse')
  assert.equal(requirement('ENCR:0+CN:other.example', features, { cnSubject: 'c.example' }), 'accept')
})

test('a peer whose name is empty is found by the bare tag, and then by its address', () => {
  const search = (access: string): Parameters<typeof findPeerEntry>[0] => ({ policy: policyWith(sendmailFeatures, access), because: [] })
  const line = (access: string): number | undefined => findPeerEntry(search(access), 'TLS_Clt', { name: '', address: '192.0.2.7' })?.line
  assert.equal(line('TLS_Clt:192.0.2\tVERIFY\nTLS_Clt:\tENCR:1'), 2)
  assert.equal(line('TLS_Clt:192.0.2\tVERIFY'), 1)
})

test('TLS_Rcpt: an entry is found under the name of this host, and nothing is looked at without one', () => {
  const ask = (access: string, forwardPath: string, verify = 'NONE'): number | undefined =>
    judgeNextHop(policyWith(sendmailFeatures, access), { kind: 'recipient', server: { ...peer, verify }, forwardPath }).refusal?.code
  assert.equal(ask('TLS_Rcpt:mx.home.example\tPERM+VERIFY', 'ann@localhost'), 503)
  assert.equal(ask('TLS_Rcpt:localhost\tPERM+VERIFY', 'ann@localhost'), undefined)
  assert.equal(ask('TLS_Rcpt:dest.example\tPERM+VERIFY', 'ann%dest.example@home.example'), 503)
  assert.equal(ask('TLS_Rcpt:dest.example\tPERM+VERIFY', 'dest.example!ann'), 503)
  assert.equal(ask('TLS_Rcpt:dest.example\tPERM+VERIFY', 'ann@other.example', 'SOFTWARE'), undefined)
})
