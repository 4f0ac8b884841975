/**
 * TLS servers of one listener: one for all clients, and one for each of the terms that the access map has.
 *
 * None of them listens; they are given connections. They differ in what they ask for and which ciphers
 * they take, and in nothing else.
 */

import crypto from 'node:crypto'
import tls from 'node:tls'
import { USUAL_TERMS } from '../core/policy/session-terms.ts'
import type { HandshakeTerms } from '../core/policy/session-terms.ts'
import type { TlsSettings } from '../core/policy/tls-session-settings.ts'

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

/** Different terms for which a server is kept. What goes beyond that costs a new one now and then. */
const MOST_TERMS = 64

export class TlsServers {
  readonly #prepare: (server: tls.Server) => void
  readonly #others = new Map<string, tls.Server>()
  #options: TlsGateOptions
  #usual: tls.Server

  /** Throws if the certificate or the key cannot be used. `prepare` adds listeners to each server. */
  constructor(options: TlsGateOptions, prepare: (server: tls.Server) => void) {
    this.#options = options
    this.#prepare = prepare
    this.#usual = this.#create(options, USUAL_TERMS.handshake)
  }

  /** Handshakes that have begun end with the server that they have begun with. */
  reload(options: TlsGateOptions): void {
    this.#usual = this.#create(options, USUAL_TERMS.handshake)
    this.#options = options
    this.#others.clear()
  }

  /** Throws if OpenSSL cannot read a list of ciphers. */
  serverFor(terms: HandshakeTerms): tls.Server {
    if (terms.asksForCertificate && terms.settings === null) return this.#usual
    const key = JSON.stringify(terms)
    const known = this.#others.get(key)
    if (known !== undefined) return known
    if (this.#others.size >= MOST_TERMS) this.#others.clear()
    const server = this.#create(this.#options, terms)
    this.#others.set(key, server)
    return server
  }

  #create(options: TlsGateOptions, terms: HandshakeTerms): tls.Server {
    const server = tls.createServer({
      ...contextOptions(options, terms.settings),
      requestCert: terms.asksForCertificate,
      rejectUnauthorized: false,
      handshakeTimeout: options.handshakeTimeoutSeconds * 1000,
    })
    this.#prepare(server)
    return server
  }
}

function contextOptions(options: TlsGateOptions, settings: TlsSettings | null): tls.SecureContextOptions & { sessionIdContext: string } {
  const { constants } = crypto
  const more = (settings?.options ?? []).map(name => Number(constants[name as keyof typeof constants] ?? 0))
  return {
    cert: options.certificatePem,
    key: options.keyPem,
    ca: [...options.clientAuthoritiesPem],
    minVersion: options.minVersion,
    ciphers: cipherNames(options, settings).join(':'),
    honorCipherOrder: true,
    // No tickets, no session cache, and a context that no other listener shares (S6).
    secureOptions: [constants.SSL_OP_NO_TICKET, constants.SSL_OP_NO_RENEGOTIATION, ...more].reduce((all, option) => all | option),
    sessionIdContext: crypto.randomBytes(16).toString('hex'),
  }
}

/** In OpenSSL's order of preference; those of TLS 1.3 have names that begin with `TLS_`. */
function cipherNames({ oldCiphers }: TlsGateOptions, settings: TlsSettings | null): readonly string[] {
  const older = settings?.cipherList ?? null
  return [...(settings?.cipherSuites ?? SUITES), ...(older === null ? [...CIPHERS, ...(oldCiphers ? OLD_CIPHERS : [])] : [older])]
}

/** Forward secrecy and authenticated encryption, for servers with either kind of key (RFC 9325 §4.2). */
const SUITES = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256']
const CIPHERS = withEitherKey('AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305')
/** What is left for a client that knows nothing newer, and would send in the clear without it. */
const OLD_CIPHERS = withEitherKey('AES128-SHA256', 'AES256-SHA384', 'AES128-SHA', 'AES256-SHA')

function withEitherKey(...suites: readonly string[]): readonly string[] {
  return suites.flatMap(suite => [`ECDHE-ECDSA-${suite}`, `ECDHE-RSA-${suite}`])
}
