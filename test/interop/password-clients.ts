/**
 * The mail clients once more, logging in with a user name and a password: each mechanism that they know.
 *
 * What is peculiar to a program is in clients/; here is only what a password needs.
 */

import { dirname, join } from 'node:path'
import { run, type Finished } from '../support/processes.ts'
import { asMessage, privateFile, type Mail, type Route } from './mail-client.ts'
import { program } from './programs.ts'

export type PasswordClient = {
  readonly name: string
  readonly program: string
  /** By the name that EHLO has for it; with '' the program chooses. */
  readonly mechanisms: readonly string[]
  readonly transports?: readonly Route['tls'][]
  readonly send: (route: PasswordRoute, mail: Mail) => Promise<Finished>
}

export type PasswordRoute = Pick<Route, 'port' | 'tls' | 'authority' | 'folder'> & {
  readonly mechanism: string
  readonly user: string
  readonly password: string
}

/** `privateFile` looks at the folder only. */
function file({ folder }: PasswordRoute, name: string, text: string): string {
  return privateFile({ folder } as Route, name, text)
}

export const PASSWORD_CLIENTS: readonly PasswordClient[] = [
  {
    name: 'swaks',
    program: 'swaks',
    mechanisms: ['PLAIN', 'LOGIN'],
    send: ({ port, tls, authority, mechanism, user, password }, mail) =>
      run(
        program('swaks'),
        // prettier-ignore
        [
          '--server', 'localhost', '--port', String(port), '--timeout', '20s',
          tls === 'starttls' ? '--tls' : '--tls-on-connect', '--tls-verify', '--tls-ca-path', authority,
          '--auth', mechanism, '--auth-user', user, '--auth-password', password,
          '--helo', 'laptop.example.test', '--from', mail.from, '--to', mail.to, '--data', '-',
        ],
        { input: asMessage(mail) },
      ),
  },
  {
    name: 'curl',
    program: 'curl',
    mechanisms: ['', 'PLAIN', 'LOGIN'],
    send: ({ port, tls, authority, mechanism, user, password }, mail) =>
      run(
        program('curl'),
        // prettier-ignore
        [
          '--silent', '--show-error', '--verbose', '--max-time', '20', '--ssl-reqd', '--cacert', authority,
          ...(mechanism === '' ? [] : ['--login-options', `AUTH=${mechanism}`]), '--user', `${user}:${password}`,
          '--mail-from', mail.from, '--mail-rcpt', mail.to, '--upload-file', '-',
          `${tls === 'starttls' ? 'smtp' : 'smtps'}://localhost:${port}/laptop.example.test`,
        ],
        { input: asMessage(mail).replaceAll('\n', '\r\n') },
      ),
  },
  {
    name: 'msmtp',
    program: 'msmtp',
    // It knows SCRAM-SHA-256 from GNU SASL, and prefers it.
    mechanisms: ['', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN'],
    send: (route, mail) => {
      const settings = `
        account default
        host localhost
        port ${route.port}
        domain laptop.example.test
        from ${mail.from}
        tls on
        tls_starttls ${route.tls === 'starttls' ? 'on' : 'off'}
        tls_trust_file ${route.authority}
        auth ${route.mechanism === '' ? 'on' : route.mechanism.toLowerCase()}
        user ${route.user}
        password ${route.password}
      `
      return run(program('msmtp'), ['-C', file(route, 'msmtprc', settings), mail.to], { input: asMessage(mail) })
    },
  },
  {
    name: 'mutt',
    program: 'mutt',
    mechanisms: ['SCRAM-SHA-256', 'PLAIN', 'LOGIN'],
    send: (route, mail) => {
      const settings = [
        `set from="${mail.from}"`,
        'set use_envelope_from=yes',
        'set hostname="laptop.example.test"',
        `set smtp_url="${route.tls === 'starttls' ? 'smtp' : 'smtps'}://${encodeURIComponent(route.user)}@localhost:${route.port}/"`,
        `set smtp_pass="${route.password}"`,
        `set smtp_authenticators="${route.mechanism.toLowerCase()}"`,
        'set ssl_starttls=yes',
        'set ssl_force_tls=yes',
        `set certificate_file="${route.authority}"`,
        `set ssl_ca_certificates_file="${route.authority}"`,
        'set copy=no',
      ]
      const muttrc = file(route, 'muttrc', `${settings.join('\n')}\n`)
      return run(program('mutt'), ['-n', '-F', muttrc, '-s', mail.subject, mail.to], { input: `${mail.text}\n`, env: { HOME: dirname(muttrc) } })
    },
  },
  {
    name: 'Python smtplib',
    program: 'python3',
    mechanisms: ['', 'PLAIN', 'LOGIN'],
    send: (route, mail) => {
      const { port, tls, authority, mechanism, user, password } = route
      const wanted = { port, tls, login: 'password', mechanism, user, password, authority, certificate: null, key: null, from: mail.from, to: mail.to }
      return run(program('python3'), [join(import.meta.dirname, 'clients', 'python-smtplib.py'), JSON.stringify(wanted)], { input: asMessage(mail) })
    },
  },
]

/** GNU SASL's own program: logs in, and says the lines of its standard input. It has no implicit TLS. */
export function gsasl({ port, authority, mechanism, user, password }: PasswordRoute, bind: boolean): Promise<Finished> {
  return run(
    program('gsasl'),
    // prettier-ignore
    [
      '--client', '--smtp', '--connect', `localhost:${port}`, '--starttls', `--x509-ca-file=${authority}`, ...(bind ? [] : ['--no-cb']),
      '--mechanism', mechanism, '--authentication-id', user, '--authorization-id', '', '--password', password, '--verbose',
    ],
    { input: 'QUIT\r\n' },
  )
}

/** Those that take a token in place of a password. */
export const TOKEN_CLIENTS: readonly PasswordClient[] = [
  {
    name: 'curl',
    program: 'curl',
    // Where both are offered it takes OAUTHBEARER, whatever is asked for.
    mechanisms: ['', 'OAUTHBEARER'],
    send: ({ port, tls, authority, mechanism, user, password }, mail) =>
      run(
        program('curl'),
        // prettier-ignore
        [
          '--silent', '--show-error', '--verbose', '--max-time', '20', '--ssl-reqd', '--cacert', authority,
          ...(mechanism === '' ? [] : ['--login-options', `AUTH=${mechanism}`]), '--user', `${user}:`, '--oauth2-bearer', password,
          '--mail-from', mail.from, '--mail-rcpt', mail.to, '--upload-file', '-',
          `${tls === 'starttls' ? 'smtp' : 'smtps'}://localhost:${port}/laptop.example.test`,
        ],
        { input: asMessage(mail).replaceAll('\n', '\r\n') },
      ),
  },
  ...PASSWORD_CLIENTS.filter(({ program }) => program === 'msmtp').map(msmtp => ({ ...msmtp, mechanisms: ['OAUTHBEARER', 'XOAUTH2'] })),
]
