/**
 * The server's side of TLS for one listener: who may show which certificate, and what was proved.
 *
 * A certificate is asked for and never demanded, so that a client without one, or with one of no
 * use here, gets an SMTP reply that says so instead of a broken handshake. Nothing is resumed: a
 * resumed session would bring an identity that nobody verified now (S6). The names of exactly the
 * CAs that count go into the CertificateRequest; GnuTLS, NSS and Java send nothing otherwise.
 */

import { createHash, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type tls from 'node:tls'
import { cipherBits } from '../core/names/cipher-bits.ts'
import type { ClientIdentity, TlsParameters } from '../core/names/identity.ts'
import type { HandshakeTerms } from '../core/policy/session-terms.ts'
import type { HandshakeRoom } from './handshake-room.ts'
import { TlsServers } from './tls-servers.ts'
import type { TlsGateOptions } from './tls-servers.ts'

/** What a finished handshake showed, before anybody judged it. */
export type Handshake = {
  readonly tls: TlsParameters
  /** The certificate that the client presented and proved to hold the key of, or null. */
  readonly certificate: X509Certificate | null
  /** OpenSSL's word on the chain; null if it leads to one of the listener's authorities. */
  readonly chainError: string | null
  /** SHA-256 of the SubjectPublicKeyInfo of the certificate whose key signed the presented one. */
  readonly issuerKeyFingerprint: string | null
}

export type HandshakeOutcome =
  | { readonly kind: 'done'; readonly socket: tls.TLSSocket; readonly identity: ClientIdentity }
  | { readonly kind: 'failed'; readonly failed: string }

const REMEMBERED_CERTIFICATES = 10_000

type Pending = (outcome: HandshakeOutcome) => void

export class TlsGate {
  readonly #servers: TlsServers
  readonly #room: HandshakeRoom
  readonly #identify: (handshake: Handshake) => ClientIdentity
  readonly #pending = new Map<string, Pending>()
  readonly #issuerKeys = new Map<string, string>()
  #authorities: readonly X509Certificate[]

  /** Throws if the certificate, the key or an authority cannot be used; the message says which. */
  constructor(options: TlsGateOptions, room: HandshakeRoom, identify: (handshake: Handshake) => ClientIdentity) {
    this.#room = room
    this.#identify = identify
    this.#authorities = options.clientAuthoritiesPem.map(pem => new X509Certificate(pem))
    this.#servers = new TlsServers(options, server => {
      server.on('secureConnection', socket => this.#finish(socket))
      server.on('tlsClientError', (error, socket) => this.#fail(socket, error))
    })
  }

  /** New certificates and authorities for handshakes to come; sessions that are open stay open. */
  reload(options: TlsGateOptions): void {
    const authorities = options.clientAuthoritiesPem.map(pem => new X509Certificate(pem))
    this.#servers.reload(options)
    this.#authorities = authorities
  }

  /** Ends in every case, also for a client that is gone before it begins; then the socket is closed. */
  handshake(socket: Socket, terms: HandshakeTerms): Promise<HandshakeOutcome> {
    return new Promise(resolve => {
      const key = connectionKey(socket)
      if (key === null || socket.destroyed) {
        socket.destroy()
        return resolve({ kind: 'failed', failed: 'the connection was closed before the handshake' })
      }
      let isSettled = false
      let leave = (): void => {}
      const settle: Pending = outcome => {
        if (isSettled) return
        isSettled = true
        // A client may come back from the same port before its last connection has closed here.
        if (this.#pending.get(key) === settle) this.#pending.delete(key)
        leave()
        socket.off('close', onClose)
        resolve(outcome)
      }
      const onClose = (): void => settle({ kind: 'failed', failed: 'the connection was closed during the handshake' })
      this.#pending.set(key, settle)
      socket.once('close', onClose)
      leave = this.#room.enter(why => {
        settle({ kind: 'failed', failed: why })
        socket.destroy()
      })
      try {
        this.#servers.serverFor(terms).emit('connection', socket)
      } catch (error) {
        settle({ kind: 'failed', failed: `no TLS on the terms of this client: ${error instanceof Error ? error.message : String(error)}` })
      }
    })
  }

  #finish(socket: tls.TLSSocket): void {
    const settle = this.#pendingFor(socket)
    if (settle === undefined) return void socket.destroy()
    if (socket.isSessionReused()) {
      socket.destroy()
      return settle({ kind: 'failed', failed: 'the session was resumed, and nothing is resumed here' })
    }
    try {
      settle({ kind: 'done', socket, identity: this.#identify(this.#describe(socket)) })
    } catch (error) {
      // Called by the TLS library, with what a stranger sent: a fault of ours here ends this connection only.
      socket.destroy()
      settle({ kind: 'failed', failed: `the certificate could not be judged: ${error instanceof Error ? error.message : String(error)}` })
    }
  }

  #fail(socket: tls.TLSSocket, error: Error & { readonly code?: string; readonly reason?: string }): void {
    const settle = this.#pendingFor(socket)
    socket.destroy()
    settle?.({ kind: 'failed', failed: error.reason ?? error.code ?? error.message })
  }

  /** The handshake of this connection; none if the client is gone, which closing the socket tells the handshake. */
  #pendingFor(socket: tls.TLSSocket): Pending | undefined {
    const key = connectionKey(socket)
    return key === null ? undefined : this.#pending.get(key)
  }

  #describe(socket: tls.TLSSocket): Handshake {
    const cipher = socket.getCipher()
    const certificate = socket.getPeerX509Certificate() ?? null
    return {
      tls: {
        version: socket.getProtocol() ?? 'unknown',
        cipher: cipher.standardName.startsWith('TLS_AES') ? cipher.standardName : cipher.name,
        cipherBits: cipherBits(cipher.name),
      },
      certificate,
      chainError: socket.authorized ? null : String(socket.authorizationError ?? 'not verified'),
      issuerKeyFingerprint: certificate === null ? null : this.#issuerKey(certificate),
    }
  }

  /**
   * The key that really signed the certificate: of one of our authorities, or of the chain that came
   * with it. A fact about the certificate alone, so it is worked out once for each.
   */
  #issuerKey(certificate: X509Certificate): string | null {
    const known = this.#issuerKeys.get(certificate.fingerprint256)
    if (known !== undefined) return known
    const candidates = [...this.#authorities, certificate.issuerCertificate]
    const issuer = candidates.find(candidate => candidate !== undefined && hasSigned(candidate, certificate))
    if (issuer === undefined) return null
    const spki = issuer.publicKey.export({ type: 'spki', format: 'der' })
    const fingerprint = createHash('sha256').update(spki).digest('hex')
    if (this.#issuerKeys.size >= REMEMBERED_CERTIFICATES) this.#issuerKeys.clear()
    this.#issuerKeys.set(certificate.fingerprint256, fingerprint)
    return fingerprint
  }
}

/** A stranger's chain may hold keys of kinds that nobody here can read; Node throws when such a key is asked for. */
function hasSigned(authority: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.verify(authority.publicKey)
  } catch {
    return false
  }
}

/** Both ends of a live connection, unique among those of this process; null if it is gone, and has no ends any more. */
function connectionKey({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | null {
  return remoteAddress === undefined ? null : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
