/**
 * Connections to other servers: TCP out, and the change to TLS as a client.
 *
 * The certificate of the server is judged here and only reported: what it must prove is the next
 * hop's terms (client-session.ts). No session is resumed, so each connection proves anew who is there.
 */

import type { X509Certificate } from 'node:crypto'
import net from 'node:net'
import tls from 'node:tls'
import { cipherBits } from '../core/names/cipher-bits.ts'
import { socketErrorInWords } from './socket-errors.ts'
import { createClientContext } from './tls-client-context.ts'
import { readPresented } from './x509.ts'
import type { ClientChannel, ClientTls, Dialer, ServerIdentity } from '../relay/ports.ts'

/** Bytes that may wait here before the socket is told to stop, and pieces, as in channel.ts. */
const HIGH_WATER_BYTES = 64 * 1024
const HIGH_WATER_CHUNKS = 64
/** How long written bytes may take to leave after `close` before the socket is cut. */
const LINGER_MILLISECONDS = 2_000

export const dialer: Dialer = {
  connect({ address, port, timeoutSeconds }) {
    // Names are the host finder's business; a name here would be looked up behind its back.
    if (net.isIP(address) === 0) return Promise.resolve({ failed: `"${address}" is no address` })
    return new Promise(resolve => {
      const socket = net.connect({ host: address, port, noDelay: true })
      const fail = (failed: string): void => {
        clearTimeout(timer)
        socket.destroy()
        resolve({ failed })
      }
      const timer = setTimeout(() => fail(`no answer within ${timeoutSeconds} s`), timeoutSeconds * 1000)
      const onError = (error: NodeJS.ErrnoException): void => fail(socketErrorInWords(error))
      socket.once('error', onError)
      socket.once('connect', () => {
        clearTimeout(timer)
        const channel = new SocketClientChannel(socket)
        socket.off('error', onError)
        resolve(channel)
      })
    })
  },
}

class SocketClientChannel implements ClientChannel {
  #socket: net.Socket
  #chunks: Uint8Array[] = []
  #waitingBytes = 0
  #lost: string | null = null
  #reader: ((bytes: Uint8Array | null) => void) | null = null
  #writer: (() => void) | null = null
  #deadlineAt = Infinity

  constructor(socket: net.Socket) {
    this.#socket = socket
    this.#attach(socket)
    deadlines.watch(this)
  }

  read(): Promise<Uint8Array | null> {
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#waitingBytes -= chunk.length
      if (this.#waitingBytes === 0 && this.#socket.isPaused()) this.#socket.resume()
      return Promise.resolve(chunk)
    }
    if (this.#lost !== null) return Promise.resolve(null)
    return new Promise(resolve => {
      this.#reader = resolve
    })
  }

  write(bytes: Uint8Array | string): Promise<void> {
    if (this.#lost !== null || this.#socket.write(bytes)) return Promise.resolve()
    return new Promise(resolve => {
      this.#writer = resolve
    })
  }

  hasUnread(): boolean {
    return this.#chunks.length > 0
  }

  setDeadline(seconds: number): void {
    this.#deadlineAt = performance.now() + seconds * 1000
  }

  lostBecause(): string {
    return this.#lost ?? 'it is still there'
  }

  close(): void {
    this.#end('closed by us')
    const socket = this.#socket
    if (socket.destroyed) return
    socket.end()
    // A server that never takes what we wrote must not keep the socket.
    const timer = setTimeout(() => socket.destroy(), LINGER_MILLISECONDS)
    socket.once('close', () => clearTimeout(timer))
    socket.resume()
  }

  /** Called about once a second. */
  checkDeadline(now: number): void {
    if (now < this.#deadlineAt) return
    this.#end('it was silent for too long')
    this.#socket.destroy()
  }

  startTls(request: ClientTls): Promise<ServerIdentity | { readonly failed: string }> {
    const plain = this.#socket
    this.#detach(plain)
    return new Promise(resolve => {
      let settled = false
      const settle = (outcome: ServerIdentity | { readonly failed: string }): void => {
        if (settled) return
        settled = true
        resolve(outcome)
      }
      const failed = (why: string): void => {
        this.#end(why)
        plain.destroy()
        settle({ failed: why })
      }
      if (this.#lost !== null) return failed(this.#lost)
      const connecting = beginTls(plain, request)
      if ('failed' in connecting) return failed(connecting.failed)
      connecting.on('error', error => failed(socketErrorInWords(error)))
      connecting.once('close', () => failed(this.#lost ?? 'the server closed the connection during the handshake'))
      connecting.once('secureConnect', () => {
        this.#socket = connecting
        this.#attach(connecting)
        settle(describe(connecting, request.serverName))
      })
    })
  }

  #attach(socket: net.Socket): void {
    socket.on('data', this.#onData)
    socket.on('drain', this.#onDrain)
    socket.on('error', this.#onError)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onEnd)
  }

  /** Stops reading. The 'error' listener stays: a socket without one takes the process down. */
  #detach(socket: net.Socket): void {
    socket.pause()
    socket.off('data', this.#onData)
    socket.off('drain', this.#onDrain)
    socket.off('end', this.#onEnd)
    socket.off('close', this.#onEnd)
  }

  #onData = (chunk: Uint8Array): void => {
    const reader = this.#reader
    if (reader !== null) {
      this.#reader = null
      return reader(chunk)
    }
    // What comes after the end is for nobody.
    if (this.#lost !== null) return
    this.#chunks.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes >= HIGH_WATER_BYTES || this.#chunks.length >= HIGH_WATER_CHUNKS) this.#socket.pause()
  }

  #onDrain = (): void => {
    const writer = this.#writer
    this.#writer = null
    writer?.()
  }

  #onError = (error: Error): void => this.#end(socketErrorInWords(error))

  #onEnd = (): void => this.#end('the server closed the connection')

  #end(why: string): void {
    this.#lost ??= why
    deadlines.forget(this)
    this.#onDrain()
    const reader = this.#reader
    this.#reader = null
    reader?.(null)
  }
}

/** One timer for all connections: deadlines are minutes, and a second more or less does not matter. */
const deadlines = {
  watched: new Set<SocketClientChannel>(),
  timer: null as NodeJS.Timeout | null,

  watch(channel: SocketClientChannel): void {
    this.watched.add(channel)
    this.timer ??= setInterval(() => this.check(), 1000).unref()
  },

  forget(channel: SocketClientChannel): void {
    this.watched.delete(channel)
    if (this.watched.size > 0 || this.timer === null) return
    clearInterval(this.timer)
    this.timer = null
  },

  check(): void {
    const now = performance.now()
    for (const channel of this.watched) channel.checkDeadline(now)
  },
}

function beginTls(plain: net.Socket, request: ClientTls): tls.TLSSocket | { readonly failed: string } {
  try {
    return tls.connect({
      socket: plain,
      secureContext: contexts.for(request),
      // RFC 6066 §3: an address is no server name.
      ...(net.isIP(request.serverName) === 0 ? { servername: request.serverName } : {}),
      // Judged in `describe`, for the same answer whatever the next hop's terms are.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    })
  } catch (error) {
    return { failed: `our own TLS set-up is unusable: ${socketErrorInWords(error)}` }
  }
}

/** What the finished handshake proved. */
function describe(socket: tls.TLSSocket, serverName: string): ServerIdentity {
  const cipher = socket.getCipher()
  const parameters = { version: socket.getProtocol() ?? 'unknown', cipher: cipher.name, cipherBits: cipherBits(cipher.name) }
  const certificate = socket.getPeerX509Certificate()
  const chainProblem = problemOfChain(socket, certificate)
  return {
    tls: parameters,
    certificate: certificate === undefined ? null : readPresented(certificate).certificate,
    chainProblem,
    problem: chainProblem ?? problemOfName(certificate, serverName),
  }
}

function problemOfChain(socket: tls.TLSSocket, certificate: X509Certificate | undefined): string | null {
  if (socket.isSessionReused()) return 'the session was resumed, and proves nothing'
  if (certificate === undefined) return 'it showed no certificate'
  if (!socket.authorized) return CHAIN_PROBLEMS[String(socket.authorizationError)] ?? String(socket.authorizationError)
  return null
}

function problemOfName(certificate: X509Certificate | undefined, serverName: string): string | null {
  // The subject's common name does not count (RFC 9525 §2), and a wildcard stands for a whole label (§6.3).
  const matches = net.isIP(serverName) === 0 ? certificate?.checkHost(serverName, { subject: 'never', partialWildcards: false }) : certificate?.checkIP(serverName)
  return matches === undefined ? `its certificate is for ${certificate?.subjectAltName ?? 'no name at all'}, not for ${serverName}` : null
}

const CHAIN_PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from a CA that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from a CA that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from a CA that is not trusted here',
  INVALID_PURPOSE: 'its certificate is not for servers',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from a CA that is not trusted here, or the chain is incomplete',
}

/** Contexts are expensive to make and few; the latest stay. */
const CONTEXT_LIMIT = 32

const contexts = {
  known: [] as { readonly request: ClientTls; readonly context: tls.SecureContext }[],

  for(request: ClientTls): tls.SecureContext {
    const found = this.known.find(known => sameCredentials(known.request, request))
    if (found !== undefined) return found.context
    const context = createClientContext(request)
    this.known = [{ request, context }, ...this.known.slice(0, CONTEXT_LIMIT - 1)]
    return context
  },
}

function sameCredentials(a: ClientTls, b: ClientTls): boolean {
  const sameTrust = a.trustedPem === b.trustedPem || (a.trustedPem?.join('\n') ?? null) === (b.trustedPem?.join('\n') ?? null)
  const sameSettings = a.options === b.options && a.ciphers === b.ciphers
  return sameTrust && sameSettings && a.certificatePem === b.certificatePem && a.keyPem === b.keyPem
}
