/** msmtp: GnuTLS, which shows a certificate only if the server names its issuer. EXTERNAL needs a `user`. */

import { run } from '../../support/processes.ts'
import { program } from '../programs.ts'
import { asMessage, privateFile, type Login, type MailClient } from '../mail-client.ts'

/** `external-empty` is no login of msmtp's: without a user it takes the 334 for success. A test shows what becomes of it. */
const AUTHENTICATION: Record<Login, (user: string) => string> = {
  certificate: () => 'auth off',
  external: user => `auth external\nuser ${user}`,
  'external-empty': () => 'auth external',
}

export const msmtp: MailClient = {
  name: 'msmtp',
  program: 'msmtp',
  logins: ['certificate', 'external'],
  send: (route, mail) => {
    const { certificate } = route
    const settings = `
      account default
      host localhost
      port ${route.port}
      domain laptop.example.test
      from ${mail.from}
      tls on
      tls_starttls ${route.tls === 'starttls' ? 'on' : 'off'}
      tls_trust_file ${route.authority}
      ${certificate === null ? '' : `tls_cert_file ${certificate.certificate}\ntls_key_file ${certificate.key}`}
      ${AUTHENTICATION[route.login](mail.from)}
    `
    return run(program('msmtp'), ['-C', privateFile(route, 'msmtprc', settings), mail.to], { input: asMessage(mail) })
  },
}
