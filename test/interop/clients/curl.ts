/** curl: OpenSSL. It authenticates only when a user or an option says so, and reads PKCS#12 files itself. */

import { run, type Finished } from '../../support/processes.ts'
import { program } from '../programs.ts'
import { asMessage, type Mail, type MailClient, type Route } from '../mail-client.ts'

export const curl: MailClient = {
  name: 'curl',
  program: 'curl',
  logins: ['certificate', 'external', 'external-empty'],
  send: (route, mail) =>
    curlWith(
      route.certificate === null ? [] : ['--cert', route.certificate.certificate, '--key', route.certificate.key],
      route,
      mail,
    ),
}

/** Sends with a PKCS#12 file as `postern user add` writes it. */
export function curlWithPkcs12(file: string, password: string, route: Route, mail: Mail): Promise<Finished> {
  return curlWith(['--cert-type', 'P12', '--cert', `${file}:${password}`], route, mail)
}

function curlWith(certificate: readonly string[], route: Route, mail: Mail): Promise<Finished> {
  const scheme = route.tls === 'starttls' ? 'smtp' : 'smtps'
  // The empty identity has no user to type, so it is asked for in the URL.
  const login = route.login === 'external-empty' ? ';AUTH=EXTERNAL@' : ''
  return run(
    program('curl'),
    // prettier-ignore
    [
      '--silent', '--show-error', '--verbose', '--max-time', '20', '--ssl-reqd', '--cacert', route.authority, ...certificate,
      ...(route.login === 'external' ? ['--login-options', 'AUTH=EXTERNAL', '--user', `${mail.from}:`] : []),
      '--mail-from', mail.from, '--mail-rcpt', mail.to, '--crlf', '--upload-file', '-',
      `${scheme}://${login}localhost:${route.port}/laptop.example.test`,
    ],
    { input: asMessage(mail) },
  )
}
