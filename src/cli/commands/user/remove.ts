/** postern user remove */

import { defineCommand } from '../../command.ts'
import { confirm } from '../../confirm.ts'
import { plural } from '../../output.ts'
import { askAuthority } from '../../running.ts'

export default defineCommand({
  summary: 'Revoke the certificates of a person or machine and take the name off the list.',
  operands: 'NAME',
  options: { yes: { type: 'flag', describe: 'Do not ask.' } },
  examples: ['postern user remove joe', 'postern user remove joe --yes'],
  run: async ({ args, operands: [name = ''], directory }) => {
    await confirm(`Revoke every certificate of ${name} and remove the name?`, args.yes)
    const { fingerprints } = await askAuthority(directory, { do: 'remove', name }, 'revoked')
    return { name, fingerprints }
  },
  render: ({ name, fingerprints }) => `Removed ${name}; ${plural(fingerprints.length, 'certificate')} revoked.`,
})
