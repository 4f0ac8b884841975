/** swaks: Net::SSLeay. It knows no AUTH EXTERNAL, and checks the chain of the server's certificate but not its name. */

import { run } from '../../support/processes.ts'
import { program } from '../programs.ts'
import { asMessage, type MailClient } from '../mail-client.ts'

export const swaks: MailClient = {
  name: 'swaks',
  program: 'swaks',
  logins: ['certificate'],
  send: ({ port, tls, authority, certificate }, mail) =>
    run(
      program('swaks'),
      // prettier-ignore
      [
        '--server', 'localhost', '--port', String(port), '--timeout', '20s',
        tls === 'starttls' ? '--tls' : '--tls-on-connect', '--tls-verify', '--tls-ca-path', authority,
        ...(certificate === null ? [] : ['--tls-cert', certificate.certificate, '--tls-key', certificate.key]),
        '--helo', 'laptop.example.test', '--from', mail.from, '--to', mail.to, '--data', '-',
      ],
      { input: asMessage(mail) },
    ),
}
