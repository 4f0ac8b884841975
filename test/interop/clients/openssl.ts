/**
 * openssl s_client, and a person typing SMTP into it.
 *
 * It is the tool of the last resort when certificates don't work, so it must work here. Commands are in
 * lower case, because s_client takes lines that begin with R or Q for itself. The next command is
 * typed only after the reply to the last.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Finished } from '../../support/processes.ts'
import { program } from '../programs.ts'
import { asMessage, type Mail, type MailClient, type Route } from '../mail-client.ts'

export const openssl: MailClient = {
  name: 'openssl s_client',
  program: 'openssl',
  logins: ['certificate', 'external', 'external-empty'],
  send: (route, mail) => typed(opensslArguments(route), commandsFor(route, mail)),
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

/** Types lines into s_client, each after the reply to the one before; stops at the first refusal. */
export async function typed(args: readonly string[], lines: readonly string[]): Promise<Finished> {
  const child = spawn(program('openssl'), [...args])
  let stdout = ''
  let stderr = ''
  const pending = [...lines]
  let seen = 0
  child.stdin.on('error', () => {})
  const answer = (): void => {
    // With STARTTLS the reply to s_client's own EHLO comes on standard error, before the session.
    for (const reply of [...repliesIn(stderr), ...repliesIn(stdout)].slice(seen)) {
      seen++
      const next = reply >= 400 ? 'quit' : pending.shift()
      if (next === undefined || next === 'quit') pending.length = 0
      if (next !== undefined) child.stdin.write(`${next}\n`)
    }
  }
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    answer()
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    answer()
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  const refused = repliesIn(stdout).some(reply => reply >= 400)
  return { code: refused ? 1 : code, stdout, stderr }
}

function commandsFor({ login }: Route, mail: Mail): string[] {
  const identity = Buffer.from(mail.from).toString('base64')
  const authentication: Record<Route['login'], string[]> = {
    certificate: [],
    external: ['auth EXTERNAL', identity],
    'external-empty': ['auth EXTERNAL ='],
  }
  return [
    'ehlo laptop.example.test',
    ...authentication[login],
    `mail from:<${mail.from}>`,
    `rcpt to:<${mail.to}>`,
    'data',
    `${asMessage(mail).replaceAll(/^\./gm, '..')}.`,
    'quit',
  ]
}

/** The codes of the replies that are complete, in order. */
function repliesIn(text: string): number[] {
  return [...text.matchAll(/^(\d{3})(?: .*)?\r?\n/gm)].map(match => Number(match[1]))
}
