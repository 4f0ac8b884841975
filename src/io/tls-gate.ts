/**
 * The server's side of TLS for one listener: who may show which certificate, and what was proved.
 *
 * A certificate is asked for and never demanded, so that a client without one, or with one of no
 * use here, gets an SMTP reply that says so instead of a broken handshake. Nothing is resumed: a
 * resumed session would bring an identity that nobody verified now (S6). The names of exactly the
 * CAs that count go into the CertificateRequest; GnuTLS, NSS and Java send nothing otherwise.
 */

import { constants, createHash, randomBytes, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import tls from 'node:tls'
import type { ClientIdentity, TlsParameters } from '../core/names/identity.ts'

export type TlsGateOptions = {
  /** Our chain, leaf first, and its key. */
  readonly certificatePem: string
  readonly keyPem: string
  /** The CAs whose certificates count on this listener; never the system's. */
  readonly clientAuthoritiesPem: readonly string[]
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  /** Take the CBC suites of TLS 1.2 too, after all others. */
  readonly oldCiphers: boolean
  readonly handshakeTimeoutSeconds: number
}

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
  readonly #server: tls.Server
  readonly #identify: (handshake: Handshake) => ClientIdentity
  readonly #pending = new Map<string, Pending>()
  readonly #issuerKeys = new Map<string, string>()
  #authorities: readonly X509Certificate[]

  /** Throws if the certificate, the key or an authority cannot be used; the message says which. */
  constructor(options: TlsGateOptions, identify: (handshake: Handshake) => ClientIdentity) {
    this.#identify = identify
    this.#authorities = options.clientAuthoritiesPem.map(pem => new X509Certificate(pem))
    this.#server = tls.createServer({
      ...contextOptions(options),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: options.handshakeTimeoutSeconds * 1000,
    })
    this.#server.on('secureConnection', socket => this.#finish(socket))
    this.#server.on('tlsClientError', (error, socket) => this.#fail(socket, error))
  }

  /** New certificates and authorities for handshakes to come; sessions that are open stay open. */
  reload(options: TlsGateOptions): void {
    const authorities = options.clientAuthoritiesPem.map(pem => new X509Certificate(pem))
    this.#server.setSecureContext(contextOptions(options))
    this.#authorities = authorities
  }

  handshake(socket: Socket): Promise<HandshakeOutcome> {
    return new Promise(resolve => {
      const key = connectionKey(socket)
      const settle: Pending = outcome => {
        if (!this.#pending.delete(key)) return
        socket.off('close', onClose)
        resolve(outcome)
      }
      const onClose = (): void => settle({ kind: 'failed', failed: 'the connection was closed during the handshake' })
      if (socket.destroyed) return resolve({ kind: 'failed', failed: 'the connection was closed before the handshake' })
      this.#pending.set(key, settle)
      socket.once('close', onClose)
      this.#server.emit('connection', socket)
    })
  }

  #finish(socket: tls.TLSSocket): void {
    const settle = this.#pending.get(connectionKey(socket))
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
    const settle = this.#pending.get(connectionKey(socket))
    socket.destroy()
    settle?.({ kind: 'failed', failed: error.reason ?? error.code ?? error.message })
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

/** Forward secrecy and authenticated encryption, for servers with either kind of key (RFC 9325 §4.2). */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  ...withEitherKey('AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'),
]
/** What is left for a client that knows nothing newer, and would send in the clear without it. */
const OLD_CIPHERS = withEitherKey('AES128-SHA256', 'AES256-SHA384', 'AES128-SHA', 'AES256-SHA')

function withEitherKey(...suites: readonly string[]): readonly string[] {
  return suites.flatMap(suite => [`ECDHE-ECDSA-${suite}`, `ECDHE-RSA-${suite}`])
}

function contextOptions(options: TlsGateOptions): tls.SecureContextOptions & { sessionIdContext: string } {
  return {
    cert: options.certificatePem,
    key: options.keyPem,
    ca: [...options.clientAuthoritiesPem],
    minVersion: options.minVersion,
    ciphers: [...CIPHERS, ...(options.oldCiphers ? OLD_CIPHERS : [])].join(':'),
    honorCipherOrder: true,
    // No tickets, no session cache, and a context that no other listener shares (S6).
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: randomBytes(16).toString('hex'),
  }
}

/** Both ends of a live connection; unique among the connections of this process. */
function connectionKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`
}

function cipherBits(name: string): number {
  return /256|CHACHA20/.test(name) ? 256 : /168|3DES|DES-CBC3/.test(name) ? 112 : 128
}
