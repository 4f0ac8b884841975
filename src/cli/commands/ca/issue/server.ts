/** postern ca issue server */

import path from 'node:path'
import { formatInstant } from '../../../../core/time.ts'
import { defineCommand, UsageProblem } from '../../../command.ts'
import { inDirectory, readConfig } from '../../../directory.ts'
import { installPair, PRIVATE_FILE, PUBLIC_FILE, refuseOverwriting, shortPath, writeNewFiles } from '../../../files.ts'
import { fields, indent } from '../../../output.ts'
import { askAuthority, askIfRunning } from '../../../running.ts'
import { SERVER_DAYS, validDays } from '../../../validity.ts'

export default defineCommand({
  summary: 'Issue a certificate to a server, of this relay or another one.',
  details: `The names are written into the certificate as alternative names, the first also as its common name. They must be
exactly what clients are told to connect to. With --install it becomes this relay's own certificate, and a running
Postern starts to use it.`,
  operands: 'NAME…',
  options: {
    out: { type: 'text', value: 'FOLDER', describe: 'Where to write NAME.pem and NAME.key (default: the current folder).' },
    install: { type: 'flag', describe: 'Put it in place of this relay\'s certificate and key.' },
    'key-type': { type: 'choice', choices: ['p256', 'rsa2048'], describe: 'The kind of key (default p256).' },
    days: { type: 'number', value: 'N', describe: `How long it is valid (default ${SERVER_DAYS}; Apple's programs take no longer one).` },
  },
  examples: ['postern ca issue server mail.example.org localhost --install', 'postern ca issue server printer-hub.example.org --out certificates'],
  run: async ({ args, operands, directory }) => {
    if (args.install && args.out !== undefined) throw new UsageProblem('choose --install or --out')
    const base = path.join(path.resolve(args.out ?? '.'), path.basename(operands[0] ?? ''))
    const { tls } = readConfig(directory)
    const certificateFile = args.install ? inDirectory(directory, tls.certificateFile) : `${base}.pem`
    const keyFile = args.install ? inDirectory(directory, tls.keyFile) : `${base}.key`
    if (!args.install) refuseOverwriting([certificateFile, keyFile])
    const issued = await askAuthority(
      directory,
      { do: 'issueServer', names: operands, keyType: args['key-type'] ?? 'p256', days: validDays(args.days, SERVER_DAYS) },
      'issuedServer',
    )
    if (args.install) await installPair(certificateFile, keyFile, issued)
    else {
      await writeNewFiles([
        { file: keyFile, content: issued.keyPem, mode: PRIVATE_FILE },
        { file: certificateFile, content: issued.certificatePem, mode: PUBLIC_FILE },
      ])
    }
    const reloaded = args.install ? await askIfRunning(directory, { do: 'reload' }) : null
    return { names: operands, files: [certificateFile, keyFile], notAfter: issued.notAfter, reloadProblems: reloaded?.value.problems ?? [] }
  },
  render: ({ names, files, notAfter, reloadProblems }, look) => {
    const facts = fields(
      [
        ['names', names.join(' ')],
        ['valid', `until ${formatInstant(notAfter)}`],
        ['files', files.map(shortPath).join('\n')],
      ],
      look,
    )
    return reloadProblems.length === 0 ? facts : `${facts}\n${look.bad('The running Postern did not take it:')}\n${indent(reloadProblems.join('\n'))}`
  },
  toJson: ({ names, files, notAfter, reloadProblems }) => ({ names, files, notAfter: formatInstant(notAfter), reloadProblems }),
  exitCode: ({ reloadProblems }) => (reloadProblems.length === 0 ? 0 : 1),
})
