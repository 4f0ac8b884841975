/** Conversations as the client sees them; the notation is in test/support/client-scripts.ts. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDelivery, checkGreeting, clear, type ended, modern, deliveryTo } from '../../../test/support/client-scripts.ts'
import { deliver } from './client-session.ts'
import { NO_EXTENSIONS } from './extensions.ts'

test('STARTTLS is used where it is offered, and extensions count from the second EHLO only', () => {
  const session = checkGreeting({ tls: 'verify' }, `
    S: 220 mx ESMTP
    C: EHLO us
    S: 250-mx
    S: 250-PIPELINING
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 go
    * tls verified
    C: EHLO us
    S: 250-mx
    S: 250-8BITMIME
    S: 250 SIZE 1000
    => ready, TLSv1.3, verified`)
  assert.deepEqual(session?.extensions, { ...NO_EXTENSIONS, eightBitMime: true, size: true, sizeLimitBytes: 1000 })
})

test('a server that does not know EHLO is greeted with HELO (RFC 5321 §3.2)', () => {
  const session = checkGreeting({}, `
    S: 220 mx
    C: EHLO us
    S: 502 what?
    C: HELO us
    S: 250 mx
    => ready, in clear`)
  assert.deepEqual(session?.extensions, NO_EXTENSIONS)
})

test('opportunistic: a refusal of STARTTLS is met in clear, on the same connection', () => {
  checkGreeting({}, `
    S: 220 mx
    C: EHLO us
    S: 250-mx
    S: 250 STARTTLS
    C: STARTTLS
    S: 454 not now
    => ready, in clear`)
})

test('implicit TLS comes before the greeting and makes STARTTLS needless', () => {
  checkGreeting({ implicitTls: true, tls: 'verify' }, `
    * tls verified
    S: 220 mx
    C: EHLO us
    S: 250-mx
    S: 250 STARTTLS
    => ready, TLSv1.3, verified`)
})

test('S5: where TLS is required, nothing is sent without it, and nothing bounces for it', () => {
  checkGreeting({ tls: 'encrypt' }, `
    S: 220 mx
    C: EHLO us
    S: 250 mx
    => no TLS with mx: it does not offer STARTTLS, and TLS is required`)
  checkGreeting({ tls: 'encrypt' }, `
    S: 220 mx
    C: EHLO us
    S: 502 what?
    C: HELO us
    S: 250 mx
    => no TLS with mx: it does not offer STARTTLS, and TLS is required`)
  for (const refusal of ['454 4.7.0 not now', '554 never'])
    checkGreeting({ tls: 'verify' }, `
      S: 220 mx
      C: EHLO us
      S: 250-mx
      S: 250 STARTTLS
      C: STARTTLS
      S: ${refusal}
      => no TLS with mx: STARTTLS was answered by "${refusal}", and TLS is required`)
  for (const [fact, problem] of [
    ['broken alert 40', 'no TLS with mx: alert 40'],
    ['tls certificate has expired', 'no verified TLS with mx: certificate has expired'],
    ['injected bytes behind the reply to STARTTLS', 'no TLS with mx: bytes behind the reply to STARTTLS'],
  ])
    checkGreeting({ tls: 'verify' }, `
      S: 220 mx
      C: EHLO us
      S: 250-mx
      S: 250 STARTTLS
      C: STARTTLS
      S: 220 go
      * ${fact}
      => ${problem}`)
})

test('without verification any certificate will do', () => {
  for (const tls of ['opportunistic', 'encrypt'] as const)
    checkGreeting({ tls }, `
      S: 220 mx
      C: EHLO us
      S: 250-mx
      S: 250 STARTTLS
      C: STARTTLS
      S: 220 go
      * tls self-signed
      C: EHLO us
      S: 250 mx
      => ready, TLSv1.3`)
})

test('a greeting that refuses, is no SMTP, or never comes', () => {
  checkGreeting({}, 'S: 554 go away\n=> 554 go away (mx, in its greeting)')
  checkGreeting({}, 'S: SSH-2.0-x\n=> mx does not speak SMTP, in its greeting: "SSH-2.0-x" is no reply')
  checkGreeting({}, '* lost timeout\n=> connection to mx lost, in its greeting: timeout')
})

test('a transaction is one write, one round trip, and the message (RFC 2920 §3.1)', () => {
  const { next } = checkDelivery({ bodyType: '8BITMIME', forwardPaths: ['ann@b', 'bob@b'] }, { tls: 'TLSv1.3, verified' }, `
    C: MAIL FROM:<joe@a> SIZE=99 BODY=8BITMIME
    C: RCPT TO:<ann@b>
    C: RCPT TO:<bob@b>
    C: DATA
    S: 250 2.1.0 ok
    S: 250 2.1.5 ok
    S: 250 2.1.5 ok
    S: 354 go
    C: (message)
    S: 250 2.0.0 Queued as 7
    => delivered: 250 2.0.0 Queued as 7 (mx, TLSv1.3, verified)
    => delivered: 250 2.0.0 Queued as 7 (mx, TLSv1.3, verified)`)
  assert.equal(next, 'reuse')
})

test('without PIPELINING each command waits for its reply, and each recipient has its own outcome', () => {
  checkDelivery({ reversePath: '', forwardPaths: ['ann@b', 'bob@b', 'cy@b'] }, { extensions: NO_EXTENSIONS, isUsed: true }, `
    C: EHLO us
    S: 250 mx hello
    C: MAIL FROM:<>
    S: 250 ok
    C: RCPT TO:<ann@b>
    S: 550 5.1.1 No such user
    C: RCPT TO:<bob@b>
    S: 251 will forward
    C: RCPT TO:<cy@b>
    S: 452 4.5.3 later
    C: DATA
    S: 354 go
    C: (message)
    S: 250 taken
    => refused: 550 5.1.1 No such user (mx, after RCPT)
    => delivered: 250 taken (mx)
    => deferred: 452 4.5.3 later (mx, after RCPT)`)
})

test('no recipient accepted: no message is sent, and 354 is answered by a dot (RFC 2920 §3.1)', () => {
  const { next } = checkDelivery({}, { extensions: NO_EXTENSIONS }, `
    C: MAIL FROM:<joe@a>
    S: 250 ok
    C: RCPT TO:<ann@b>
    S: 550 no
    => refused: 550 no (mx, after RCPT)`)
  assert.equal(next, 'reuse')
  checkDelivery({}, {}, `
    C: MAIL FROM:<joe@a> SIZE=99
    C: RCPT TO:<ann@b>
    C: DATA
    S: 250 ok
    S: 450 later
    S: 354 go
    C: .
    S: 554 no recipients
    => deferred: 450 later (mx, after RCPT)`)
})

test('a refused MAIL is the reason for all, whatever is said of the rest', () => {
  const { next } = checkDelivery({ forwardPaths: ['ann@b', 'bob@b'] }, {}, `
    C: MAIL FROM:<joe@a> SIZE=99
    C: RCPT TO:<ann@b>
    C: RCPT TO:<bob@b>
    C: DATA
    S: 550 5.7.1 not you
    S: 503 out of order
    S: 503 out of order
    S: 503 out of order
    => refused: 550 5.7.1 not you (mx, after MAIL)
    => refused: 550 5.7.1 not you (mx, after MAIL)`)
  assert.equal(next, 'reuse')
})

test('a server that refuses MAIL and asks for a message gets none', () => {
  const { next } = checkDelivery({}, {}, `
    C: MAIL FROM:<joe@a> SIZE=99
    C: RCPT TO:<ann@b>
    C: DATA
    S: 450 later
    S: 250 ok
    S: 354 go
    => deferred: 450 later (mx, after MAIL)`)
  assert.equal(next, 'close')
})

test('421 and a lost connection defer what has no outcome yet, at any point', () => {
  const sent = 'C: MAIL FROM:<joe@a> SIZE=99\nC: RCPT TO:<ann@b>\nC: RCPT TO:<bob@b>\nC: DATA\n'
  const check = (rest: string): ReturnType<typeof ended> => checkDelivery({ forwardPaths: ['ann@b', 'bob@b'] }, {}, sent + rest)
  assert.deepEqual(check(`S: 421 bye
    => deferred: 421 bye (mx, after MAIL)
    => deferred: 421 bye (mx, after MAIL)`), { next: 'close', wentAway: true })
  assert.deepEqual(check(`* lost reset
    => deferred: connection to mx lost, after MAIL: reset
    => deferred: connection to mx lost, after MAIL: reset`), { next: 'close', wentAway: true })
  assert.deepEqual(check(`S: 250 ok
    S: 550 no
    S: 421 4.3.2 bye
    => refused: 550 no (mx, after RCPT)
    => deferred: 421 4.3.2 bye (mx, after RCPT)`), { next: 'close', wentAway: false })
  assert.deepEqual(check(`S: 250 ok
    S: 250 ok
    S: 250 ok
    S: 421 bye
    => deferred: 421 bye (mx, after DATA)
    => deferred: 421 bye (mx, after DATA)`), { next: 'close', wentAway: false })
  assert.deepEqual(check(`S: 250 ok
    S: 550 no
    S: 250 ok
    S: 354 go
    C: (message)
    * lost timeout
    => refused: 550 no (mx, after RCPT)
    => deferred: connection to mx lost, after the message: timeout`), { next: 'close', wentAway: false })
})

test('a message that cannot be read to its end is never finished', () => {
  const { next } = checkDelivery({}, {}, `
    C: MAIL FROM:<joe@a> SIZE=99
    C: RCPT TO:<ann@b>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    * unreadable
    => deferred: trouble of our own: gone`)
  assert.equal(next, 'close')
})

test('a message too large for the server is not offered (RFC 1870 §6.1)', () => {
  const { next } = checkDelivery({ sizeBytes: 1001 }, { extensions: { ...modern, sizeLimitBytes: 1000 } },
    '=> refused: mx takes no messages of this size')
  assert.equal(next, 'reuse')
})

test('8-bit messages bounce where 8BITMIME is missing, unless they are ASCII in truth (RFC 6152 §3)', () => {
  const session = { extensions: { ...NO_EXTENSIONS, pipelining: true } }
  checkDelivery({ bodyType: '8BITMIME' }, session, `
    * inspected body
    => refused: mx takes no 8-bit messages (it does not offer 8BITMIME)`)
  checkDelivery({ bodyType: '8BITMIME' }, session, `
    * inspected nothing
    C: MAIL FROM:<joe@a>
    C: RCPT TO:<ann@b>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    C: (message)
    S: 250 ok
    => delivered: 250 ok (mx)`)
})

test('internationalized messages bounce where SMTPUTF8 is missing (RFC 6531 §3.7)', () => {
  const session = { extensions: { ...modern, smtpUtf8: false } }
  checkDelivery({ utf8: true, forwardPaths: ['jürgen@b'] }, session, '=> refused: mx takes no internationalized messages (it does not offer SMTPUTF8)')
  checkDelivery({ utf8: true }, session, `
    * inspected header
    => refused: mx takes no internationalized messages (it does not offer SMTPUTF8)`)
})

test('a large group is cut where windows could fill (RFC 2920 §3.1)', () => {
  const forwardPaths = Array.from({ length: 250 }, (_, i) => `r${i}@b`)
  const script = deliver(clear, deliveryTo(forwardPaths))
  const writes: number[] = []
  let step = script.next()
  while (!step.done) {
    if (step.value.kind === 'send') writes.push(step.value.text.split('\r\n').length - 1)
    if (step.value.kind === 'receive') step = script.next({ kind: 'replied', reply: { code: 250, enhanced: null, lines: ['ok'] } })
    else step = script.next(step.value.kind === 'askPolicy' ? { kind: 'judged', answer: { refusal: null, line: null } } : { kind: 'done' })
  }
  assert.deepEqual(writes, [100, 100, 52])
})

test('S10: a path that could end its line never leaves', () => {
  assert.throws(() => checkDelivery({ reversePath: 'a@b>\r\nRCPT TO:<x@y' }, {}, ''), /broken invariant: what goes into a command/)
})
