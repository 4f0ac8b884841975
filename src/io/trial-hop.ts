/**
 * A next hop for trying things out: keeps each message as a file and sends none on.
 *
 * Loopback only, plain SMTP (RFC 5321 Appendix D.1's minimum, with PIPELINING and 8BITMIME), just
 * enough for our own delivery. It is no relay and judges nobody.
 */

import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'

export type KeptMessage = {
  readonly file: string
  readonly reversePath: string
  readonly forwardPaths: readonly string[]
  readonly sizeBytes: number
}

export type TrialHop = {
  readonly port: number
  close(): void
}

const LARGEST_MESSAGE_BYTES = 64 * 1024 * 1024
const LONGEST_LINE = 4096
const IDLE_MILLISECONDS = 300_000
const END_OF_DATA = Buffer.from('\r\n.\r\n')

/** Rejects if the port cannot be had. */
export async function startTrialHop(options: {
  readonly port: number
  readonly folder: string
  readonly onMessage: (message: KeptMessage) => void
}): Promise<TrialHop> {
  const { port, folder, onMessage } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const sockets = new Set<net.Socket>()
  const server = net.createServer(socket => {
    sockets.add(socket.once('close', () => sockets.delete(socket)))
    void new TrialSession(socket, folder, onMessage).run()
  })
  server.maxConnections = 100
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const close = (): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { port: (server.address() as net.AddressInfo).port, close }
}

class TrialSession {
  readonly #socket: net.Socket
  readonly #folder: string
  readonly #onMessage: (message: KeptMessage) => void
  #unread = Buffer.alloc(0)
  #reversePath = ''
  #forwardPaths: string[] = []
  #inData = false

  constructor(socket: net.Socket, folder: string, onMessage: (message: KeptMessage) => void) {
    this.#socket = socket
    this.#folder = folder
    this.#onMessage = onMessage
  }

  async run(): Promise<void> {
    const socket = this.#socket
    socket.setTimeout(IDLE_MILLISECONDS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    this.#reply('220 localhost ESMTP messages are kept here and sent nowhere')
    try {
      for await (const chunk of socket) {
        this.#unread = Buffer.concat([this.#unread, chunk as Buffer])
        while (!socket.writableEnded && (this.#inData ? await this.#readData() : this.#readCommand()));
        if (this.#unread.length > (this.#inData ? LARGEST_MESSAGE_BYTES : LONGEST_LINE)) return void socket.destroy()
      }
    } catch {
      socket.destroy() // The peer is gone; what had no 250 it still has.
    }
  }

  /** True if there was a whole command. */
  #readCommand(): boolean {
    const end = this.#unread.indexOf('\r\n')
    if (end < 0) return false
    const line = this.#unread.toString('utf8', 0, end)
    this.#unread = this.#unread.subarray(end + 2)
    this.#command(line)
    return true
  }

  #command(line: string): void {
    const [verb = ''] = line.toUpperCase().split(' ')
    const address = /<([^>]*)>/.exec(line)?.[1] ?? ''
    switch (verb) {
      case 'EHLO':
        return this.#reply(`250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE ${LARGEST_MESSAGE_BYTES}`)
      case 'MAIL':
        this.#reversePath = address
        this.#forwardPaths = []
        return this.#reply('250 OK')
      case 'RCPT':
        this.#forwardPaths.push(address)
        return this.#reply('250 OK')
      case 'DATA':
        if (this.#forwardPaths.length === 0) return this.#reply('503 Send RCPT first')
        this.#inData = true
        // What follows is looked at with the line end before it, so that an empty message ends too.
        this.#unread = Buffer.concat([Buffer.from('\r\n'), this.#unread])
        return this.#reply('354 Go ahead')
      case 'HELO':
      case 'RSET':
      case 'NOOP':
        this.#forwardPaths = []
        return this.#reply('250 OK')
      case 'QUIT':
        this.#reply('221 Bye')
        return void this.#socket.end()
      default:
        return this.#reply('500 Not here')
    }
  }

  /** True if there was a whole message. RFC 5321 §4.5.2: a dot at the start of a line was doubled. */
  async #readData(): Promise<boolean> {
    const end = this.#unread.indexOf(END_OF_DATA)
    if (end < 0) return false
    const text = this.#unread.toString('latin1', 0, end + 2).replaceAll('\r\n.', '\r\n').slice(2)
    this.#unread = this.#unread.subarray(end + END_OF_DATA.length)
    this.#inData = false
    const file = path.join(this.#folder, `${new Date().toISOString().replaceAll(/[-:]|\..*/g, '')}-${randomBytes(3).toString('hex')}.eml`)
    const content = Buffer.from(text, 'latin1')
    // Whole or not there; on stable storage when the system likes. These are tries, not mail.
    await writeFile(`${file}.part`, content, { mode: 0o600 })
    await rename(`${file}.part`, file)
    this.#onMessage({ file, reversePath: this.#reversePath, forwardPaths: this.#forwardPaths, sizeBytes: content.length })
    this.#reply(`250 Kept as ${path.basename(file)}`)
    return true
  }

  #reply(text: string): void {
    this.#socket.write(`${text}\r\n`)
  }
}
