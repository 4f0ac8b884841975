/**
 * One connection of the load generator: a mail server's client, written for speed.
 *
 * It speaks as a real one does: wait for the greeting, EHLO, STARTTLS and EHLO again if asked to,
 * then for each message MAIL, RCPT and DATA in one write (RFC 2920 §3.1), the body in the next, and
 * QUIT at the end. It is the same for every server. A handshake is always a full one: no session is
 * ever offered for resumption.
 */

import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { readFileSync } from 'node:fs'
import { formatToken, monotonicMilliseconds, TOKEN_FIELD, TOKEN_LENGTH, type ClientTls } from './protocol.ts'

/** What a connection reports. Exactly one `ended` comes, and it comes last. */
export type ClientEvents = {
  /** The next message's number; null when this connection has sent its share; 'wait' to keep it open. */
  readonly nextMessage: () => number | null | 'wait'
  readonly accepted: (latencyMilliseconds: number) => void
  readonly failed: (why: string) => void
  readonly secured: (socket: TLSSocket) => void
  readonly ended: () => void
}

export type Target = {
  readonly port: number
  /** Clear text comes from 127.0.0.1; certificate clients from other addresses, which nobody trusts. */
  readonly localAddress: string
  readonly tls: { readonly context: SecureContext; readonly serverName: string } | null
}

type Awaiting = 'greeting' | 'hello' | 'startTls' | 'secureHello' | 'mail' | 'rcpt' | 'data' | 'acceptance' | 'bye' | 'nothing'

// prettier-ignore
const EXPECTED_CODE = {
  greeting: '220', hello: '250', startTls: '220', secureHello: '250',
  mail: '250', rcpt: '250', data: '354', acceptance: '250', bye: '221', nothing: '',
} satisfies Record<Awaiting, string>

const HELLO = 'EHLO client.bench.test\r\n'
const ENVELOPE = 'MAIL FROM:<load@bench.test>\r\nRCPT TO:<sink@sink.test>\r\nDATA\r\n'

export class Client {
  readonly #target: Target
  readonly #template: MessageTemplate
  readonly #events: ClientEvents
  #socket: Socket
  #awaiting: Awaiting = 'greeting'
  #unread = ''
  #startedAt = monotonicMilliseconds()
  #message = 0
  #ended = false

  constructor(target: Target, template: MessageTemplate, events: ClientEvents) {
    this.#target = target
    this.#template = template
    this.#events = events
    const { port, localAddress } = target
    this.#socket = connectTcp({ host: '127.0.0.1', port, localAddress, noDelay: true })
  }

  start(): this {
    this.#listen()
    return this
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #listen(): void {
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes.toString('latin1')))
    this.#socket.on('error', error => this.#fail(error.message))
    this.#socket.on('close', () => {
      if (this.#awaiting !== 'bye') this.#fail(`closed while waiting for ${this.#awaiting}`)
      this.#end()
    })
  }

  #take(text: string): void {
    this.#unread = this.#unread === '' ? text : this.#unread + text
    for (;;) {
      const lineEnd = this.#unread.indexOf('\r\n')
      if (lineEnd < 0 || this.#ended) return
      const line = this.#unread.slice(0, lineEnd)
      this.#unread = this.#unread.slice(lineEnd + 2)
      if (line[3] !== '-') this.#replied(line)
    }
  }

  #replied(line: string): void {
    const expected = EXPECTED_CODE[this.#awaiting]
    if (!line.startsWith(expected)) return this.#fail(`${this.#awaiting}: ${line}`)
    switch (this.#awaiting) {
      case 'greeting':
        return this.#ask('hello', HELLO)
      case 'hello':
        return this.#target.tls === null ? this.#nextMessage() : this.#ask('startTls', 'STARTTLS\r\n')
      case 'startTls':
        return this.#secure()
      case 'secureHello':
        return this.#nextMessage()
      case 'mail':
        this.#awaiting = 'rcpt'
        return
      case 'rcpt':
        this.#awaiting = 'data'
        return
      case 'data':
        this.#awaiting = 'acceptance'
        this.#socket.write(this.#template.fill(this.#message))
        return
      case 'acceptance':
        return this.#accepted()
      case 'bye':
        this.#socket.end()
        return this.#end()
      case 'nothing':
        return
    }
  }

  #ask(awaiting: Awaiting, text: string): void {
    this.#awaiting = awaiting
    this.#socket.write(text, 'latin1')
  }

  #nextMessage(): void {
    const next = this.#events.nextMessage()
    this.#awaiting = 'nothing'
    if (next === 'wait') return
    if (next === null) return this.#ask('bye', 'QUIT\r\n')
    this.#message = next
    this.#ask('mail', ENVELOPE)
  }

  #accepted(): void {
    const now = monotonicMilliseconds()
    this.#events.accepted(now - this.#startedAt)
    this.#startedAt = now
    this.#nextMessage()
  }

  #secure(): void {
    const tls = this.#target.tls
    if (tls === null) return this.#fail('STARTTLS without a certificate to show')
    const plain = this.#socket
    plain.removeAllListeners('data').removeAllListeners('close')
    this.#awaiting = 'nothing'
    const secure = connectTls({ socket: plain, secureContext: tls.context, servername: tls.serverName })
    this.#socket = secure
    this.#listen()
    secure.once('secureConnect', () => {
      this.#events.secured(secure)
      this.#ask('secureHello', HELLO)
    })
  }

  #fail(why: string): void {
    if (this.#ended) return
    this.#events.failed(why)
    this.#socket.destroy()
    this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#events.ended()
  }
}

/** The messages of one run: all alike but for the token. */
export class MessageTemplate {
  readonly #run: number
  readonly #before: Buffer
  readonly #between: Buffer
  readonly #after: Buffer

  constructor(run: number, sizeBytes: number) {
    this.#run = run
    const header =
      'From: Load <load@bench.test>\r\nTo: Sink <sink@sink.test>\r\nSubject: A message of the benchmark\r\n' +
      'Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n'
    const fieldBytes = TOKEN_FIELD.length + TOKEN_LENGTH
    // The Message-ID is the token again, so that no server has to invent one.
    const between = '\r\nMessage-ID: <'
    const end = '@bench.test>\r\n\r\n'
    const line = 'The quick brown fox jumps over the lazy dog, again and again, ok.\r\n'
    const bodyBytes = Math.max(0, sizeBytes - header.length - fieldBytes - between.length - TOKEN_LENGTH - end.length)
    const lines = line.repeat(Math.floor(bodyBytes / line.length))
    const rest = bodyBytes - lines.length >= 2 ? `${'-'.repeat(bodyBytes - lines.length - 2)}\r\n` : ''
    this.#before = Buffer.from(header + TOKEN_FIELD, 'latin1')
    this.#between = Buffer.from(between, 'latin1')
    this.#after = Buffer.from(`${end}${lines}${rest}.\r\n`, 'latin1')
  }

  /** The message with its final dot, as it goes over the wire. */
  fill(number: number): Buffer {
    const token = Buffer.from(formatToken(this.#run, number), 'latin1')
    return Buffer.concat([this.#before, token, this.#between, token, this.#after])
  }
}

export function readTlsContext(tls: ClientTls): { context: SecureContext; serverName: string } {
  const context = createSecureContext({
    ca: readFileSync(tls.caFile),
    cert: readFileSync(tls.certificateFile),
    key: readFileSync(tls.keyFile),
  })
  return { context, serverName: tls.serverName }
}
