/** Corners of sendmail's rules that a differential run has found; see test/interop/differential. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAccessMap } from './access-map.ts'
import { decide } from './decide.ts'
import type { Asker, ClientName, KnownFacts } from './decision.ts'
import { compilePolicy, posternFeatures, sendmailFeatures } from './policy.ts'
import type { Policy, PolicyFeatures } from './policy.ts'
import { checkPeerTls } from './tls-requirements.ts'

type Session = { readonly from?: string; readonly to?: string; readonly name?: ClientName; readonly facts?: Partial<KnownFacts> }

function policyWith(features: PolicyFeatures, access: string): Policy {
  return compilePolicy({
    access: parseAccessMap(access, 'access').map,
    hostname: 'mx.home.example',
    localDomains: ['mx.home.example', 'home.example'],
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

test('CS: and CI: with nothing behind them end the list and accept, but for a peer without a certificate', () => {
  const policy = { policy: policyWith(sendmailFeatures, ''), because: [] }
  const peer = { name: 'c.example', address: '192.0.2.7', verify: 'OK', cipherBits: 256, securityLayerBits: 0, cnSubject: 'joe', subject: '/CN=joe', issuer: '/CN=ca', dnsNames: [] }
  for (const word of ['CS:', 'CI:']) {
    const entry = { key: 'TLS_Clt:', value: `ENCR:0+${word}++CN:nobody`, file: 'access', line: 1 }
    assert.equal(checkPeerTls(policy, entry, peer).kind, 'accept', word)
    assert.equal(checkPeerTls(policy, entry, { ...peer, subject: '', issuer: '' }).kind, 'refuse', word)
  }
})
