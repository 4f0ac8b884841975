import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { certificateNamed, verifiedAs } from '../../../test/support/identities.ts'
import { parseAccessMap } from './access-map.ts'
import { decide } from './decide.ts'
import type { Answer, Asker, KnownFacts, Question } from './decision.ts'
import { compilePolicy, posternFeatures } from './policy.ts'
import type { Policy, PolicyFeatures } from './policy.ts'

const NO_FACTS: KnownFacts = { domainExists: new Map(), isMxFor: new Map() }

function policyWith(access: string, features: Partial<PolicyFeatures> = {}): Policy {
  return compilePolicy({
    access: parseAccessMap(access, 'access').map,
    hostname: 'mx.example.org',
    localDomains: [],
    relayDomains: ['example.org'],
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'enforce',
    features: { ...posternFeatures, ...features },
  })
}

const joe = verifiedAs({ name: 'joe', kind: 'person', senders: ['joe@example.org'] }, certificateNamed('joe'))

/** A client whose name nobody has looked up. */
function asker(changes: Partial<Asker> = {}): Asker {
  return { listener: 'mx', host: { address: '192.0.2.7', name: null }, hello: 'c.example', identity: { kind: 'plaintext' }, authentication: null, ...changes }
}

function transaction(from: Asker): readonly Question[] {
  return [
    { kind: 'connection', asker: { ...from, identity: { kind: 'plaintext' } } },
    { kind: 'handshake', asker: from },
    { kind: 'sender', asker: from, reversePath: 'joe@example.org' },
    { kind: 'recipient', asker: from, reversePath: 'joe@example.org', forwardPath: 'ann@dest.example' },
  ]
}

function missing(answer: Answer): string {
  return answer.kind === 'missing' ? answer.missing.kind : 'nothing'
}

test('a certificate client never waits for DNS, unless entries name hosts', () => {
  const access = 'CERTISSUER:/O=Example/CN=Example+20CA RELAY\nConnect:10.1 RELAY\nFrom:spam.example REJECT\nTLS_Clt:10.9 VERIFY\n'
  for (const listener of ['mx', 'submission'] as const) {
    const answers: readonly Answer[] = transaction(asker({ identity: joe, listener })).map(question => decide(policyWith(access), question, NO_FACTS, 'D1'))
    assert.deepEqual(answers.map(answer => (answer.kind === 'decided' ? answer.decision.verdict : missing(answer))), ['accept', 'accept', 'accept', 'accept'])
  }
})

test('a decision about a certificate takes a handful of look-ups', () => {
  const policy = policyWith('CERTISSUER:/O=Example/CN=Example+20CA SUBJECT\nCERTSUBJECT:/O=Example/CN=joe RELAY\n')
  const lookUps = transaction(asker({ identity: joe })).flatMap(question => {
    const answer = decide(policy, question, NO_FACTS, 'D1')
    return answer.kind === 'decided' ? answer.decision.because.filter(reason => reason.kind === 'lookedUp') : []
  })
  assert.deepEqual(lookUps.map(({ key }) => key), ['CERTISSUER:/O=Example/CN=Example+20CA', 'CERTSUBJECT:/O=Example/CN=joe'])
})

test('a stranger is refused without asking DNS, if no name could help', () => {
  const question: Question = { kind: 'recipient', asker: asker(), reversePath: 'a@b.example', forwardPath: 'ann@dest.example' }
  assert.equal(missing(decide(policyWith('Connect:10.1 RELAY\n'), question, NO_FACTS, 'D1')), 'nothing')
  assert.equal(missing(decide(policyWith('Connect:friend.example RELAY\n'), question, NO_FACTS, 'D1')), 'clientName')
})

test('what DNS must say is asked for, one thing at a time, and only where it decides', () => {
  const policy = policyWith('From:known.example OK\n', { acceptUnresolvableDomains: false, relayBasedOnMx: true })
  const sender = (reversePath: string): Question => ({ kind: 'sender', asker: asker(), reversePath })
  assert.deepEqual(decide(policy, sender('a@b.example'), NO_FACTS, 'D1'), { kind: 'missing', missing: { kind: 'domainExists', domain: 'b.example' } })
  assert.equal(missing(decide(policy, sender('a@known.example'), NO_FACTS, 'D1')), 'nothing')
  assert.equal(missing(decide(policy, sender(''), NO_FACTS, 'D1')), 'nothing')
  const recipient: Question = { kind: 'recipient', asker: asker(), reversePath: '', forwardPath: 'ann@dest.example' }
  assert.deepEqual(decide(policy, recipient, NO_FACTS, 'D1'), { kind: 'missing', missing: { kind: 'isMxFor', domain: 'dest.example' } })
  const facts: KnownFacts = { domainExists: new Map(), isMxFor: new Map([['dest.example', 'yes']]) }
  const answer = decide(policy, recipient, facts, 'D1')
  assert.equal(answer.kind === 'decided' ? answer.decision.verdict : missing(answer), 'accept')
})

test('localhost is this host, and a word before a `!` is no domain', () => {
  const policy = compilePolicy({
    access: parseAccessMap('To:mx.example.org REJECT\nFrom:mx.example.org REJECT\nTo:dest.example RELAY\nTo:example RELAY\n', 'access').map,
    hostname: 'mx.example.org',
    localDomains: ['mx.example.org', 'localhost'],
    relayDomains: [],
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'off',
    features: { ...posternFeatures, loopbackMayRelay: true, acceptUnqualifiedRecipients: true },
  })
  const answerTo = (question: Question): string => {
    const answer = decide(policy, question, NO_FACTS, 'D1')
    return answer.kind === 'missing' ? 'missing' : (answer.decision.reply?.enhanced ?? answer.decision.verdict)
  }
  const to = (forwardPath: string): string => answerTo({ kind: 'recipient', asker: asker(), reversePath: '', forwardPath })
  const from = (reversePath: string, address: string): string =>
    answerTo({ kind: 'sender', asker: asker({ host: { address, name: { resolve: 'FAIL' } } }), reversePath })
  assert.deepEqual(['ann@localhost', 'ann@localhost.example.org', 'ann%localhost@localhost', 'localhost!ann'].map(to), ['5.2.1', '5.2.1', '5.2.1', '5.2.1'])
  assert.deepEqual(['dest.example!ann', 'example!ann', 'sub.example!ann'].map(to), ['accept', '5.7.1', 'accept'])
  assert.deepEqual([from('root@localhost', '127.0.0.1'), from('root@localhost', '192.0.2.7')], ['5.7.1', '5.5.4'])
  assert.equal(from('a%dest.example@localhost', '192.0.2.7'), '5.5.4')
})

test('with full addresses, an entry for a user anywhere is for that user as typed', () => {
  const policy = policyWith('To:joe@ RELAY\nTo:listed%other.example@ RELAY\n', { relayToFullAddress: true })
  const verdictFor = (forwardPath: string): string => {
    const question: Question = { kind: 'recipient', asker: asker(), reversePath: '', forwardPath }
    const answer = decide(policy, question, NO_FACTS, 'D1')
    return answer.kind === 'decided' ? answer.decision.verdict : missing(answer)
  }
  assert.equal(verdictFor('joe@dest.example'), 'accept')
  assert.equal(verdictFor('joe+x@dest.example'), 'refuse')
  assert.equal(verdictFor('joe%other.example@dest.example'), 'refuse')
  assert.equal(verdictFor('listed%other.example@dest.example'), 'accept')
})

test('only a From: entry lets a sender relay, not one without a tag', () => {
  const relays = (access: string): string => {
    const question: Question = { kind: 'recipient', asker: asker({ host: { address: '192.0.2.7', name: { resolve: 'FAIL' } } }), reversePath: 'joe@friend.example', forwardPath: 'ann@dest.example' }
    const answer = decide(policyWith(access, { relayMailFrom: 'domain' }), question, NO_FACTS, 'D1')
    return answer.kind === 'decided' ? answer.decision.verdict : missing(answer)
  }
  assert.equal(relays('From:friend.example RELAY\n'), 'accept')
  assert.equal(relays('friend.example RELAY\nFrom:other.example RELAY\n'), 'refuse')
  assert.equal(relays('joe@friend.example RELAY\nFrom:other.example RELAY\n'), 'refuse')
})

test('the words of the site for denied relaying are for clients that have a name', () => {
  const policy = policyWith('', { relayMessage: '554 Not here' })
  const codeFor = (name: Asker['host']['name']): number | undefined => {
    const question: Question = { kind: 'recipient', asker: asker({ host: { address: '192.0.2.7', name } }), reversePath: '', forwardPath: 'ann@dest.example' }
    const answer = decide(policy, question, NO_FACTS, 'D1')
    return answer.kind === 'decided' ? answer.decision.reply?.code : undefined
  }
  assert.equal(codeFor({ resolve: 'OK', name: 'c.example' }), 554)
  assert.equal(codeFor({ resolve: 'FAIL' }), 550)
})

test('the same question has the same answer', () => {
  const policy = policyWith('CERTISSUER:/O=Example/CN=Example+20CA RELAY\n')
  for (const question of transaction(asker({ identity: joe }))) {
    assert.deepEqual(decide(policy, question, NO_FACTS, 'D1'), decide(policy, question, NO_FACTS, 'D1'))
  }
})

test('any path gets an answer, a refusal a reply, and the reply tells no secrets', () => {
  const policy = policyWith('CERTISSUER:/O=Secret/CN=CA SUBJECT\nTo:secret.example REJECT\nConnect:10.1 SECRET\nTLS_Clt: ENCR:0\n')
  const paths = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '@', '"', '\\', '.', '%', '!', '+', ':', '[', ']', '\r', '\n') }))
  fc.assert(
    fc.property(paths, paths, fc.constantFrom('10.1.1.1', '192.0.2.7', '::1', 'nonsense'), (reversePath, forwardPath, address) => {
      const from = asker({ host: { address, name: { resolve: 'FAIL' } }, identity: joe })
      const questions: readonly Question[] = [
        { kind: 'connection', asker: from },
        { kind: 'sender', asker: from, reversePath },
        { kind: 'recipient', asker: from, reversePath, forwardPath },
      ]
      for (const question of questions) {
        const answer = decide(policy, question, NO_FACTS, 'D1')
        assert.equal(answer.kind, 'decided')
        if (answer.kind !== 'decided') return
        const { verdict, reply } = answer.decision
        assert.equal(reply !== null, verdict === 'refuse')
        assert.match(reply?.text ?? '', /^[\x20-\x7e]*$/)
        assert.doesNotMatch(reply?.text ?? '', /secret|access:/i)
      }
    }),
  )
})
