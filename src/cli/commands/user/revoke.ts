/** postern user revoke */

import { defineCommand } from '../../command.ts'
import { confirm } from '../../confirm.ts'
import { shortPath } from '../../files.ts'
import { indent, plural, visible } from '../../output.ts'
import { configOrUsual, ownCertificate } from '../../own-certificate.ts'
import { askAuthority, askIfRunning } from '../../running.ts'

const MOST_HELD = 1_000_000

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
    const { fingerprints } = await askAuthority(directory, { do: 'revoke', name }, 'revoked')
    return { name, fingerprints, held: await countHeld(directory, name), isOwn }
  },
  render: ({ name, fingerprints, held, isOwn }) => {
    const lines =
      fingerprints.length === 0
        ? [`${visible(name)} holds no certificate that could be revoked.`]
        : [`Revoked ${plural(fingerprints.length, 'certificate')} of ${name}:`, indent(fingerprints.join('\n'))]
    if (held > 0) lines.push(`${plural(held, 'message')} of ${name} in the queue ${held === 1 ? 'is' : 'are'} held: postern queue list --state held`)
    if (isOwn) lines.push('Make a new one for this relay: postern ca issue client')
    return lines.join('\n')
  },
  toJson: ({ name, fingerprints, held }) => ({ name, fingerprints, held }),
})

/** What waits in the queue of a running Postern and goes nowhere. */
async function countHeld(directory: string, name: string): Promise<number> {
  const held = await askIfRunning(directory, { do: 'queueList', filter: { state: 'held' }, limit: MOST_HELD })
  return held?.value.messages.filter(({ origin }) => origin.holder?.toLowerCase() === name.toLowerCase()).length ?? 0
}
