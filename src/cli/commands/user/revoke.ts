/** postern user revoke */

import { defineCommand } from '../../command.ts'
import { confirm } from '../../confirm.ts'
import { shortPath } from '../../files.ts'
import { indent, plural, visible } from '../../output.ts'
import { configOrUsual, ownCertificate } from '../../own-certificate.ts'
import { countHeld, devicesOf, wordsForRest } from '../../revocation.ts'
import { askAuthority } from '../../running.ts'

export default defineCommand({
  summary: 'Revoke the certificates of a person or machine, at once.',
  details: `New connections, sessions under way and queued mail are all affected from this moment: what came in under the
certificate and has not been delivered is held. Passwords of the holder end with its certificates.

It does not ask, unless NAME is this relay itself, whose certificate next hops are shown: then --yes, or an answer, is
wanted, and "postern ca issue client" makes the relay a new one.`,
  operands: 'NAME',
  options: { yes: { type: 'flag', describe: 'Do not ask, even if it is this relay.' } },
  examples: ['postern user revoke joe'],
  run: async ({ args, operands: [name = ''], directory }) => {
    const { holders } = await askAuthority(directory, { do: 'list' }, 'listed')
    const own = ownCertificate(directory, configOrUsual(directory), holders)
    const isOwn = own !== null && own.revokedAt === null && own.holder.toLowerCase() === name.toLowerCase()
    if (isOwn) await confirm(`${name} is this relay: next hops are shown its certificate, ${shortPath(own.file)}. Revoke it?`, args.yes)
    const devices = await devicesOf(directory, holders, name)
    const { fingerprints } = await askAuthority(directory, { do: 'revoke', name }, 'revoked')
    const passwords = fingerprints.length === 0 ? [] : devices
    return { name, fingerprints, passwords, held: await countHeld(directory, name), isOwn }
  },
  render: ({ name, fingerprints, passwords, held, isOwn }) => {
    const lines =
      fingerprints.length === 0
        ? [`${visible(name)} holds no certificate that could be revoked.`]
        : [`Revoked ${plural(fingerprints.length, 'certificate')} of ${name}:`, indent(fingerprints.join('\n'))]
    lines.push(...wordsForRest({ name, passwords, held }))
    if (isOwn) lines.push('Make a new one for this relay: postern ca issue client')
    return lines.join('\n')
  },
  toJson: ({ name, fingerprints, passwords, held }) => ({ name, fingerprints, passwords, held }),
})
