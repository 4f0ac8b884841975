/** mutt: GnuTLS. Where AUTH EXTERNAL is offered it uses it unasked, and answers the 334 with an empty line. */

import { dirname } from 'node:path'
import { run } from '../../support/processes.ts'
import { program } from '../programs.ts'
import { keyAndCertificate, privateFile, type MailClient } from '../mail-client.ts'

export const mutt: MailClient = {
  name: 'mutt',
  program: 'mutt',
  logins: ['external-empty', 'external'],
  send: (route, mail) => {
    const scheme = route.tls === 'starttls' ? 'smtp' : 'smtps'
    const user = route.login === 'external' ? `${encodeURIComponent(mail.from)}@` : ''
    const settings = [
      `set from="${mail.from}"`,
      'set use_envelope_from=yes',
      'set hostname="laptop.example.test"',
      `set smtp_url="${scheme}://${user}localhost:${route.port}/"`,
      // Else it picks SCRAM, without a password, where passwords are offered too.
      'set smtp_authenticators="external"',
      ...(route.login === 'external' ? ['set smtp_pass="unused"'] : []),
      'set ssl_starttls=yes',
      'set ssl_force_tls=yes',
      ...(route.certificate === null ? [] : [`set ssl_client_cert="${keyAndCertificate(route, route.certificate)}"`]),
      `set certificate_file="${route.authority}"`,
      `set ssl_ca_certificates_file="${route.authority}"`,
      'set copy=no',
    ]
    const file = privateFile(route, 'muttrc', `${settings.join('\n')}\n`)
    const args = ['-n', '-F', file, '-s', mail.subject, mail.to]
    return run(program('mutt'), args, { input: `${mail.text}\n`, env: { HOME: dirname(file) } })
  },
}
