/** Plays a generated session with Sendmail by SMTP, up to the first refusal or the end of a message. */

import { connect } from 'node:net'
import type { Socket } from 'node:net'
import tls from 'node:tls'
import type { RelayAnswer } from '../../vectors/access-relay.ts'
import type { Shown } from './certificates.ts'
import type { GeneratedSession } from './generate.ts'
import { SERVER } from './reference.ts'
import type { Reference } from './reference.ts'

export type Played = RelayAnswer & { readonly text: string }

type Reply = { readonly code: number; readonly enhanced: string; readonly text: string }

export async function play(session: GeneratedSession, shown: Shown | null, reference: Reference): Promise<Played> {
  let connection = Connection.open(session.host.address)
  try {
    const greeting = await connection.reply()
    if (greeting.code !== 220) return refused('connect', greeting)
    await connection.ask('EHLO client.example')
    if (shown !== null) {
      const refusal = await connection.ask('STARTTLS')
      if (refusal.code !== 220) return refused('starttls', refusal)
      connection = await connection.startTls(shown, session.cipherBits)
      await connection.ask('EHLO client.example')
      // Where this is refused for what came before, so is MAIL.
      if (session.authenticates) await connection.ask('AUTH EXTERNAL =')
    }
    const sender = await connection.ask(`MAIL FROM:${session.mailFrom}`)
    if (sender.code !== 250) return refused('mail', sender)
    const recipient = await connection.ask(`RCPT TO:${session.rcptTo}`)
    if (recipient.code !== 250) return refused('rcpt', recipient)
    return { action: await sendMessage(connection, reference), step: 'rcpt', ...recipient }
  } finally {
    connection.end()
  }
}

async function sendMessage(connection: Connection, reference: Reference): Promise<string> {
  const go = await connection.ask('DATA')
  if (go.code !== 354) throw new Error(`DATA: ${go.code} ${go.text}`)
  const done = await connection.ask('Subject: differential\r\n\r\n.')
  const [, queueId] = /(\S+) Message accepted/.exec(done.text) ?? []
  if (queueId === undefined) throw new Error(`end of DATA: ${done.code} ${done.text}`)
  return reference.fateOf(queueId)
}

function refused(step: RelayAnswer['step'], reply: Reply): Played {
  return { action: reply.code < 500 ? 'tempfail' : 'reject', step, ...reply }
}

class Connection {
  readonly #socket: Socket
  #received = ''
  #ended: string | null = null
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    const ended = (why: string) => (): void => {
      this.#ended ??= why
      this.#wake()
    }
    socket.setEncoding('latin1')
    socket.setTimeout(LONGEST_WAIT_MS, ended('no reply in time'))
    socket.on('error', error => ended(String(error))()).on('close', ended('connection closed'))
    socket.on('data', (text: string) => {
      this.#received += text
      this.#wake()
    })
  }

  static open(address: string): Connection {
    const isIpv6 = address.startsWith('IPv6:')
    const localAddress = address.replace('IPv6:', '')
    return new Connection(connect({ host: isIpv6 ? SERVER.ipv6 : SERVER.ipv4, port: SERVER.port, localAddress }))
  }

  async ask(command: string): Promise<Reply> {
    this.#socket.write(`${command}\r\n`)
    return this.reply()
  }

  async reply(): Promise<Reply> {
    for (;;) {
      const [whole, code, enhanced, text = ''] = LAST_LINE.exec(this.#received) ?? []
      if (whole !== undefined) {
        this.#received = this.#received.slice(this.#received.indexOf(whole) + whole.length)
        return { code: Number(code), enhanced: enhanced ?? '', text }
      }
      if (this.#ended !== null) throw new Error(`${this.#ended} after ${JSON.stringify(this.#received)}`)
      await new Promise<void>(wake => (this.#wake = wake))
    }
  }

  async startTls({ certificate }: Shown, cipherBits: 128 | 256): Promise<Connection> {
    this.#socket.removeAllListeners()
    this.#socket.on('error', () => {})
    // Sendmail judges a certificate by itself, whatever a client thinks of the server's.
    const socket = tls.connect({
      socket: this.#socket,
      rejectUnauthorized: false,
      ciphers: cipherBits === 128 ? 'TLS_AES_128_GCM_SHA256' : 'TLS_AES_256_GCM_SHA384',
      minVersion: 'TLSv1.3',
      ...(certificate === null ? {} : { cert: certificate.pem, key: certificate.keyPem }),
    })
    const connection = new Connection(socket)
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    return connection
  }

  end(): void {
    this.#socket.end('QUIT\r\n')
    this.#socket.destroySoon()
  }
}

const LONGEST_WAIT_MS = 20_000

/** The last line of a reply, its enhanced status apart. */
const LAST_LINE = /^(\d{3})(?: (?:([245]\.\d+\.\d+) )?(.*))?\r\n/m
