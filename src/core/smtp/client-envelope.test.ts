/** What is asked of a next hop; the notation is in test/support/client-scripts.ts. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDelivery, modern } from '../../../test/support/client-scripts.ts'
import { envelopeTo } from '../../../test/support/queued.ts'
import { NO_EXTENSIONS, parseExtensions, type Extensions } from './extensions.ts'

const all: Extensions = { ...modern, dsn: true, deliverBy: { leastSeconds: 0 }, mtPriority: true }

const asked = {
  returned: 'HDRS',
  envelopeId: 'QQ+2B1',
  priority: 3,
  recipients: [
    { forwardPath: 'ann@b', notify: ['SUCCESS', 'DELAY'], originalRecipient: 'rfc822;ann+2Bx@c' },
    { forwardPath: 'bob@b', notify: [], originalRecipient: null },
    { forwardPath: 'cy@b', notify: null, originalRecipient: null },
  ],
} as const

test('what was asked of us is asked of a server that knows of it (RFC 3461 §5.2.1, RFC 2852 §4, RFC 6710 §4)', () => {
  checkDelivery({ ...asked, deliverBy: { seconds: -3, mode: 'notify', trace: true } }, { extensions: { ...all, pipelining: false } }, `
    C: MAIL FROM:<joe@a> SIZE=99 RET=HDRS ENVID=QQ+2B1 BY=-3;NT MT-PRIORITY=3
    S: 250 ok
    C: RCPT TO:<ann@b> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;ann+2Bx@c
    S: 250 ok
    C: RCPT TO:<bob@b> NOTIFY=NEVER
    S: 250 ok
    C: RCPT TO:<cy@b>
    S: 250 ok
    C: DATA
    S: 354 go
    C: (message)
    S: 250 taken
    => delivered: 250 taken (mx)
    => delivered: 250 taken (mx)
    => delivered: 250 taken (mx)`)
})

test('a server that does not know of it is not asked (RFC 3461 §5.2.2)', () => {
  checkDelivery({ ...asked, deliverBy: { seconds: 3, mode: 'notify', trace: false } }, { extensions: NO_EXTENSIONS }, `
    C: MAIL FROM:<joe@a>
    S: 250 ok
    C: RCPT TO:<ann@b>
    S: 250 ok
    C: RCPT TO:<bob@b>
    S: 250 ok
    C: RCPT TO:<cy@b>
    S: 250 ok
    C: DATA
    S: 354 go
    C: (message)
    S: 250 taken
    => delivered: 250 taken (mx)
    => delivered: 250 taken (mx)
    => delivered: 250 taken (mx)`)
})

test('what is to be returned in time goes only to who can see to that, and in time (RFC 2852 §4)', () => {
  const check = (seconds: number, extensions: Extensions, source: string): void => {
    checkDelivery({ deliverBy: { seconds, mode: 'return', trace: false } }, { extensions }, source)
  }
  check(60, { ...all, deliverBy: null }, '=> refused: mx gives no word on time (it does not offer DELIVERBY), and the message is to be returned when it is late')
  check(60, { ...all, deliverBy: { leastSeconds: 61 } }, '=> refused: too late: mx needs 61 seconds at the least')
  check(0, all, '=> refused: too late: the time that the sender gave it is over')
})

test('a server names no more recipients, and no more transactions, than it is given (RFC 9422)', () => {
  const extensions = { ...NO_EXTENSIONS, mostRecipients: 2 }
  const { next } = checkDelivery({ forwardPaths: ['ann@b', 'bob@b', 'cy@b', 'dan@b', 'eve@b'] }, { extensions, transactionsLeft: 2 }, `
    C: MAIL FROM:<joe@a>
    S: 250 ok
    C: RCPT TO:<ann@b>
    S: 250 ok
    C: RCPT TO:<bob@b>
    S: 550 no
    C: DATA
    S: 354 go
    C: (message)
    S: 250 taken
    C: EHLO us
    S: 250 mx hello
    C: MAIL FROM:<joe@a>
    S: 250 ok
    C: RCPT TO:<cy@b>
    S: 250 ok
    C: RCPT TO:<dan@b>
    S: 250 ok
    C: DATA
    S: 354 go
    C: (message)
    S: 250 taken too
    => delivered: 250 taken (mx)
    => refused: 550 no (mx, after RCPT)
    => delivered: 250 taken too (mx)
    => delivered: 250 taken too (mx)
    => deferred: mx takes no more over this connection`)
  assert.equal(next, 'reuse')
})

test('a server hears of no more domains over a connection than it is given (RFC 9422 §4.3)', () => {
  const extensions = { ...NO_EXTENSIONS, mostDomains: 2 }
  const { next } = checkDelivery({ forwardPaths: ['ann@c', 'bob@B', 'cy@d', 'dan@b'] }, { extensions, domains: new Set(['b']) }, `
    C: MAIL FROM:<joe@a>
    S: 250 ok
    C: RCPT TO:<ann@c>
    S: 250 ok
    C: RCPT TO:<bob@B>
    S: 250 ok
    C: RCPT TO:<dan@b>
    S: 250 ok
    C: DATA
    S: 354 go
    C: (message)
    S: 250 taken
    => delivered: 250 taken (mx)
    => delivered: 250 taken (mx)
    => deferred: mx takes no more over this connection
    => delivered: 250 taken (mx)`)
  assert.equal(next, 'reuse')
})

test('what EHLO says of these', () => {
  const parse = (...lines: string[]): Extensions => parseExtensions({ code: 250, enhanced: null, lines: ['mx', ...lines] })
  assert.deepEqual(
    parse('DSN', 'DELIVERBY 120', 'MT-PRIORITY STANAG4406', 'limits rcptmax=5 MAILMAX=9 RCPTDOMAINMAX=1'),
    { ...NO_EXTENSIONS, dsn: true, deliverBy: { leastSeconds: 120 }, mtPriority: true, mostRecipients: 5, mostTransactions: 9, mostDomains: 1 },
  )
  const hello = { code: 250, enhanced: null, lines: ['mx', 'CHUNKING', 'BINARYMIME', 'PIPELINING', 'LIMITS RCPTMAX=1', 'STARTTLS'] }
  assert.deepEqual(parseExtensions(hello, ['CHUNKING', 'LIMITS', 'DSN']), { ...NO_EXTENSIONS, pipelining: true, startTls: true })
  assert.deepEqual(parse('DELIVERBY', 'LIMITS RCPTMAX=0 MAILMAX=x'), { ...NO_EXTENSIONS, deliverBy: { leastSeconds: 0 } })
})

test('S10: nothing that was kept can end its command', () => {
  for (const changes of [{ envelopeId: 'a\r\nRSET' }, { recipients: [{ forwardPath: 'a@b', notify: null, originalRecipient: 'x;\r\nRSET' }] }])
    assert.throws(() => checkDelivery({ ...envelopeTo(['a@b']), ...changes }, { extensions: all }, ''), /broken invariant: what goes into a command/)
})
