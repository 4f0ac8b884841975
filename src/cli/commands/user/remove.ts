/** postern user remove */

import { defineCommand } from '../../command.ts'
import { confirm } from '../../confirm.ts'
import { shortPath } from '../../files.ts'
import { plural, visible } from '../../output.ts'
import { configOrUsual, ownCertificate } from '../../own-certificate.ts'
import { countHeld, devicesOf, wordsForRest } from '../../revocation.ts'
import { askAuthority } from '../../running.ts'

export default defineCommand({
  summary: 'Revoke the certificates of a person or machine and take the name off the list.',
  details: `All that "postern user revoke" does, and then nobody has the name any more. Its passwords end, and what came in under
it and has not been delivered is held.`,
  operands: 'NAME',
  options: { yes: { type: 'flag', describe: 'Do not ask.' } },
  examples: ['postern user remove joe', 'postern user remove joe --yes'],
  run: async ({ args, operands: [name = ''], directory }) => {
    const { holders } = await askAuthority(directory, { do: 'list' }, 'listed')
    const own = ownCertificate(directory, configOrUsual(directory), holders)
    const isOwn = own !== null && own.revokedAt === null && own.holder.toLowerCase() === name.toLowerCase()
    const warning = isOwn ? `${name} is this relay: next hops are shown its certificate, ${shortPath(own.file)}. ` : ''
    await confirm(`${warning}Revoke every certificate of ${name} and remove the name?`, args.yes)
    const devices = await devicesOf(directory, holders, name)
    const { fingerprints } = await askAuthority(directory, { do: 'remove', name }, 'revoked')
    return { name, fingerprints, passwords: devices, held: await countHeld(directory, name), isOwn }
  },
  render: ({ name, fingerprints, passwords, held, isOwn }) =>
    [
      `Removed ${visible(name)}; ${plural(fingerprints.length, 'certificate')} revoked.`,
      ...wordsForRest({ name, passwords, held }),
      ...(isOwn ? ['Make a new one for this relay: postern ca issue client'] : []),
    ].join('\n'),
  toJson: ({ name, fingerprints, passwords, held }) => ({ name, fingerprints, passwords, held }),
})
