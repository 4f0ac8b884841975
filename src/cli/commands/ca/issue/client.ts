/** postern ca issue client */

import { formatInstant } from '../../../../core/time.ts'
import { defineCommand, Problem } from '../../../command.ts'
import { inDirectory, readConfig } from '../../../directory.ts'
import { installPair, shortPath } from '../../../files.ts'
import { ourClientCertificate } from '../../../initialise.ts'
import { fields, indent } from '../../../output.ts'
import { askAuthority, askIfRunning } from '../../../running.ts'

export default defineCommand({
  summary: 'Issue the certificate that this relay shows to next hops, and put it in place of the one it has.',
  details: `It is for the host name in postern.toml, which "postern user list" shows as a machine. A running Postern starts to use it.
Do this before the old one expires, or after it was revoked.`,
  options: { 'key-type': { type: 'choice', choices: ['p256', 'rsa2048'], describe: 'The kind of key (default p256).' } },
  examples: ['postern ca issue client'],
  run: async ({ args, directory }) => {
    const { hostname, delivery } = readConfig(directory)
    const { issued } = await askAuthority(directory, ourClientCertificate({ hostname, keyType: args['key-type'] ?? 'p256' }), 'issuedClient')
    if (issued.format !== 'pem') throw new Problem('the authority sent a PKCS#12 file where PEM was asked for')
    const [certificateFile, keyFile] = [inDirectory(directory, delivery.certificateFile), inDirectory(directory, delivery.keyFile)]
    await installPair(certificateFile, keyFile, issued)
    const reloaded = await askIfRunning(directory, { do: 'reload' })
    return { hostname, files: [certificateFile, keyFile], notAfter: issued.notAfter, reloadProblems: reloaded?.value.problems ?? [] }
  },
  render: ({ hostname, files, notAfter, reloadProblems }, look) => {
    const facts = fields([['name', hostname], ['valid', `until ${formatInstant(notAfter)}`], ['files', files.map(shortPath).join('\n')]], look)
    return reloadProblems.length === 0 ? facts : `${facts}\n${look.bad('The running Postern did not take it:')}\n${indent(reloadProblems.join('\n'))}`
  },
  toJson: ({ hostname, files, notAfter, reloadProblems }) => ({ hostname, files, notAfter: formatInstant(notAfter), reloadProblems }),
  exitCode: ({ reloadProblems }) => (reloadProblems.length === 0 ? 0 : 1),
})
