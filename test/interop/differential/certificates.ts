/**
 * The certificates that clients of the generated sessions show.
 *
 * Who somebody is with one of them, the policy learns from a handshake with our own side of TLS;
 * Sendmail makes up its mind by itself.
 */

import type { ClientIdentity } from '../../../src/core/names/identity.ts'
import { certificateAuthority, makeCertificate, makeName, purposes, simpleName } from '../../support/certificate-maker.ts'
import type { MadeCertificate } from '../../support/certificate-maker.ts'
import { CLIENT_AUTH, SERVER_AUTH, identityAfterHandshake } from '../../support/handshakes.ts'
import { HOSTNAME } from './world.ts'

export type Shown = {
  /** In a report. */
  readonly name: string
  readonly certificate: MadeCertificate | null
  readonly identity: ClientIdentity
}

const O = '2.5.4.10'
const CN = '2.5.4.3'
const UTF8 = 0x0c
const DAY = 86_400_000

export type Certificates = { readonly authorities: readonly MadeCertificate[]; readonly server: MadeCertificate; readonly shown: readonly Shown[] }

export async function makeCertificates(): Promise<Certificates> {
  const authority = (...name: readonly (readonly [string, string])[]): MadeCertificate =>
    makeCertificate({ subject: simpleName(...name), extensions: certificateAuthority() })
  const [main, second] = [authority([O, 'Foo Enterprises'], [CN, 'Jason Heiss']), authority([O, 'A/B'], [CN, 'Second+CA'])]
  const [unknown, lookalike] = [authority([CN, 'Unknown CA']), authority([O, 'Foo Enterprises'], [CN, 'Jason Heiss'])]
  const client = (issuer: MadeCertificate, subject: Uint8Array, more: { notAfter?: number; use?: string } = {}): MadeCertificate =>
    makeCertificate({ subject, issuer, extensions: [purposes(more.use ?? CLIENT_AUTH)], ...(more.notAfter === undefined ? {} : { notAfter: more.notAfter }) })
  const text = (type: string, value: string): { type: string; tag: number; value: Uint8Array } => ({ type, tag: UTF8, value: Buffer.from(value) })
  const joe = simpleName([O, 'Foo Enterprises'], [CN, 'Joe User'])
  const made: Readonly<Record<string, MadeCertificate | null>> = {
    'no certificate': null,
    joe: client(main, joe),
    'named as its host': client(main, simpleName([CN, 'host.friend.example'])),
    'odd characters': client(main, simpleName([O, 'A/B'], [CN, 'Zo\u00eb (x) <y> "z"'])),
    'written like the one before': client(main, simpleName([O, 'A/B'], [CN, 'Zo\\xC3\\xAB (x) <y> "z"'])),
    'two values in one RDN': client(second, makeName([[text(O, 'Unit'), text(CN, 'joe')]])),
    'of the second authority': client(second, simpleName([CN, 'joe+cert@ok.example'])),
    'of an unknown authority': client(unknown, joe),
    'of a lookalike': client(lookalike, joe),
    expired: client(main, joe, { notAfter: Date.now() - DAY / 2 }),
    'for servers only': client(main, joe, { use: SERVER_AUTH }),
  }
  const trust = { own: [], foreign: [main, second], index: { live: new Map(), revoked: new Map() } }
  const shown: Shown[] = []
  for (const [name, certificate] of Object.entries(made)) {
    const identity = await identityAfterHandshake(trust, certificate === null ? null : { certificate }, 'TLSv1.3')
    if (typeof identity === 'string') throw new Error(`${name}: ${identity}`)
    shown.push({ name, certificate, identity })
  }
  const server = makeCertificate({ subject: simpleName([CN, HOSTNAME]), issuer: main, extensions: [purposes(SERVER_AUTH)] })
  return { authorities: [main, second], server, shown }
}
