/**
 * A next hop for tests: an SMTP server that keeps what it is given and shows how it was given.
 *
 * What it answers, and how late, can be chosen for each step; with a certificate it offers STARTTLS
 * and asks for the client's certificate.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { waitFor } from './processes.ts'
import { Wire } from './wire.ts'

export type SinkOptions = {
  readonly port?: number
  readonly address?: string
  readonly hostname?: string
  readonly tls?: SinkTls
  /** Offer REQUIRETLS in TLS (RFC 8689). */
  readonly requireTls?: boolean
  /** Offers CHUNKING, and BINARYMIME if that is what it says (RFC 3030). */
  readonly chunking?: 'text' | 'binary'
  /** Extensions that it does not offer. */
  readonly without?: readonly string[]
  /** `false` for runs of so many messages that only `answer` looks at them. */
  readonly keep?: boolean
  /** A reply without CRLF, `null` for the usual one, or `'hang up'`. A promise that resolves late is a slow server. */
  readonly answer?: (step: SinkStep) => SinkAnswer | Promise<SinkAnswer>
}

export type SinkTls = {
  readonly certificatePem: string
  readonly keyPem: string
  /** The authority whose client certificates verify. Without one, none is asked for. */
  readonly clientAuthorityPem?: string
}

export type SinkAnswer = string | 'hang up' | null

export type SinkStep = {
  readonly at: 'greeting' | 'mail' | 'rcpt' | 'data' | 'chunk' | 'message'
  /** The command line, or the whole message. */
  readonly text: string
  /** Counts connections from 1. */
  readonly connection: number
}

export type SinkMessage = {
  readonly reversePath: string
  readonly forwardPaths: readonly string[]
  /** As received, with the stuffed dots removed. Each character is an octet. */
  readonly text: string
  /** BODY of MAIL, or null. */
  readonly bodyType: string | null
  /** How many chunks it came in; 0 by DATA. */
  readonly chunks: number
  /** Null when it came in the clear. */
  readonly tls: { readonly version: string; readonly client: SinkClient } | null
}

/** What the client showed of itself. */
export type SinkClient = {
  /** Common name of its certificate, or null when it showed none. */
  readonly commonName: string | null
  readonly verified: boolean
}

export type Sink = {
  readonly port: number
  readonly messages: readonly SinkMessage[]
  readonly connections: () => number
  /** The first message that has this in its text; waits for it. */
  readonly messageWith: (text: string, timeoutSeconds?: number) => Promise<SinkMessage>
  readonly stop: () => Promise<void>
}

export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const messages: SinkMessage[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const session = new SinkSession(socket, options, ++connections, message => {
      if (options.keep !== false) messages.push(message)
    })
    session.run().finally(() => socket.end())
  })
  server.listen(options.port ?? 0, options.address ?? '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')

  return {
    port: address.port,
    messages,
    connections: () => connections,
    messageWith: (text, timeoutSeconds = 30) =>
      waitFor(`a message with "${text}" at the next hop`, () => messages.find(message => message.text.includes(text)), {
        timeoutSeconds,
        told: () => `${messages.length} messages came:\n${messages.map(message => message.text).join('\n')}`,
      }),
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>(done => server.close(() => done()))
    },
  }
}

class SinkSession {
  readonly #wire: Wire
  readonly #options: SinkOptions
  readonly #connection: number
  readonly #keep: (message: SinkMessage) => void
  #tls: SinkMessage['tls'] = null
  #reversePath: string | null = null
  #forwardPaths: string[] = []
  #bodyType: string | null = null
  #chunks: string[] = []

  constructor(socket: Socket, options: SinkOptions, connection: number, keep: (message: SinkMessage) => void) {
    this.#wire = new Wire(socket)
    this.#options = options
    this.#connection = connection
    this.#keep = keep
  }

  async run(): Promise<void> {
    if (!(await this.#reply('greeting', '', `220 ${this.#hostname} ESMTP sink`))) return
    for (let line = await this.#wire.line(); line !== null; line = await this.#wire.line()) {
      if (!(await this.#command(line))) return
    }
  }

  /** False when the connection is to end. */
  async #command(line: string): Promise<boolean> {
    const verb = line.split(/[ :]/)[0]?.toUpperCase()
    switch (verb) {
      case 'EHLO':
        return this.#say(this.#extensions())
      case 'HELO':
        return this.#say(`250 ${this.#hostname}`)
      case 'STARTTLS':
        return this.#startTls()
      case 'MAIL':
        return this.#mail(line)
      case 'RCPT':
        return this.#recipient(line)
      case 'DATA':
        return this.#data(line)
      case 'BDAT':
        return this.#chunk(line)
      case 'RSET':
        this.#forget()
        return this.#say('250 2.0.0 Reset')
      case 'NOOP':
        return this.#say('250 2.0.0 OK')
      case 'QUIT':
        this.#say('221 2.0.0 Bye')
        return false
      default:
        return this.#say('500 5.5.1 Unknown command')
    }
  }

  #extensions(): string {
    const startTls = this.#options.tls !== undefined && this.#tls === null ? ['STARTTLS'] : []
    const requireTls = this.#options.requireTls === true && this.#tls !== null ? ['REQUIRETLS'] : []
    const chunking = { text: ['CHUNKING'], binary: ['CHUNKING', 'BINARYMIME'], none: [] }[this.#options.chunking ?? 'none']
    const lines = [this.#hostname, 'PIPELINING', 'SIZE 104857600', '8BITMIME', 'SMTPUTF8', ...chunking, ...startTls, ...requireTls, 'ENHANCEDSTATUSCODES'].filter(line => !(this.#options.without ?? []).includes(line))
    return lines.map((line, at) => `250${at === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n')
  }

  async #startTls(): Promise<boolean> {
    if (this.#options.tls === undefined || this.#tls !== null) return this.#say('503 5.5.1 No')
    const plain = this.#wire.release()
    this.#say('220 2.0.0 Go ahead')
    const encrypted = await acceptTls(plain, this.#options.tls)
    if (encrypted === null) return false
    this.#wire.change(encrypted)
    this.#tls = { version: encrypted.getProtocol() ?? '', client: shownBy(encrypted) }
    this.#forget()
    return true
  }

  async #mail(line: string): Promise<boolean> {
    const path = /^MAIL FROM:\s*<([^>]*)>/i.exec(line)
    if (path === null) return this.#say('501 5.5.4 MAIL FROM:<path>')
    const { code, open } = await this.#answer('mail', line, '250 2.1.0 OK')
    if (code < 300) {
      this.#reversePath = path[1] ?? ''
      this.#bodyType = /\bBODY=(\S+)/i.exec(line)?.[1] ?? null
    }
    return open
  }

  async #recipient(line: string): Promise<boolean> {
    const path = /^RCPT TO:\s*<([^>]+)>/i.exec(line)
    if (path === null || this.#reversePath === null) return this.#say('503 5.5.1 MAIL first')
    const { code, open } = await this.#answer('rcpt', line, '250 2.1.5 OK')
    if (code < 300) this.#forwardPaths.push(path[1] ?? '')
    return open
  }

  async #data(line: string): Promise<boolean> {
    if (this.#reversePath === null || this.#forwardPaths.length === 0) return this.#say('503 5.5.1 RCPT first')
    const { code, open } = await this.#answer('data', line, '354 Go ahead')
    if (code !== 354) return open

    const text = await this.#wire.dottedText()
    return text !== null && this.#take(text)
  }

  /** RFC 3030 §2: the octets are read whatever is thought of them. */
  async #chunk(line: string): Promise<boolean> {
    const [, size = '', last] = /^BDAT (\d+)( LAST)?$/i.exec(line) ?? []
    const octets = this.#options.chunking === undefined ? null : await this.#wire.octets(Number(size))
    if (octets === null) return false
    if (this.#reversePath === null || this.#forwardPaths.length === 0) return this.#say('503 5.5.1 RCPT first')
    this.#chunks.push(octets)
    if (last !== undefined) return this.#take(this.#chunks.join(''))
    const { code, open } = await this.#answer('chunk', line, `250 2.0.0 ${size} octets`)
    if (code >= 300) this.#forget()
    return open
  }

  async #take(text: string): Promise<boolean> {
    assert(this.#reversePath !== null, 'MAIL came before the message')
    // Kept before the reply: a sender that dies while waiting for it may send the same again.
    const { length: chunks } = this.#chunks
    const message = { reversePath: this.#reversePath, forwardPaths: this.#forwardPaths, text, bodyType: this.#bodyType, chunks, tls: this.#tls }
    const answered = await this.#answerTo('message', text)
    if (Number((answered ?? '250').slice(0, 3)) < 300) this.#keep(message)
    this.#forget()
    return this.#send(answered ?? '250 2.0.0 Taken')
  }

  async #reply(at: SinkStep['at'], text: string, usual: string): Promise<boolean> {
    return (await this.#answer(at, text, usual)).open
  }

  async #answer(at: SinkStep['at'], text: string, usual: string): Promise<{ code: number; open: boolean }> {
    const reply = (await this.#answerTo(at, text)) ?? usual
    return { code: Number(reply.slice(0, 3)) || 0, open: this.#send(reply) }
  }

  async #answerTo(at: SinkStep['at'], text: string): Promise<SinkAnswer> {
    return (await this.#options.answer?.({ at, text, connection: this.#connection })) ?? null
  }

  #send(reply: string): boolean {
    if (reply !== 'hang up') return this.#say(reply)
    this.#wire.destroy()
    return false
  }

  #say(reply: string): true {
    this.#wire.write(`${reply}\r\n`)
    return true
  }

  #forget(): void {
    this.#reversePath = null
    this.#forwardPaths = []
    this.#bodyType = null
    this.#chunks = []
  }

  get #hostname(): string {
    return this.#options.hostname ?? 'sink.example.test'
  }
}

/** A whole TLS server for one connection: only a server judges the client's certificate, a bare TLSSocket never does. */
async function acceptTls(plain: Socket, tls: SinkTls): Promise<TLSSocket | null> {
  const server = createTlsServer({
    cert: tls.certificatePem,
    key: tls.keyPem,
    ...(tls.clientAuthorityPem === undefined
      ? {}
      : { ca: tls.clientAuthorityPem, requestCert: true, rejectUnauthorized: false }),
  })
  return new Promise(resolve => {
    server.once('secureConnection', resolve)
    server.once('tlsClientError', () => resolve(null))
    plain.once('close', () => resolve(null))
    server.emit('connection', plain)
  })
}

function shownBy(socket: TLSSocket): SinkClient {
  const certificate = socket.getPeerCertificate()
  const commonName = certificate?.subject?.CN
  const shown = typeof commonName === 'string' ? commonName : null
  return { commonName: shown, verified: shown !== null && socket.authorized }
}
