import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { describeOutcome, describeProblem, isPermanent, oneLine, outcomeOf, statusOf, type AttemptProblem } from './outcome.ts'

const peer = 'mx.example.net[192.0.2.7]:25'
const reply = (code: number, enhanced: string | null, ...lines: string[]) => ({ code, enhanced, lines })

function check(problem: AttemptProblem, permanent: boolean, status: string, line: string): void {
  assert.equal(isPermanent(problem), permanent)
  assert.equal(statusOf(problem), status)
  assert.equal(describeProblem(problem), line)
  assert.deepEqual(outcomeOf(problem), { kind: permanent ? 'refused' : 'deferred', why: problem })
}

test('a 5yz reply bounces, a 4yz is tried again (RFC 5321 §4.2.1)', () => {
  check({ kind: 'remoteReply', stage: 'rcpt', peer, reply: reply(550, '5.1.1', 'No such user') },
    true, '5.1.1', `550 5.1.1 No such user (${peer}, after RCPT)`)
  check({ kind: 'remoteReply', stage: 'mail', peer, reply: reply(451, null, 'busy', 'come back') },
    false, '4.0.0', `451 busy come back (${peer}, after MAIL)`)
})

test('552 to RCPT means too many recipients and is tried again; to DATA it bounces (RFC 5321 §4.5.3.1.10)', () => {
  assert.equal(isPermanent({ kind: 'remoteReply', stage: 'rcpt', peer, reply: reply(552, null, 'too many') }), false)
  assert.equal(isPermanent({ kind: 'remoteReply', stage: 'end of data', peer, reply: reply(552, null, 'too big') }), true)
})

test('trouble on the way is tried again', () => {
  check({ kind: 'connectionFailed', peer, detail: 'ECONNREFUSED' }, false, '4.4.1', `no connection to ${peer}: ECONNREFUSED`)
  check({ kind: 'connectionLost', stage: 'end of data', peer, detail: 'reset' }, false, '4.4.2', `connection to ${peer} lost, after the message: reset`)
  check({ kind: 'connectionSpent', peer }, false, '4.4.2', `${peer} takes no more over this connection`)
  check({ kind: 'tlsFailed', cause: 'unverified', peer, detail: 'expired' }, false, '4.7.5', `no verified TLS with ${peer}: expired`)
  check({ kind: 'badReply', stage: 'greeting', peer, detail: 'line too long' }, false, '4.5.0', `${peer} does not speak SMTP, in its greeting: line too long`)
})

test('a domain that takes no mail bounces; one that cannot be looked up now does not', () => {
  check({ kind: 'noRoute', cause: 'nullMx', domain: 'example.com', detail: 'it takes no mail' }, true, '5.1.10', 'no route to example.com: it takes no mail')
  assert.equal(isPermanent({ kind: 'noRoute', cause: 'dnsFailed', domain: 'example.com', detail: 'timeout' }), false)
})

test('what is suspended keeps the reason of the failure that caused it', () => {
  const because: AttemptProblem = { kind: 'connectionFailed', peer, detail: 'timeout' }
  check({ kind: 'suspended', because }, false, '4.4.1', `not tried again yet: no connection to ${peer}: timeout`)
})

test('a delivered outcome names the server that took the message', () => {
  assert.equal(describeOutcome({ kind: 'delivered', by: peer, reply: reply(250, '2.0.0', 'Queued as 7'), knows: { dsn: false, deliverBy: false } }), `250 2.0.0 Queued as 7 (${peer})`)
})

test('S10: nothing that a remote server says makes a second line or an endless one', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), lines => {
      const line = describeProblem({ kind: 'remoteReply', stage: 'rcpt', peer, reply: { code: 550, enhanced: null, lines } })
      assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u)
      assert.ok(line.length <= 500)
      assert.ok(line.isWellFormed())
    }),
  )
  assert.equal(oneLine('a\r\nb\0c\u2028d'), 'a b c d')
  assert.equal(oneLine('x'.repeat(9999)).length, 500)
})
