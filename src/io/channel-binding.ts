/** What ties a SASL exchange to one TLS connection, so that nobody can pass it on to another. */

import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { BindingType } from '../core/sasl/script.ts'

/** Null where the connection has none that is safe: the exporter needs TLS 1.3 (RFC 9266 §4.2). */
export function channelBindingOf(socket: TLSSocket, type: BindingType): Uint8Array | null {
  if (type === 'tls-server-end-point') return endPoint(socket)
  return socket.getProtocol() === 'TLSv1.3' ? socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)) : null
}

/** RFC 5929 §4.1: our certificate under the hash of its own signature, and SHA-256 in place of weaker ones. */
function endPoint(socket: TLSSocket): Uint8Array | null {
  const certificate = socket.getX509Certificate()
  if (certificate === undefined) return null
  const [, hash = null] = /sha-?(224|256|384|512)/i.exec(certificate.signatureAlgorithm ?? '') ?? []
  if (hash === null && !/sha-?1|md5/i.test(certificate.signatureAlgorithm ?? '')) return null
  return createHash(`sha${hash ?? '256'}`).update(certificate.raw).digest()
}
