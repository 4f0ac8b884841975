/**
 * A connection from a client: bytes with back-pressure, and the change to TLS.
 *
 * Before STARTTLS the plain socket is emptied into the session, which refuses bytes behind the
 * command; whatever comes later goes to the TLS layer, where it is a handshake or an error. So no
 * byte that was sent in the clear can be read as if it had come through TLS (S3).
 */

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { setImmediate as immediate } from 'node:timers/promises'
import type { ClientIdentity } from '../core/names/identity.ts'
import type { BindingType } from '../core/sasl/script.ts'
import type { ProxiedClient } from '../core/peers/proxy-header.ts'
import type { HandshakeTerms } from '../core/policy/session-terms.ts'
import type { ServerChannel } from '../relay/ports.ts'
import { channelBindingOf } from './channel-binding.ts'
import type { TlsGate } from './tls-gate.ts'

/** Bytes that may wait here before the socket is told to stop, and pieces: one that holds an octet takes up hundreds (S18). */
const HIGH_WATER_BYTES = 64 * 1024
const HIGH_WATER_CHUNKS = 64

/** How long written bytes may take to leave after `close` before the socket is cut. */
const LINGER_MILLISECONDS = 5_000

export class SocketChannel implements ServerChannel {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly proxyAddress: string | null
  readonly #gate: TlsGate | null
  #socket: Socket
  #chunks: Uint8Array[] = []
  #waitingBytes = 0
  /** The client says no more. It may still listen: some end their half as soon as they have sent QUIT. */
  #ended = false
  #closed = false
  #woken = false
  #reader: ((read: Uint8Array | null | 'woken') => void) | null = null
  #writer: (() => void) | null = null

  /** `address` is of whoever opened the connection; `client`, for whom that is a proxy, or null. */
  constructor(socket: Socket, gate: TlsGate | null, address: string, client: ProxiedClient | null) {
    this.remoteAddress = client?.address ?? address
    this.remotePort = client?.port ?? socket.remotePort ?? 0
    this.proxyAddress = client === null ? null : address
    this.#gate = gate
    this.#socket = socket
    socket.setNoDelay(true)
    this.#attach(socket)
  }

  read(): Promise<Uint8Array | null | 'woken'> | Uint8Array {
    if (this.#woken) {
      this.#woken = false
      return Promise.resolve('woken')
    }
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#waitingBytes -= chunk.length
      if (this.#waitingBytes === 0 && this.#socket.isPaused()) this.#socket.resume()
      return chunk
    }
    if (this.#ended) return Promise.resolve(null)
    return new Promise(resolve => {
      this.#reader = resolve
    })
  }

  async standBack(): Promise<void> {
    await immediate()
  }

  wake(): void {
    if (this.#reader === null) this.#woken = true
    else this.#answer('woken')
  }

  /** What came with the connection is read in the second turn of the event loop from now. */
  async early(milliseconds: number): Promise<Uint8Array | null> {
    await immediate()
    await immediate()
    const isQuiet = this.#chunks.length === 0 && !this.#ended && !this.#woken
    if (isQuiet && milliseconds > 0) await this.#anythingWithin(milliseconds)
    const chunk = this.#chunks.shift() ?? null
    this.#waitingBytes -= chunk?.length ?? 0
    return chunk
  }

  write(bytes: Uint8Array | string): Promise<void> | void {
    if (this.#closed || this.#socket.destroyed) return
    if (this.#socket.write(bytes)) return
    return new Promise(resolve => {
      this.#writer = resolve
    })
  }

  close(): void {
    const socket = this.#socket
    this.#onClose()
    if (socket.destroyed) return
    socket.end()
    // A peer that never reads what we wrote must not keep the socket.
    const timer = setTimeout(() => socket.destroy(), LINGER_MILLISECONDS)
    timer.unref()
    socket.once('close', () => clearTimeout(timer))
    socket.resume()
  }

  async startTls(terms: HandshakeTerms): Promise<ClientIdentity | { readonly kind: 'failed'; readonly failed: string }> {
    if (this.#gate === null) return { kind: 'failed', failed: 'no TLS on this listener' }
    if (this.#chunks.length > 0) return { kind: 'failed', failed: 'bytes in the clear before the handshake' }
    const plain = this.#socket
    this.#detach(plain)
    const outcome = await this.#gate.handshake(plain, terms)
    if (outcome.kind === 'failed') {
      this.#onClose()
      plain.destroy()
      return outcome
    }
    this.#socket = outcome.socket
    this.#attach(outcome.socket)
    return outcome.identity
  }

  #anythingWithin(milliseconds: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        this.#reader = null
        resolve()
      }, milliseconds)
      this.#reader = read => {
        clearTimeout(timer)
        if (read === 'woken') this.#woken = true
        else if (read !== null) this.#keep(read)
        resolve()
      }
    })
  }

  channelBinding(type: BindingType): Uint8Array | null {
    return this.#socket instanceof TLSSocket ? channelBindingOf(this.#socket, type) : null
  }

  #attach(socket: Socket): void {
    // Otherwise Node would end our half with the client's, and with it the replies that it waits for.
    socket.allowHalfOpen = true
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onClose)
    socket.on('drain', this.#onDrain)
    // The 'close' that follows every error is what matters here.
    socket.on('error', ignore)
  }

  /** Stops reading. The 'error' listener stays: a socket without one takes the process down. */
  #detach(socket: Socket): void {
    socket.pause()
    socket.allowHalfOpen = false
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.off('close', this.#onClose)
    socket.off('drain', this.#onDrain)
  }

  #onData = (chunk: Uint8Array): void => {
    if (this.#reader !== null) return this.#answer(chunk)
    this.#keep(chunk)
  }

  #keep(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes >= HIGH_WATER_BYTES || this.#chunks.length >= HIGH_WATER_CHUNKS) this.#socket.pause()
  }

  #onEnd = (): void => {
    this.#ended = true
    if (this.#reader !== null) this.#answer(null)
  }

  #onClose = (): void => {
    this.#closed = true
    this.#onEnd()
    this.#onDrain()
  }

  #onDrain = (): void => {
    const writer = this.#writer
    this.#writer = null
    writer?.()
  }

  #answer(read: Uint8Array | null | 'woken'): void {
    const reader = this.#reader
    this.#reader = null
    reader?.(read)
  }
}

/** `::ffff:192.0.2.7` is 192.0.2.7: policy and limits must see one address for one client (S20). */
export function peerAddress({ remoteAddress = '' }: Socket): string {
  const zoneless = remoteAddress.split('%')[0] ?? ''
  return zoneless.toLowerCase().startsWith('::ffff:') && zoneless.includes('.') ? zoneless.slice(7) : zoneless
}

function ignore(): void {}
