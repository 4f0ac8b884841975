/**
 * S15: a domain has many spellings outside ASCII (RFC 5890) and one name in DNS. Whatever the client writes and
 * whatever the administrator has written, lines of the access map, routes and DNS see that one name.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import dgram from 'node:dgram'
import { test } from 'node:test'
import { nextHopOf } from '../../src/core/message/route.ts'
import { canonicalDomain } from '../../src/core/names/address.ts'
import { parseAccessMap } from '../../src/core/policy/access-map.ts'
import { decide } from '../../src/core/policy/decide.ts'
import type { Asker, Decision } from '../../src/core/policy/decision.ts'
import { judgeNextHop, unprotected } from '../../src/core/policy/next-hop-tls.ts'
import { compilePolicy, posternFeatures, type Policy } from '../../src/core/policy/policy.ts'
import { parsePath } from '../../src/core/smtp/path.ts'
import { createResolver } from '../../src/io/resolver.ts'
import { showing, startPostern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { startSink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

/** Of one domain each; the first is its name in DNS. */
const SPELLINGS = [
  ['bank.example', 'BANK.example', 'ｂａｎｋ.example', 'ＢＡＮＫ.example', 'bank.ｅxample', 'ⓑank.example'],
  ['xn--mller-kva.example', 'XN--MLLER-KVA.example', 'müller.example', 'MÜLLER.example', 'mu\u0308ller.example', 'ｍüller.example'],
] as const

for (const spellings of SPELLINGS) {
  for (const written of spellings) {
    test(`S15: lines for ${written} count for every spelling of it`, () => {
      const policy = policyOf(`To:${written} 550 5.7.1 closed\nFrom:${written} 550 5.7.1 no\nTLS_Rcpt:${written} PERM+VERIFY\n`, [])
      for (const spelling of spellings) {
        assert.equal(ask(policy, { to: `x@${spelling}` }).verdict, 'refuse', `To:${spelling}`)
        assert.equal(ask(policy, { to: `x@sub.${spelling}` }).verdict, 'refuse', `To:sub.${spelling}`)
        assert.equal(ask(policy, { from: `a@${spelling}` }).verdict, 'refuse', `From:${spelling}`)
        assert.notEqual(needsProof(policy, `x@${spelling}`), null, `TLS_Rcpt:${spelling}`)
      }
      assert.equal(needsProof(policy, 'x@other.example'), null)
    })

    test(`S15: lines for one address at ${written} count for every spelling of it`, () => {
      const policy = policyOf(`To:jö@${written} 550 5.7.1 closed\nFrom:jö@${written} 550 5.7.1 no\n`, [written])
      for (const spelling of spellings) {
        assert.equal(ask(policy, { to: `jö@${spelling}` }).verdict, 'refuse', `To:${spelling}`)
        assert.equal(ask(policy, { from: `jö@${spelling}`, to: `x@${spelling}` }).verdict, 'refuse', `From:${spelling}`)
        assert.equal(ask(policy, { to: `jo@${spelling}` }).verdict, 'accept', `jo@${spelling} is another`)
      }
    })

    test(`S15: a route for ${written} is the one for every spelling of it`, () => {
      const hop = { kind: 'host', key: 'route', host: 'strict.example', port: 25, implicitTls: false, showCertificate: false, tls: 'verify', requireTls: false, trustedPem: null, ignoredKeywords: [] } as const
      const mx = { tls: 'opportunistic', trustedPem: null, ignoredKeywords: [], port: 25 } as const
      const routing = { smarthost: null, routes: new Map([[canonicalDomain(written), hop]]), ownDomain: '', waivable: 'none', mx } as const
      for (const spelling of spellings) {
        assert.deepEqual(nextHopOf(`x@${spelling}`, routing, null), { ok: true, value: hop }, spelling)
        const direct = nextHopOf(`x@${spelling}`, { ...routing, routes: new Map() }, null)
        assert.equal(direct.ok && direct.value.kind === 'mx' ? direct.value.domain : null, spellings[0], 'all share a queue')
      }
    })
  }

  test(`S15: DNS is asked for ${spellings[0]}, however it is spelt`, async () => {
    const asked = await namesAsked(spellings)
    assert.deepEqual([...new Set(asked)], [spellings[0]])
  })
}

test('S15: the line in DNS\'s own spelling comes before one in another', () => {
  const policy = policyOf('To:müller.example 550 5.7.1 closed\nTo:xn--mller-kva.example OK\n', ['müller.example'])
  for (const spelling of SPELLINGS[1]) assert.equal(ask(policy, { to: `x@${spelling}` }).verdict, 'accept', spelling)
})

test('S15: routing in a local part is read alike', () => {
  const policy = policyOf('To:bank.example 550 5.7.1 closed\n', ['relay.example', 'bank.example'])
  for (const to of ['x%ｂank.example@relay.example', '"x@ｂank.example"@relay.example', 'ｂank.example!x@relay.example']) {
    assert.equal(ask(policy, { to }).verdict, 'refuse', to)
  }
})

test('S15: in the whole program, mail takes the way of its domain and proves what its line asks for', async t => {
  const [bank, miller] = SPELLINGS
  const [routed, smarthost] = [await startSink(), await startSink()]
  const postern = await startPostern({
    smarthost: smarthost.port,
    settings: { route: [{ domain: 'müller.example', to: `127.0.0.1:${routed.port}` }] },
    access: ['TLS_Rcpt:bank.example PERM+VERIFY', 'From:müller.example 550 5.7.1 no'],
  })
  t.after(() => Promise.all([postern.dispose(), routed.stop(), smarthost.stop()]))
  const client = await SmtpClient.connect(postern.ports.submission)
  await client.greet()
  await client.startTls(showing(postern, await postern.issue('bot', '--machine')))
  await client.command('EHLO laptop.test')
  for (const spelling of [...bank, ...miller]) {
    assert.equal((await client.command('MAIL FROM:<bot@example.test> SMTPUTF8')).code, 250)
    assert.equal((await client.command(octets(`RCPT TO:<x@${spelling}>`))).code, 250, spelling)
    assert.equal((await client.command('DATA')).code, 354)
    assert.equal((await client.command('Subject: x\r\n\r\nx\r\n.')).code, 250)
  }
  const recipientsAt = (sink: typeof routed): readonly string[] => sink.messages.flatMap(({ forwardPaths }) => forwardPaths)
  const isThere = (): boolean => routed.messages.length >= miller.length && smarthost.messages.length >= bank.length
  await waitFor('all to be delivered or bounced', isThere, { told: postern.output })
  assert.deepEqual([...recipientsAt(routed)].toSorted(), miller.map(spelling => octets(`x@${spelling}`)).toSorted())
  assert.deepEqual(recipientsAt(smarthost), bank.map(() => 'bot@example.test'), 'nothing but bounces left in clear')

  const stranger = await SmtpClient.connect(postern.ports.mx)
  await stranger.greet()
  await stranger.command('EHLO stranger.test')
  for (const spelling of miller) assert.equal((await stranger.command(octets(`MAIL FROM:<a@${spelling}> SMTPUTF8`))).code, 550, spelling)
  stranger.destroy()
})

/** UTF-8 for a client that writes Latin-1. */
function octets(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** What IDNA has no name for, or would make an address or another host's port of, is no domain. */
for (const domain of ['xn--bank-.ü.example', 'foo.１', '１', '127.0.0.１', '０x7f.１', '℀.example', '＊', 'ü＊.example', 'a＠b.example', `${'ü'.repeat(62)}.example`, 'bank．example']) {
  test(`S15: <x@${domain}> is no path`, () => assert.deepEqual(parsePath(`<x@${domain}>`), { ok: false, problem: { detail: 'the domain is malformed' } }))
}

test('S15: a domain is never read as more than a host', () => {
  for (const domain of ['ü%2eexample', 'ü.example:25', 'ü.example/a', 'ü@b.example', 'ü?', 'ü#']) assert.equal(canonicalDomain(domain), domain)
})

function policyOf(access: string, relayDomains: readonly string[]): Policy {
  return compilePolicy({
    access: parseAccessMap(access, 'access').map,
    hostname: 'mx.example.org',
    localDomains: [],
    relayDomains,
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'enforce',
    features: posternFeatures,
  })
}

/** A stranger's attempt; without a recipient, its MAIL. */
function ask(policy: Policy, { from = 'a@stranger.example', to }: { readonly from?: string; readonly to?: string }): Decision {
  const asker: Asker = { listener: 'mx', host: { address: '203.0.113.9', name: { resolve: 'OK', name: 'stranger.example' } }, hello: 'x', identity: { kind: 'plaintext' }, authentication: null }
  const question = to === undefined ? ({ kind: 'sender', asker, reversePath: from } as const) : ({ kind: 'recipient', asker, reversePath: from, forwardPath: to } as const)
  const sender = decide(policy, { kind: 'sender', asker, reversePath: from }, { domainExists: new Map(), isMxFor: new Map() }, 'D1')
  assert.equal(sender.kind, 'decided')
  if (sender.kind === 'decided' && sender.decision.verdict === 'refuse') return sender.decision
  const answer = decide(policy, question, { domainExists: new Map(), isMxFor: new Map() }, 'D2')
  assert.ok(answer.kind === 'decided', 'nothing is missing')
  return answer.decision
}

function needsProof(policy: Policy, forwardPath: string): string | null {
  const server = { name: 'mx.example.net', address: '192.0.2.1', ...unprotected('NONE') }
  return judgeNextHop(policy, { kind: 'recipient', server, forwardPath }).refusal?.text ?? null
}

/** The names that a resolver asks for, each of them a stranger's spelling. */
async function namesAsked(spellings: readonly string[]): Promise<readonly string[]> {
  const names: string[] = []
  const socket = dgram.createSocket('udp4')
  socket.on('message', (question, peer) => {
    names.push(nameIn(question))
    // NXDOMAIN, with the question as it came.
    const reply = Buffer.from(question)
    reply.writeUInt16BE(0x8183, 2)
    socket.send(reply, peer.port, peer.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const resolver = createResolver({ servers: [{ host: '127.0.0.1', port: socket.address().port }], hostsFile: '' })
  try {
    for (const spelling of spellings) assert.deepEqual(await resolver.mx(spelling), { kind: 'noName' })
  } finally {
    socket.close()
  }
  return names
}

function nameIn(question: Buffer): string {
  const labels: string[] = []
  for (let at = 12; question[at] !== 0; at += 1 + (question[at] ?? 0)) labels.push(question.toString('latin1', at + 1, at + 1 + (question[at] ?? 0)))
  return labels.join('.')
}
