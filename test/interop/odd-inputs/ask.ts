/** Puts an odd command to a server, after whatever has to come before it, and listens for the reply. */

import { SmtpClient, type SmtpReply } from '../../support/smtp-client.ts'
import type { Input } from './inputs.ts'

const BEFORE = {
  greeting: [],
  hello: ['EHLO client.example.test'],
  mail: ['EHLO client.example.test', 'MAIL FROM:<sender@example.test> SMTPUTF8'],
  recipient: ['EHLO client.example.test', 'MAIL FROM:<sender@example.test> SMTPUTF8', 'RCPT TO:<user@example.net>'],
} as const satisfies Record<Input['after'], readonly string[]>

export async function ask(port: number, { after, line }: Input): Promise<SmtpReply> {
  const client = await SmtpClient.connect(port)
  try {
    await taken(client.reply(), 'the greeting')
    for (const command of BEFORE[after]) await taken(client.command(command), command)
    return await client.command(line)
  } finally {
    client.destroy()
  }
}

async function taken(reply: Promise<SmtpReply>, what: string): Promise<void> {
  const { code, text } = await reply
  if (code < 200 || code > 299) throw new Error(`${what} was answered by ${code} ${text}`)
}
