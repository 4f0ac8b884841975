/** A person typing SMTP into a program that speaks only TLS: openssl s_client, NSS's tstclnt. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Finished } from '../../support/processes.ts'
import { asMessage, type Mail, type Route } from '../mail-client.ts'

/** Types lines into a program, each after the reply to the one before; stops at the first refusal. */
export async function typed(command: string, args: readonly string[], lines: readonly string[], lineEnd = '\n'): Promise<Finished> {
  const child = spawn(command, [...args])
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
      if (next !== undefined) child.stdin.write(`${next.replaceAll('\n', lineEnd)}${lineEnd}`)
      // tstclnt stays for as long as somebody might type.
      else child.stdin.end()
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

/** One message, command by command. In lower case, because s_client takes lines that begin with R or Q for itself. */
export function commandsFor({ login }: Route, mail: Mail): string[] {
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
