/**
 * What every mail client of this suite can do: send one message through a server, by certificate.
 */

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateFiles } from '../support/certificates.ts'
import type { Finished } from '../support/processes.ts'

export type MailClient = {
  readonly name: string
  /** The program that must be installed. */
  readonly program: string
  /** In which ways it can prove who it is. */
  readonly logins: readonly Login[]
  /** Left out: both. */
  readonly transports?: readonly Route['tls'][]
  /** Sends the message; never throws because the server refused it. */
  readonly send: (route: Route, mail: Mail) => Promise<Finished>
}

export type Login =
  /** Only the handshake's certificate. */
  | 'certificate'
  /** AUTH EXTERNAL with the address as authorization identity. */
  | 'external'
  /** AUTH EXTERNAL with the empty one: "whoever the certificate says". */
  | 'external-empty'

export type Route = {
  readonly port: number
  readonly tls: 'starttls' | 'implicit'
  readonly login: Login
  /** PEM file of the authority that signed the server's certificate. */
  readonly authority: string
  /** Null: the client has none to show. */
  readonly certificate: CertificateFiles | null
  /** A folder for the client's own configuration files. */
  readonly folder: string
}

export type Mail = {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** The message as a file would hold it, with LF line ends. */
export function asMessage(mail: Mail): string {
  return `From: ${mail.from}\nTo: ${mail.to}\nSubject: ${mail.subject}\n\n${mail.text}\n`
}

/** A file in a new folder that only its owner can read; some clients refuse to read others. */
export function privateFile(route: Route, name: string, text: string): string {
  const file = join(mkdtempSync(join(route.folder, 'client-')), name)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

/** Key and certificate in one file, the key first. */
export function keyAndCertificate(route: Route, certificate: CertificateFiles): string {
  const text = readFileSync(certificate.key, 'utf8') + readFileSync(certificate.certificate, 'utf8')
  return privateFile(route, 'key-and-certificate.pem', text)
}
