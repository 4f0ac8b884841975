/**
 * NSS's tstclnt: the TLS of Thunderbird and Firefox. It speaks TLS from the first byte only.
 *
 * NSS shows a certificate only if the server names its issuer in the certificate request, and checks the
 * server's name against subjectAltName alone.
 */

import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun } from '../../support/processes.ts'
import { program } from '../programs.ts'
import type { MailClient, Route } from '../mail-client.ts'
import { keyStore } from './java-mail.ts'
import { commandsFor, typed } from './typed.ts'

export const tstclnt: MailClient = {
  name: 'NSS tstclnt',
  program: 'tstclnt',
  logins: ['certificate', 'external', 'external-empty'],
  transports: ['implicit'],
  send: async (route, mail) => {
    const database = await certificateDatabase(route)
    const args = ['-h', 'localhost', '-4', '-p', String(route.port), '-d', database, '-n', 'joe', '-V', 'tls1.2:tls1.3']
    return typed(program('tstclnt'), args, commandsFor(route, mail), '\r\n')
  },
}

/** As Thunderbird keeps it: our key, and the authority that may vouch for servers. */
async function certificateDatabase(route: Route): Promise<string> {
  const { file, password } = await keyStore(route)
  const folder = mkdtempSync(join(route.folder, 'nss-'))
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  await mustRun(program('certutil'), ['-N', '-d', folder, '--empty-password'])
  await mustRun(program('pk12util'), ['-i', file, '-d', folder, '-w', passwordFile, '-K', ''])
  await mustRun(program('certutil'), ['-A', '-d', folder, '-n', 'authority', '-t', 'C,,', '-i', route.authority])
  return folder
}
