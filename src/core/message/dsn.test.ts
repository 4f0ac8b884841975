import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { envelopeTo } from '../../../test/support/queued.ts'
import type { Failure } from './conclusion.ts'
import { composeDsn, headerSection, type DsnRequest } from './dsn.ts'
import type { AttemptProblem } from './outcome.ts'

const reply = (...lines: string[]): AttemptProblem => ({
  kind: 'remoteReply', stage: 'rcpt', peer: 'mx.b[192.0.2.7]:25', reply: { code: 550, enhanced: '5.1.1', lines } })

type FailureRequest = Extract<DsnRequest, { kind: 'failed' | 'delayed' }>

function request(changes: Partial<FailureRequest>, reversePath = 'joe@a', utf8 = false): FailureRequest {
  return {
    kind: 'failed', id: 'n1', boundary: '=_b', hostname: 'relay.test', now: Date.UTC(2026, 10, 24), givesUpAt: Date.UTC(2026, 10, 28),
    recipients: [{ address: 'ann@b', why: reply('No such user'), expired: false, originalRecipient: null }],
    original: { kind: 'whole', bytes: Buffer.from('Subject: hello\r\n\r\nHow are you?\r\n') },
    message: {
      id: 'm1', acceptedAt: Date.UTC(2026, 10, 23), sizeBytes: 1, heldBecause: null, isSpared: false, recipients: [],
      envelope: envelopeTo(['ann@b'], { reversePath, utf8 }),
      origin: { sessionId: 's', listener: 'mx', address: '', hello: '', fingerprint: null, holder: null, passwordId: null, isKnown: true },
    },
    ...changes,
  }
}

/** Header section and parts, as a reader of MIME would see them. */
function read(text: string): { header: string; parts: { header: string; body: string }[] } {
  const [header = '', ...pieces] = text.split(/\r\n--=_b(?:--)?\r\n/)
  const parts = pieces.filter(piece => piece !== '').map(piece => {
    const [header = '', ...rest] = piece.split('\r\n\r\n')
    return { header, body: rest.join('\r\n\r\n') }
  })
  return { header: header.split('\r\n\r\n')[0] ?? '', parts }
}

test('a bounce says what happened in words, in fields, and returns the message', () => {
  const { text, utf8, eightBit } = composeDsn(request({}))
  assert.deepEqual({ utf8, eightBit }, { utf8: false, eightBit: false })
  assert.equal(text, `From: Mail delivery at relay.test <MAILER-DAEMON@relay.test>
To: <joe@a>
Subject: Your message could not be delivered
Date: Tue, 24 Nov 2026 00:00:00 +0000
Message-ID: <n1@relay.test>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="=_b"

This is a report about a message, in MIME format.
--=_b
Content-Type: text/plain; charset=us-ascii

This is the mail relay at relay.test.

The message that you sent on Mon, 23 Nov 2026 00:00:00 +0000
could not be delivered to the following recipient:

  <ann@b>
    The server mx.b[192.0.2.7]:25 answered:
    550 5.1.1 No such user
    Check the address for typing errors, or ask the recipient for a new one.

It will not be tried again. The technical details and your message, or its
header, are attached.

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.test
Arrival-Date: Mon, 23 Nov 2026 00:00:00 +0000

Final-Recipient: rfc822; ann@b
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.b
Diagnostic-Code: smtp; 550 5.1.1 No such user
Last-Attempt-Date: Tue, 24 Nov 2026 00:00:00 +0000

--=_b
Content-Type: message/rfc822

Subject: hello

How are you?

--=_b--
`.replaceAll('\n', '\r\n'))
})

test('a bounce says whose wish was not met: the sender\'s, ours, or the recipient\'s', () => {
  const peer = 'mx.b[192.0.2.7]:25'
  const cases: readonly (readonly [AttemptProblem, RegExp])[] = [
    [{ kind: 'unsupported', feature: 'REQUIRETLS', peer }, /asked for verified TLS on the whole way/],
    [{ kind: 'unsupported', feature: 'STARTTLS', peer }, /asked for verified TLS on the whole way/],
    [{ kind: 'unsupported', feature: 'BINARYMIME', peer }, /cannot take messages of this form/],
    [{ kind: 'tlsRefused', peer, detail: null, reply: { code: 503, enhanced: '5.7.0', text: 'no' } }, /a rule of this relay/],
    [{ kind: 'remoteReply', stage: 'rcpt', peer, reply: { code: 550, enhanced: '5.7.1', lines: ['Go away'] } }, /does not want this message from you/],
  ]
  for (const [why, words] of cases) {
    const { parts } = read(composeDsn(request({ recipients: [{ address: 'ann@b', why, expired: false, originalRecipient: null }] })).text)
    const body = (parts[0]?.body ?? '').replaceAll(/\s+/g, ' ')
    assert.match(body, words)
    assert.equal(body.includes('That server does not want'), why.kind === 'remoteReply', body)
  }
})

test('a delay says until when it will be tried, and that nothing need be done', () => {
  const failure: Failure = { address: 'ann@b', why: { kind: 'connectionFailed', peer: 'mx.b[192.0.2.7]:25', detail: 'connection refused' }, expired: false, originalRecipient: null }
  const { parts } = read(composeDsn(request({ kind: 'delayed', recipients: [failure] })).text)
  assert.match(parts[0]?.body ?? '', /has not been delivered yet[^]*need not do anything[^]*until Sat, 28 Nov 2026/)
  assert.match(parts[1]?.body ?? '', /Action: delayed\r\nStatus: 4\.4\.1\r\n[^]*Will-Retry-Until: Sat, 28 Nov 2026/)
})

test('a message that expired says so, and why it never got through (RFC 3463 §3.5)', () => {
  const why: AttemptProblem = { kind: 'suspended', because: { kind: 'connectionFailed', peer: 'mx.b[192.0.2.7]:25', detail: 'connection refused' } }
  const { parts } = read(composeDsn(request({ recipients: [{ address: 'ann@b', why, expired: true, originalRecipient: null }] })).text)
  assert.match(parts[0]?.body ?? '', /tried for days; this was the last problem:\r\n +no connection to mx\.b/)
  assert.match(parts[1]?.body ?? '', /Action: failed\r\nStatus: 4\.4\.7\r\nRemote-MTA: dns; mx\.b\r\n/)
})

test('of a large message only the header section comes back', () => {
  const bytes = headerSection(Buffer.from('A: 1\r\nB: 2\r\n\r\nsecret\r\n'))
  assert.equal(Buffer.from(bytes).toString(), 'A: 1\r\nB: 2\r\n')
  const endless = headerSection(Buffer.from(`A: ${'x'.repeat(30_000)}\r\nB: ${'y'.repeat(30_000)}\r\n`))
  assert.equal(endless.length, 30_005)
  const { parts } = read(composeDsn(request({ original: { kind: 'header', bytes } })).text)
  assert.deepEqual(parts[2], { header: 'Content-Type: text/rfc822-headers', body: 'A: 1\r\nB: 2\r\n' })
})

test('a report is ASCII, unless the message was internationalized (RFC 6533)', () => {
  const original = { kind: 'whole', bytes: Buffer.from('Subject: grüße\r\n\r\nhé\r\n') } as const
  const plain = composeDsn(request({ original, recipients: [{ address: 'ann@b', why: reply('größer'), expired: false, originalRecipient: null }] }))
  assert.match(plain.text, /^[\0-\x7f]*$/)
  assert.match(plain.text, /Content-Type: text\/rfc822-headers\r\n\r\nSubject: gr\?e\r\n/)
  const global = composeDsn(request({ original }, 'jürgen@a', true))
  assert.deepEqual([global.utf8, global.eightBit], [true, true])
  assert.match(global.text, /To: <jürgen@a>[^]*message\/global-delivery-status[^]*Final-Recipient: utf-8; ann@b[^]*message\/global\r\n[^]*grüße/)
})

test('a message that cannot be read any more is reported without it', () => {
  assert.equal(read(composeDsn(request({ original: null })).text).parts.length, 2)
})

const wild = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('\r\n', '\r', '\n', '\r\n\r\n', '--=_x', 'Bcc: x@y', '\0', '>', '\u2028')), { maxLength: 8 })
  .map(parts => parts.join(''))

test('S10, S14: nothing from outside adds a field or a part to a report', () => {
  const shape = (changes: Parameters<typeof request>[0], reversePath: string, utf8: boolean): unknown => {
    const { text } = composeDsn(request(changes, reversePath, utf8))
    assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n|\0/)
    const { header, parts } = read(text)
    const names = (section: string): string[] => section.split('\r\n').map(line => /^[A-Za-z-]+(?=:)/.exec(line)?.[0] ?? '(none)')
    return [names(header), parts.map(part => names(part.header)), names(parts[1]?.body ?? ''), parts[0]?.body.split('\r\n').length]
  }
  fc.assert(
    fc.property(wild, wild, wild, wild, fc.boolean(), (reversePath, address, peer, said, utf8) => {
      const why: AttemptProblem = { kind: 'remoteReply', stage: 'mail', peer: `mx${peer}`, reply: { code: 550, enhanced: null, lines: [said, said] } }
      const original = { kind: 'header', bytes: Buffer.from(`X: ${said}`) } as const
      const harmless: AttemptProblem = { ...why, peer: 'mx', reply: { code: 550, enhanced: null, lines: ['x'] } }
      assert.deepEqual(
        shape({ recipients: [{ address, why, expired: false, originalRecipient: null }], original }, reversePath, utf8),
        shape({ recipients: [{ address: 'x', why: harmless, expired: false, originalRecipient: null }] }, 'x', utf8),
      )
    }),
    { numRuns: 500 },
  )
})

test('a report names the message and the recipient as the sender did (RFC 3464 §2.2.1, §2.3.1)', () => {
  const { message } = request({})
  const envelope = { ...message.envelope, envelopeId: 'QQ+2B1+3D2' }
  const recipients = [{ address: 'ann@b', originalRecipient: 'rfc822;Ann+2Bx@c', why: reply('no'), expired: false }]
  const { parts } = read(composeDsn(request({ message: { ...message, envelope }, recipients })).text)
  assert.match(parts[1]?.body ?? '', /^Original-Envelope-Id: QQ\+1=2\r\nReporting-MTA: [^]*\r\n\r\nOriginal-Recipient: rfc822; Ann\+x@c\r\nFinal-Recipient: rfc822; ann@b\r\n/)
})

test('an original recipient of UTF-8 is named in full, and in ASCII where the report is (RFC 6533 §3)', () => {
  const recipients = [{ address: 'ann@b', originalRecipient: 'utf-8;j\\x{FC}rgen@c', why: reply('no'), expired: false }]
  assert.match(composeDsn(request({ recipients })).text, /^Original-Recipient: utf-8; j\\x\{FC\}rgen@c\r$/m)
  assert.match(composeDsn(request({ recipients }, 'joe@a', true)).text, /^Original-Recipient: utf-8; jürgen@c\r$/m)
})

test('who waits for success is told to whom the message was passed on (RFC 3461 §5.2.2)', () => {
  const { recipients: _, ...rest } = request({})
  const relayed = { address: 'ann@b', originalRecipient: null, by: 'mx.b[192.0.2.7]:25, TLSv1.3', reply: { code: 250, enhanced: null, lines: ['ok'] } }
  const { header, parts } = read(composeDsn({ ...rest, kind: 'relayed', recipients: [relayed] }).text)
  assert.match(header, /Subject: Your message was passed on/)
  assert.match(parts[0]?.body ?? '', /was passed on to the server of the following recipient:[^]*<ann@b>[^]*250 ok[^]*no word of success/)
  assert.match(parts[1]?.body ?? '', /Final-Recipient: rfc822; ann@b\r\nAction: relayed\r\nStatus: 2\.0\.0\r\nRemote-MTA: dns; mx\.b\r\nDiagnostic-Code: smtp; 250 ok/)
})

test('of a message that required TLS nothing but its Message-ID goes back, whatever RET says (RFC 8689 §5)', () => {
  const { message } = request({})
  const envelope = envelopeTo(['ann@b'], { reversePath: 'joe@a', tls: 'required', returned: 'FULL' })
  const back = (text: string): string => composeDsn(request({ message: { ...message, envelope }, original: { kind: 'whole', bytes: Buffer.from(text) } })).text
  const text = back('Subject: hello\r\nMessage-Id: <1@a>\r\nReceived: from laptop\r\n\r\nHow are you?\r\n')
  assert.match(text, /Content-Type: text\/rfc822-headers\r\n\r\nMessage-Id: <1@a>\r\n\r\n--/)
  for (const secret of ['hello', 'laptop', 'How are you?']) assert.equal(text.includes(secret), false, secret)
  assert.equal(back('Subject: hello\r\n\r\n').includes('rfc822-headers'), false)
})
