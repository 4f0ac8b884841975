/** postern user revoke */

import { defineCommand } from '../../command.ts'
import { indent, plural } from '../../output.ts'
import { askAuthority } from '../../running.ts'

export default defineCommand({
  summary: 'Revoke the certificates of a person or machine, at once.',
  details: `New connections, sessions under way and queued mail are all affected from this moment: what came in under the
certificate and has not been delivered is held. Passwords of the holder end with its certificates.`,
  operands: 'NAME',
  options: {},
  examples: ['postern user revoke joe'],
  run: async ({ operands: [name = ''], directory }) => {
    const { fingerprints } = await askAuthority(directory, { do: 'revoke', name }, 'revoked')
    return { name, fingerprints }
  },
  render: ({ name, fingerprints }) =>
    fingerprints.length === 0
      ? `${name} holds no certificate that could be revoked.`
      : `Revoked ${plural(fingerprints.length, 'certificate')} of ${name}:\n${indent(fingerprints.join('\n'))}`,
})
