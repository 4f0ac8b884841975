/** Python's smtplib, through the script beside this file. */

import { join } from 'node:path'
import { run } from '../../support/processes.ts'
import { program } from '../programs.ts'
import { asMessage, type MailClient } from '../mail-client.ts'

export const pythonSmtplib: MailClient = {
  name: 'Python smtplib',
  program: 'python3',
  logins: ['certificate', 'external', 'external-empty'],
  send: ({ port, tls, login, authority, certificate }, mail) => {
    const wanted = {
      port,
      tls,
      login,
      authority,
      certificate: certificate?.certificate ?? null,
      key: certificate?.key ?? null,
      from: mail.from,
      to: mail.to,
    }
    const script = join(import.meta.dirname, 'python-smtplib.py')
    return run(program('python3'), [script, JSON.stringify(wanted)], { input: asMessage(mail) })
  },
}
