/** What transcripts (test/transcripts) cannot show: what the session asks, and what it ignores. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, constantFrom, integer, property } from 'fast-check'
import { certificateNamed, tls, verifiedAs } from '../../../test/support/identities.ts'
import type { ClientIdentity } from '../names/identity.ts'
import type { Decision } from '../policy/decision.ts'
import { formatReply } from './reply.ts'
import { ServerSession } from './server-session.ts'
import type { SessionInput, SessionOutput, SessionSettings } from './session-events.ts'

const settings: SessionSettings = {
  listener: 'mx',
  hostname: 'mx.example.org',
  offersStartTls: true,
  greetDelaySeconds: 0,
  completesHeader: false,
  asksAboutAuthors: false,
  postmasterDomain: null,
  etrn: [],
  takesXclient: false,
  logins: { rule: 'any', byPassword: [], byToken: null },
  futureRelease: null,
  limits: {
    messageBytes: 1000,
    recipients: 10,
    messages: 10,
    logins: 3,
    errors: 10,
    headerBytes: 500,
    headerFields: 50,
    receivedFields: 5,
    commandSeconds: 300,
    dataSeconds: 180, messageSeconds: 3600,
  },
}
const plaintext: ClientIdentity = { kind: 'plaintext' }
const anonymous: ClientIdentity = { kind: 'anonymous', tls }
const certificate = certificateNamed('joe', { addresses: ['joe@example.org'] })
const verified = verifiedAs(null, certificate)

const connected: SessionInput = { kind: 'connected', address: '192.0.2.7', identity: plaintext }
const accepted = decided({ verdict: 'accept' })

function decided(changes: Partial<Decision>, name: 'found' | 'unknown' = 'unknown'): SessionInput {
  const decision: Decision = { id: 'D1', verdict: 'accept', reply: null, holdReason: null, relay: false, because: [], ...changes }
  return { kind: 'decided', decision, host: { address: '192.0.2.7', name: name === 'found' ? { resolve: 'OK', name: 'a.example' } : null } }
}

function bytes(text: string): SessionInput {
  return { kind: 'bytes', bytes: Buffer.from(text) }
}

/** The outputs of the last of these inputs. */
function after(session: ServerSession, ...inputs: readonly SessionInput[]): SessionOutput[] {
  let outputs: SessionOutput[] = []
  for (const input of inputs) outputs = session.handle(input)
  return outputs
}

/** Outputs in short: `250 …` for replies, the kind for what is asked for. */
function inShort(outputs: readonly SessionOutput[]): string[] {
  return outputs.map(output => (output.kind === 'reply' ? formatReply(output.reply).slice(0, 3) : output.kind))
}

const toTransaction = [connected, accepted, bytes('EHLO a.example\r\n'), bytes('MAIL FROM:<ann@example.com>\r\n'), accepted]
const toMessage = [...toTransaction, bytes('RCPT TO:<joe@example.org>\r\n'), accepted, bytes('DATA\r\n')]

test('nothing is said before the policy has agreed to the connection', () => {
  const session = new ServerSession(settings)
  assert.deepEqual(inShort(session.handle(connected)), ['askPolicy'])
  assert.deepEqual(inShort(session.handle(accepted)), ['220'])
})

test('S30: a client that spoke before the greeting is not greeted', () => {
  const session = new ServerSession(settings)
  assert.deepEqual(inShort(after(session, connected, bytes('EHLO a.example\r\n'))), [])
  assert.deepEqual(inShort(session.handle(accepted)), ['554', 'close'])
  assert.equal(session.isClosing, true)
})

test('while the policy is asked, bytes are kept and not read', () => {
  const session = new ServerSession(settings)
  const outputs = after(session, connected, accepted, bytes('EHLO a.example\r\n'), bytes('MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n'))
  assert.deepEqual(inShort(outputs), ['askPolicy'])
  assert.deepEqual(inShort(session.handle(bytes('QUIT\r\n'))), [])
  assert.deepEqual(inShort(session.handle(accepted)), ['250', 'askPolicy'])
  assert.deepEqual(inShort(session.handle(accepted)), ['250', '221', 'close'])
})

test('the policy is told all that is known at the moment of asking', () => {
  const session = new ServerSession(settings)
  const [question] = after(session, connected, decided({}, 'found'), bytes('EHLO a.example\r\n'), bytes('MAIL FROM:<"ann"@example.com>\r\n'))
  assert.deepEqual(question, {
    kind: 'askPolicy',
    question: {
      kind: 'sender',
      reversePath: 'ann@example.com',
      asker: {
        listener: 'mx',
        host: { address: '192.0.2.7', name: { resolve: 'OK', name: 'a.example' } },
        hello: 'a.example',
        identity: plaintext,
        authentication: null,
      },
    },
  })
})

test('after STARTTLS the policy is asked about the handshake, with nothing of what was said before', () => {
  const session = new ServerSession(settings)
  const [question] = after(session, connected, accepted, bytes('EHLO a.example\r\n'), bytes('STARTTLS\r\n'), { kind: 'tlsEstablished', identity: verified })
  assert.equal(question?.kind === 'askPolicy' && question.question.kind, 'handshake')
  assert.equal(question?.kind === 'askPolicy' && question.question.asker.hello, '')
  assert.deepEqual(session.handle(accepted), [])
})

test('authentication is shown to the policy and goes with the message', () => {
  const session = new ServerSession(settings)
  after(session, { ...connected, identity: verified }, accepted, accepted, bytes('EHLO a.example\r\n'), bytes('AUTH EXTERNAL =\r\n'))
  after(session, bytes('MAIL FROM:<joe@example.org>\r\n'), accepted, bytes('RCPT TO:<bob@example.net>\r\n'), accepted)
  const [open, reply] = session.handle(bytes('DATA\r\n'))
  assert.ok(open?.kind === 'openMessage' && reply?.kind === 'reply')
  assert.equal(open.protocol, 'ESMTPSA')
  assert.equal(open.asker.authentication?.authorizationId, '/O=Example/CN=joe')
  assert.deepEqual(open.delivery, { kind: 'queue' })
  assert.equal(reply.reply.code, 354)
})

test('a message goes out as it comes in, without its dots, and is committed at its end', () => {
  const session = new ServerSession(settings)
  assert.deepEqual(inShort(after(session, ...toMessage)), ['openMessage', '354'])
  assert.equal(session.isReceivingMessage, true)
  const first = session.handle(bytes('Subject: x\r\n\r\n..'))
  assert.deepEqual(first, [{ kind: 'body', bytes: Buffer.from('Subject: x\r\n\r\n.') }])
  assert.deepEqual(inShort(session.handle(bytes('\r\n.\r\nNOOP\r\n'))), ['body', 'commitMessage'])
  assert.deepEqual(inShort(session.handle({ kind: 'stored', id: 'q1' })), ['250', '250'])
})

test('of a message that will be refused nothing more goes out', () => {
  const session = new ServerSession(settings)
  after(session, ...toMessage)
  assert.deepEqual(inShort(session.handle(bytes('Subject: x\r\n\r\n'))), ['body'])
  assert.deepEqual(inShort(session.handle(bytes('bare\nline\r\n'))), [])
  assert.deepEqual(inShort(session.handle(bytes('more\r\n'))), [])
  assert.deepEqual(inShort(session.handle(bytes('.\r\n'))), ['dropMessage', '550', 'close'])
})

test('the client has as long as RFC 5321 §4.5.3.2 gives it', () => {
  const session = new ServerSession(settings)
  after(session, ...toTransaction)
  assert.equal(session.timeoutSeconds(), 300)
  after(session, bytes('RCPT TO:<joe@example.org>\r\n'), accepted, bytes('DATA\r\n'))
  assert.equal(session.timeoutSeconds(), 180)
  after(session, bytes('.\r\n'), { kind: 'stored', id: 'q1' })
  assert.equal(session.timeoutSeconds(), 300)
})

test('after the close nothing has an effect', () => {
  const session = new ServerSession(settings)
  assert.deepEqual(inShort(after(session, connected, accepted, bytes('QUIT\r\n'))), ['221', 'close'])
  assert.deepEqual(after(session, bytes('NOOP\r\n')), [])
  assert.deepEqual(after(session, { kind: 'idle' }), [])
})

test('the policy may end a session at the handshake', () => {
  const session = new ServerSession(settings)
  const goodbye = decided({ verdict: 'refuse', reply: { code: 421, enhanced: '4.7.0', text: 'Not now' } })
  assert.deepEqual(inShort(after(session, connected, accepted, bytes('STARTTLS\r\n'), { kind: 'tlsEstablished', identity: anonymous }, goodbye)), ['421', 'close'])
})

test('what the handshake condemns stays condemned: the fate of its messages', () => {
  const session = new ServerSession(settings)
  after(session, { ...connected, identity: anonymous }, accepted, decided({ verdict: 'quarantine', holdReason: 'watch it' }))
  after(session, bytes('EHLO a.example\r\n'), bytes('MAIL FROM:<a@example.com>\r\n'), accepted, bytes('RCPT TO:<joe@example.org>\r\n'), accepted)
  const [open] = session.handle(bytes('DATA\r\n'))
  assert.deepEqual(open?.kind === 'openMessage' && open.delivery, { kind: 'hold', because: 'watch it' })
})

test('a connection to be watched is watched after a handshake that nobody objects to', () => {
  const session = new ServerSession(settings)
  after(session, { ...connected, identity: anonymous }, decided({ verdict: 'quarantine', holdReason: 'watch it' }), accepted)
  after(session, bytes('EHLO a.example\r\n'), bytes('MAIL FROM:<a@example.com>\r\n'), accepted, bytes('RCPT TO:<joe@example.org>\r\n'), accepted)
  const [open] = session.handle(bytes('DATA\r\n'))
  assert.deepEqual(open?.kind === 'openMessage' && open.delivery, { kind: 'hold', because: 'watch it' })
})

const revoked: SessionInput = {
  kind: 'identityLost',
  identity: { kind: 'unverified', tls, certificate, problem: { kind: 'revoked', since: 0, holder: 'joe' } },
  decision: { id: 'D9', verdict: 'refuse', reply: { code: 550, enhanced: '5.7.1', text: 'No longer' }, holdReason: null, relay: false, because: [] },
}

test('a decision made for a certificate that was revoked meanwhile does not count', () => {
  const session = new ServerSession(settings)
  after(session, { ...connected, identity: verified }, accepted, accepted, bytes('EHLO a.example\r\n'), bytes('MAIL FROM:<joe@example.org>\r\n'))
  assert.deepEqual(inShort(after(session, revoked, accepted)), ['550'])
  after(session, bytes('MAIL FROM:<joe@example.org>\r\n'), accepted, bytes('RCPT TO:<bob@example.net>\r\n'))
  after(session, revoked)
  assert.deepEqual(inShort(session.handle(accepted)), ['550'])
})

test('a message that is being stored when the certificate is revoked is past that', () => {
  const session = new ServerSession(settings)
  after(session, ...toMessage)
  assert.deepEqual(inShort(session.handle(bytes('.\r\n'))), ['commitMessage'])
  assert.deepEqual(session.handle(revoked), [])
  assert.deepEqual(inShort(session.handle({ kind: 'stored', id: 'q1' })), ['250'])
})

test('news may come at any moment', () => {
  for (const news of [{ kind: 'shutDown' }, { kind: 'loginEnded' }, revoked, { kind: 'idle' }] as const) {
    for (let steps = 1; steps <= toMessage.length; steps++) {
      const session = new ServerSession(settings)
      after(session, ...toMessage.slice(0, steps))
      assert.doesNotThrow(() => session.handle(news))
    }
  }
})

test('answers to what was not asked are broken promises of ours', () => {
  const wrong: readonly SessionInput[] = [accepted, connected, { kind: 'tlsEstablished', identity: verified }, { kind: 'stored', id: 'q1' }]
  for (const input of wrong) {
    const session = new ServerSession(settings)
    after(session, connected, accepted)
    assert.throws(() => session.handle(input), /broken invariant/)
  }
})

test('whatever a client sends: what waits for an answer comes last, and nothing comes after the close', () => {
  const piece = constantFrom(
    'EHLO a.example\r\n', 'HELO a\r\n', 'STARTTLS\r\n', 'AUTH EXTERNAL\r\n', '=\r\n', 'MAIL FROM:<a@example.com>\r\n', 'RCPT TO:<b@example.org>\r\n',
    'DATA\r\n', 'text\r\n', '.\r\n', '..\r\n', 'RSET\r\n', 'NOOP\r\n', 'QUIT\r\n', '\n', '\r', '\0', 'MAIL', ' ', 'x'.repeat(600), '\xff', 'GET / HTTP/1.1\r\n',
  )
  const answers: Partial<Record<SessionOutput['kind'], SessionInput>> = {
    askPolicy: accepted,
    startTls: { kind: 'tlsEstablished', identity: verified },
    commitMessage: { kind: 'stored', id: 'q1' },
  }
  check(
    property(array(piece, { maxLength: 60 }), integer({ min: 1, max: 9 }), (pieces, together) => {
      const session = new ServerSession({ ...settings, limits: { ...settings.limits, errors: 100 } })
      const inputs: SessionInput[] = [connected]
      for (let at = 0; at < pieces.length; at += together) inputs.push(bytes(pieces.slice(at, at + together).join('')))
      for (const input of inputs) {
        for (let next: SessionInput | undefined = input; next !== undefined; ) {
          const outputs = session.handle(next)
          const asked = outputs.findIndex(output => output.kind in answers || output.kind === 'close')
          assert.ok(asked === -1 || asked === outputs.length - 1)
          next = answers[outputs.at(-1)?.kind ?? 'reply']
        }
      }
      assert.equal(session.isClosing && session.handle(bytes('NOOP\r\n')).length > 0, false)
    }),
    { numRuns: 500 },
  )
})
