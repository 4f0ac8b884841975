/**
 * openssl s_client, and a person typing SMTP into it.
 *
 * It is the tool of the last resort when certificates don't work, so it must work here.
 */

import { program } from '../programs.ts'
import type { MailClient, Route } from '../mail-client.ts'
import { commandsFor, typed } from './typed.ts'

export const openssl: MailClient = {
  name: 'openssl s_client',
  program: 'openssl',
  logins: ['certificate', 'external', 'external-empty'],
  send: (route, mail) => typed(program('openssl'), opensslArguments(route), commandsFor(route, mail)),
}

/** Arguments of s_client for a route; tests of session resumption add their own. */
export function opensslArguments({ port, tls, authority, certificate }: Omit<Route, 'login' | 'folder'>): string[] {
  // prettier-ignore
  return [
    's_client', '-quiet', '-crlf', '-connect', `localhost:${port}`, '-servername', 'localhost',
    ...(tls === 'starttls' ? ['-starttls', 'smtp'] : []),
    '-CAfile', authority, '-verify_return_error', '-verify_hostname', 'localhost',
    ...(certificate === null ? [] : ['-cert', certificate.certificate, '-cert_chain', certificate.certificate, '-key', certificate.key]),
  ]
}
