/** s-nail: OpenSSL. Without AUTH it greets with HELO after STARTTLS; `external` comes with an initial response. */

import { dirname } from 'node:path'
import { run } from '../../support/processes.ts'
import { program } from '../programs.ts'
import { keyAndCertificate, privateFile, type Login, type MailClient } from '../mail-client.ts'

const AUTHENTICATION: Record<Login, string> = {
  certificate: 'none',
  external: 'external',
  'external-empty': 'externanon',
}

export const sNail: MailClient = {
  name: 's-nail',
  program: 's-nail',
  logins: ['certificate', 'external', 'external-empty'],
  send: (route, mail) => {
    const scheme = route.tls === 'starttls' ? 'smtp' : 'smtps'
    const user = route.login === 'external' ? `${encodeURIComponent(mail.from)}@` : ''
    const shown = route.certificate === null ? null : keyAndCertificate(route, route.certificate)
    const variables = [
      'v15-compat',
      `mta=${scheme}://${user}localhost:${route.port}`,
      ...(route.tls === 'starttls' ? ['smtp-use-starttls'] : []),
      `smtp-auth=${AUTHENTICATION[route.login]}`,
      'tls-verify=strict',
      'tls-ca-no-defaults',
      `tls-ca-file=${route.authority}`,
      ...(shown === null ? [] : [`tls-config-pairs=Certificate=${shown},PrivateKey=${shown}`]),
      `from=${mail.from}`,
      'sendwait',
    ]
    const dead = privateFile(route, 'dead.letter', '')
    return run(program('s-nail'), ['-:/', ...variables.map(variable => `-S${variable}`), '-s', mail.subject, mail.to], {
      input: `${mail.text}\n`,
      env: { HOME: dirname(dead), DEAD: dead },
    })
  },
}
