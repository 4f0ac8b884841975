/**
 * The server's session: whatever a client says, cut however, it is answered the same way; every reply
 * is a line of printable ASCII; nothing is stored that the envelope did not allow; and no more than one
 * thing is waited for, which comes last.
 */

import assert from 'node:assert/strict'
import type { Decision, Question } from '../../../src/core/policy/decision.ts'
import { formatNode } from '../../../src/core/smtp/etrn.ts'
import { formatReply } from '../../../src/core/smtp/reply.ts'
import { ServerSession } from '../../../src/core/smtp/server-session.ts'
import type { SessionInput, SessionOutput, SessionSettings } from '../../../src/core/smtp/session-events.ts'
import { callerNamed } from '../../decisions/people.ts'
import type { Random } from '../../support/random.ts'
import { judge } from '../../transcripts/passwords.ts'
import { siteSettings } from '../../transcripts/site.ts'
import { conversations, END_OF_FLIGHT } from '../seeds.ts'
import { cutAnywhere, type FuzzTarget } from '../target.ts'

/** Limits so small that many inputs cross them. */
const SETTINGS = {
  ...siteSettings,
  completesHeader: true,
  asksAboutAuthors: true,
  takesXclient: true,
  etrn: [{ domain: 'branch.example.org', holders: ['joe'] }],
  logins: { rule: 'any', byPassword: ['PLAIN', 'LOGIN', 'SCRAM-SHA-256'], byToken: null },
  limits: { ...siteSettings.limits, messageBytes: 300, headerBytes: 150, headerFields: 6, receivedFields: 2, recipients: 3, messages: 4, errors: 6 },
} satisfies SessionSettings

export const target: FuzzTarget = {
  name: 'session',
  seeds: conversations(),
  words: [
    END_OF_FLIGHT, 'EHLO a.example\r\n', 'LHLO a.example\r\n', 'MAIL FROM:<ann@example.com>', 'RCPT TO:<joe@example.org>\r\n', 'DATA\r\n', 'RSET\r\n', 'QUIT\r\n', 'NOOP\r\n', 'STARTTLS\r\n',
    'BDAT 5\r\n', 'BDAT 7 LAST\r\n', 'BDAT 0 LAST\r\n', 'BDAT 99999 LAST\r\n', ' BODY=BINARYMIME', ' BODY=8BITMIME', ' REQUIRETLS', 'TLS-Required: No\r\n', ' SMTPUTF8', ' SIZE=1', 'AUTH EXTERNAL =\r\n', 'AUTH PLAIN AHVzZXIAcGVuY2ls\r\n', 'AUTH SCRAM-SHA-256 ', 'refused', 'held', 'fails',
    'Subject: a\r\n', 'Received: b\r\n', 'From: c@example.org\r\n', '\r\n\r\n', 'XCLIENT NAME=a.example\r\n',
  ],
  check(input, random) {
    const flights = input.toString('latin1').split(END_OF_FLIGHT).map(flight => Buffer.from(flight, 'latin1'))
    const events = flights.map(() => eventBetween(random))
    const identity = random.chance(0.2) ? callerNamed('joe').identity : ({ kind: 'plaintext' } as const)
    const connected = { kind: 'connected', address: '192.0.2.7', identity } as const
    const settings = random.chance(0.1) ? { ...SETTINGS, listener: 'lmtp' as const } : SETTINGS
    const log = new Listener(settings, connected).hear(flights.map(flight => [flight]), events)
    // Bytes behind these are refused if they are there in time (S3, S30); nothing else depends on when they come.
    if (log.some(line => /^S: 50[13] \S+ (?:Wait for the reply to|Nothing may follow)/.test(line))) return
    const inPieces = new Listener(settings, connected).hear(flights.map(flight => cutAnywhere(flight, random)), events)
    assert.deepEqual(inPieces, log)
  },
}

function eventBetween(random: Random): SessionInput | null {
  if (random.chance(0.97)) return null
  const events: readonly SessionInput[] = [{ kind: 'idle' }, { kind: 'shutDown' }, { kind: 'identityLost', identity: callerNamed('revoked joe').identity, decision: LOST }]
  return events[random.between(0, events.length - 1)] ?? null
}

const LOST: Decision = { id: 'lost', verdict: 'refuse', reply: { code: 550, enhanced: '5.7.1', text: 'Lost' }, holdReason: null, relay: false, because: [] }

/** Everything around the session: a policy that goes by words in addresses, a store that takes everything. */
class Listener {
  readonly #session: ServerSession
  readonly #log: string[] = []
  readonly #connected: SessionInput
  #isBinary = false
  #content: Buffer[] = []
  #isOpen = false
  #isOver = false

  constructor(settings: SessionSettings, connected: SessionInput) {
    this.#session = new ServerSession(settings)
    this.#connected = connected
  }

  hear(flights: readonly (readonly Buffer[])[], events: readonly (SessionInput | null)[]): readonly string[] {
    this.#give(this.#connected)
    for (const [at, pieces] of flights.entries()) {
      for (const bytes of pieces) this.#give({ kind: 'bytes', bytes })
      const event = events[at] ?? null
      if (event !== null) this.#give(event)
    }
    return this.#log
  }

  #give(input: SessionInput): void {
    for (let next: SessionInput | null = input; next !== null; ) {
      const outputs = this.#session.handle(next)
      next = null
      for (const output of outputs) {
        assert.equal(next, null, 'an output that waits for an answer comes last')
        assert.equal(this.#isOver, false, 'nothing comes after the end')
        next = this.#perform(output)
      }
    }
  }

  #perform(output: SessionOutput): SessionInput | null {
    switch (output.kind) {
      case 'reply': {
        const text = formatReply(output.reply)
        assert.match(text, /^(?:[2-5][0-9]{2}[ -][\t -~]{0,506}\r\n)+$/)
        this.#log.push(`S: ${text}`)
        return null
      }
      case 'askPolicy':
        return { kind: 'decided', decision: decided(output.question), host: output.question.asker.host }
      case 'askCredentials':
        this.#log.push(`asks ${output.question.kind}`)
        return { kind: 'credentialsJudged', answer: judge(output.question), id: 'login' }
      case 'wakeQueue':
        this.#log.push(`wakes ${formatNode(output.node)}`)
        return { kind: 'queueWoken', messages: this.#log.length % 3 }
      case 'openMessage': {
        const { reversePath, recipients, bodyType } = output.envelope
        for (const path of [reversePath, ...recipients.map(({ forwardPath }) => forwardPath)]) assert.doesNotMatch(path, /\p{Cc}/u)
        assert.ok(recipients.length >= 1 && recipients.length <= SETTINGS.limits.recipients)
        assert.equal(this.#isOpen, false, 'one message at a time')
        this.#isOpen = true
        this.#isBinary = bodyType === 'BINARYMIME'
        this.#content = []
        this.#log.push(`open ${JSON.stringify(output.envelope)} ${output.delivery.kind} ${output.protocol}`)
        return null
      }
      case 'body':
        assert.ok(this.#isOpen, 'a message is open')
        this.#content.push(Buffer.from(output.bytes))
        return null
      case 'completeHeader':
        assert.ok(this.#isOpen, 'a message is open')
        this.#content.push(Buffer.from('(completed)\r\n'))
        return null
      case 'commitMessage':
        this.#commit()
        return this.#log.length % 13 === 0 ? { kind: 'storageFailed', why: 'full' } : { kind: 'stored', id: 'q1' }
      case 'dropMessage':
        assert.ok(this.#isOpen, 'a message is open')
        this.#isOpen = false
        this.#log.push('dropped')
        return null
      case 'speakFor':
        this.#log.push(`for ${JSON.stringify(output.host)}`)
        return null
      case 'startTls':
        return { kind: 'tlsEstablished', identity: callerNamed('joe').identity }
      case 'close':
        this.#isOver = true
        this.#log.push('closed')
        return null
    }
  }

  #commit(): void {
    assert.ok(this.#isOpen, 'a message is open')
    this.#isOpen = false
    const content = Buffer.concat(this.#content).toString('latin1')
    // The header may have grown by an empty line, a CRLF, and what was completed.
    assert.ok(content.length <= SETTINGS.limits.messageBytes + 20, 'no more is stored than a message may have')
    if (!this.#isBinary) assert.doesNotMatch(content, /\r(?!\n)|(?<!\r)\n|\0/)
    this.#log.push(`stored ${JSON.stringify(content)}`)
  }
}

function decided(question: Question): Decision {
  const about = question.kind === 'sender' ? question.reversePath : question.kind === 'recipient' ? question.forwardPath : ''
  const refused = about.includes('refused')
  return {
    id: 'D1',
    verdict: refused ? 'refuse' : about.includes('held') ? 'quarantine' : about.includes('discarded') ? 'discard' : 'accept',
    reply: refused ? { code: about.includes('goodbye') ? 421 : 550, enhanced: '5.7.1', text: 'Access denied' } : null,
    holdReason: about.includes('held') ? 'somebody to watch' : null,
    relay: true,
    because: [],
  }
}
