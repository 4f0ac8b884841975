/**
 * A plain SMTP client for tests that must decide each step: which session to resume, which
 * certificate to show, when to vanish.
 */

import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { Wire } from './wire.ts'

export type SmtpReply = {
  readonly code: number
  /** Its lines, joined by LF, without the codes. */
  readonly text: string
}

/** What a reply reads when the server closed the connection without one. */
const GONE: SmtpReply = { code: 0, text: '(connection closed)' }

/** What `postern explain` takes; '' where the reply has none. */
export function idIn({ text }: SmtpReply): string {
  return /\(id (\S+)\)$/.exec(text)?.[1] ?? ''
}

/** The same but for the id, which is another each time. */
export function withoutId({ code, text }: SmtpReply): SmtpReply {
  return { code, text: text.replace(/ \(id \S+\)$/, '') }
}

export class SmtpClient {
  readonly #wire: Wire
  readonly #port: number
  #secure: TLSSocket | null = null
  /** The latest session the server offered for resumption, or null. */
  session: Buffer | null = null

  private constructor(wire: Wire, port: number) {
    this.#wire = wire
    this.#port = port
  }

  /** Connects to a UNIX socket. The greeting is not read yet. */
  static async connectLocally(path: string): Promise<SmtpClient> {
    const socket = connectTcp({ path })
    await once(socket, 'connect')
    return new SmtpClient(new Wire(socket), 0)
  }

  /** Connects to 127.0.0.1, by default from there; with `tls`, over implicit TLS. The greeting is not read yet. */
  static async connect(port: number, tls?: ConnectionOptions, from?: string): Promise<SmtpClient> {
    const socket = connectTcp({ port, host: '127.0.0.1', ...(from === undefined ? {} : { localAddress: from }) })
    await once(socket, 'connect')
    const client = new SmtpClient(new Wire(socket), port)
    if (tls !== undefined) await client.secureWith(tls)
    return client
  }

  get secure(): TLSSocket {
    if (this.#secure === null) throw new Error('this connection has no TLS')
    return this.#secure
  }

  async reply(): Promise<SmtpReply> {
    const lines: string[] = []
    for (;;) {
      const line = await this.#wire.line()
      if (line === null) return GONE
      lines.push(line.slice(4))
      if (line[3] !== '-') return { code: Number(line.slice(0, 3)), text: lines.join('\n') }
    }
  }

  /** Reads the greeting and says EHLO. */
  async greet(): Promise<SmtpReply> {
    const greeting = await this.reply()
    return greeting.code === 220 ? this.command('EHLO laptop.example.test') : greeting
  }

  async command(line: string): Promise<SmtpReply> {
    this.#wire.write(`${line}\r\n`)
    return this.reply()
  }

  send(text: string): void {
    this.#wire.write(text)
  }

  async startTls(options: ConnectionOptions): Promise<void> {
    const ready = await this.command('STARTTLS')
    if (ready.code !== 220) throw new Error(`STARTTLS: ${ready.code} ${ready.text}`)
    await this.secureWith(options)
  }

  /** MAIL, RCPT and DATA in turn; the first reply that stops it, or the last one. `text` ends with CRLF. */
  async deliver(message: { readonly from: string; readonly to: string; readonly text: string }): Promise<SmtpReply> {
    const mail = await this.command(`MAIL FROM:<${message.from}>`)
    if (mail.code !== 250) return mail
    const rcpt = await this.command(`RCPT TO:<${message.to}>`)
    if (rcpt.code !== 250) return rcpt
    const data = await this.command('DATA')
    if (data.code !== 354) return data
    return this.command(`${message.text.replaceAll(/^\./gm, '..')}.`)
  }

  async quit(): Promise<void> {
    await this.command('QUIT')
    this.#wire.destroy()
  }

  /** Waits until the server has closed the connection. */
  async closed(): Promise<void> {
    await this.#wire.gone()
  }

  destroy(): void {
    this.#wire.destroy()
  }

  /** The handshake alone, once the server is ready for it. */
  async secureWith(options: ConnectionOptions): Promise<void> {
    const socket = this.#wire.release()
    // TLS over a connection that is gone already would wait for ever: nothing more happens to it.
    if (socket.destroyed) throw new Error('the connection was closed before its handshake')
    const secure = connectTls({ socket, servername: 'localhost', port: this.#port, ...options })
    secure.on('session', session => (this.session = session))
    try {
      await once(secure, 'secureConnect')
    } catch (error) {
      this.#wire.destroy()
      throw error
    }
    this.session ??= secure.getSession() ?? null
    this.#secure = secure
    this.#wire.change(secure)
  }
}
