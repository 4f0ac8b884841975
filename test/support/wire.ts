/**
 * One end of an SMTP connection for tests: lines in, text out, and the socket changed for TLS midway.
 *
 * Bytes are kept as latin1 text, so that what arrived is exactly what a test compares.
 */

import type { Socket } from 'node:net'

export class Wire {
  #socket: Socket
  #unread = ''
  #gone = false
  #wake: (() => void) | null = null

  constructor(socket: Socket) {
    this.#socket = socket
    this.#listen(socket)
  }

  get socket(): Socket {
    return this.#socket
  }

  /** What has arrived and has not been read. */
  get unread(): string {
    return this.#unread
  }

  /** The next line without its end, or null when the peer is gone. */
  async line(): Promise<string | null> {
    return this.#until('\r\n')
  }

  /** The text before a terminator, which is taken too, or null when the peer went before it came. */
  async #until(terminator: string): Promise<string | null> {
    for (;;) {
      const end = this.#unread.indexOf(terminator)
      if (end >= 0) {
        const text = this.#unread.slice(0, end)
        this.#unread = this.#unread.slice(end + terminator.length)
        return text
      }
      if (this.#gone) return null
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  /** The lines up to a single dot, with the dots in front removed (RFC 5321 §4.5.2). */
  async dottedText(): Promise<string | null> {
    let text = ''
    for (let line = await this.line(); line !== '.'; line = await this.line()) {
      if (line === null) return null
      text += `${line.startsWith('.') ? line.slice(1) : line}\r\n`
    }
    return text
  }

  /** So many octets, or null when the peer went before they came. */
  async octets(count: number): Promise<string | null> {
    while (this.#unread.length < count) {
      if (this.#gone) return null
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
    const octets = this.#unread.slice(0, count)
    this.#unread = this.#unread.slice(count)
    return octets
  }

  /** Resolves when the other side has closed the connection. What it still sent can be read after. */
  async gone(): Promise<void> {
    while (!this.#gone) await new Promise<void>(resolve => (this.#wake = resolve))
  }

  write(text: string): void {
    if (!this.#gone && this.#socket.writable) this.#socket.write(text, 'latin1')
  }

  /** Stops reading, so that the socket can be given to TLS. Returns the plain socket. */
  release(): Socket {
    this.#socket.removeAllListeners('data')
    this.#socket.pause()
    return this.#socket
  }

  /** Goes on with another socket, the encrypted one. */
  change(socket: Socket): void {
    this.#socket = socket
    this.#listen(socket)
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #listen(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => {
      this.#unread += bytes.toString('latin1')
      this.#awake()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#gone = true
      this.#awake()
    })
    socket.on('end', () => socket.end())
    socket.resume()
  }

  #awake(): void {
    this.#wake?.()
    this.#wake = null
  }
}
