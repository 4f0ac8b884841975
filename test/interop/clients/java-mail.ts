/**
 * JavaMail on Java's own TLS, through the program beside this file.
 *
 * Java shows a certificate only if the server names its issuer in the certificate request, and reads
 * keys from a PKCS#12 file.
 */

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { mustRun, run } from '../../support/processes.ts'
import { program } from '../programs.ts'
import { asMessage, keyAndCertificate, type MailClient, type Route } from '../mail-client.ts'

/** Debian's packages libmail-java and default-jdk-headless. */
export const JAVA_MAIL = '/usr/share/java/javax.mail.jar'
const CLASSES = [JAVA_MAIL, '/usr/share/java/javax.activation.jar'].join(':')

export const javaMail: MailClient = {
  name: 'JavaMail',
  program: 'javac',
  logins: ['certificate', 'external', 'external-empty'],
  send: async (route, mail) => {
    const { file, password } = await keyStore(route)
    const { port, tls, login, authority } = route
    return run(
      program('java'),
      ['-cp', CLASSES, join(import.meta.dirname, 'JavaMail.java'), String(port), tls, login, authority, file, password, mail.from, mail.to],
      { input: asMessage(mail) },
    )
  },
}

/** The key, its certificate and the chain as Java wants them. */
export async function keyStore(route: Route): Promise<{ readonly file: string; readonly password: string }> {
  const { certificate } = route
  if (certificate === null) throw new Error('this client is only tried with a certificate')
  const password = randomBytes(16).toString('hex')
  const pem = keyAndCertificate(route, certificate)
  const file = `${pem}.p12`
  await mustRun(program('openssl'), ['pkcs12', '-export', '-in', pem, '-name', 'joe', '-out', file, '-passout', `pass:${password}`])
  return { file, password }
}
