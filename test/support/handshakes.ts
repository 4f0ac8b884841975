/**
 * Real handshakes with the server's side of TLS, over loopback: what identity does a client get?
 */

import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import tls from 'node:tls'
import { identify } from '../../src/core/names/identify.ts'
import type { CertificateLookup, TrustedAuthority } from '../../src/core/names/identify.ts'
import type { ClientIdentity } from '../../src/core/names/identity.ts'
import { USUAL_TERMS } from '../../src/core/policy/session-terms.ts'
import { HandshakeRoom } from '../../src/io/handshake-room.ts'
import { TlsGate, type Handshake } from '../../src/io/tls-gate.ts'
import { authorityOf, readPresented } from '../../src/io/x509.ts'
import { certificateAuthority, makeCertificate, purposes, simpleName } from './certificate-maker.ts'
import type { MadeCertificate } from './certificate-maker.ts'

export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const
export type TlsVersion = (typeof TLS_VERSIONS)[number]

export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

/** Whose certificates count. */
export type Trust = {
  readonly own: readonly MadeCertificate[]
  readonly foreign: readonly MadeCertificate[]
  readonly index: CertificateLookup
}

/** What a client shows: its certificate, whatever chain it likes to send, and its key. */
export type Shown = { readonly certificate: MadeCertificate; readonly chain?: readonly MadeCertificate[] }

const serverAuthority = makeCertificate({ subject: simpleName(['2.5.4.3', 'Server CA']), extensions: certificateAuthority() })
const server = makeCertificate({ subject: simpleName(['2.5.4.3', 'mx.example.test']), issuer: serverAuthority, extensions: [purposes(SERVER_AUTH)] })

/** The identity that a client has after a handshake; or why there was none. */
export async function identityAfterHandshake(trust: Trust, shown: Shown | null, version: TlsVersion): Promise<ClientIdentity | string> {
  const authorities: readonly TrustedAuthority[] = [
    ...trust.own.map(({ pem }) => authorityOf(pem, 'own')),
    ...trust.foreign.map(({ pem }) => authorityOf(pem, 'foreign')),
  ]
  const gate = makeGate([...trust.own, ...trust.foreign], new HandshakeRoom(10), handshake => {
    const presented = handshake.certificate === null ? null : readPresented(handshake.certificate)
    const { chainError, issuerKeyFingerprint } = handshake
    return identify({ tls: handshake.tls, presented, chainVerified: chainError === null, chainError, issuerKeyFingerprint }, authorities, trust.index, Date.now())
  })
  const listener = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  try {
    const accepted = once(listener, 'connection') as Promise<[Socket]>
    const client = connect((listener.address() as AddressInfo).port, shown, version)
    const [socket] = await accepted
    const outcome = await gate.handshake(socket, USUAL_TERMS.handshake)
    client.destroy()
    socket.destroy()
    return outcome.kind === 'done' ? outcome.identity : outcome.failed
  } finally {
    listener.close()
  }
}

/** The server's side, with a certificate for mx.example.test. */
export function makeGate(clientAuthorities: readonly MadeCertificate[], room: HandshakeRoom, identify: (handshake: Handshake) => ClientIdentity): TlsGate {
  const options = {
    certificatePem: server.pem,
    keyPem: server.keyPem,
    clientAuthoritiesPem: clientAuthorities.map(({ pem }) => pem),
    minVersion: 'TLSv1.2',
    oldCiphers: false,
    handshakeTimeoutSeconds: 20,
  } as const
  return new TlsGate(options, room, identify)
}

function connect(port: number, shown: Shown | null, version: TlsVersion): tls.TLSSocket {
  const client = tls.connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    // What a client of our own would refuse to show, another one may.
    ciphers: 'DEFAULT@SECLEVEL=0',
    ...(shown === null ? {} : { cert: [shown.certificate, ...(shown.chain ?? [])].map(({ pem }) => pem).join(''), key: shown.certificate.keyPem }),
  })
  client.on('error', () => {})
  return client
}
