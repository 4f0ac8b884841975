/** postern user revoke */

import { ok } from '../../../core/result.ts'
import { PasswordDesk } from '../../../process/password-desk.ts'
import type { HolderRecord } from '../../../relay/admin.ts'
import { defineCommand, Problem } from '../../command.ts'
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
    if (passwords.length > 0) lines.push(`${plural(passwords.length, 'password')} of ${name} ended: ${passwords.join(', ')}`)
    if (held > 0) lines.push(`${plural(held, 'message')} of ${name} in the queue ${held === 1 ? 'is' : 'are'} held: postern queue list --state held`)
    if (isOwn) lines.push('Make a new one for this relay: postern ca issue client')
    return lines.join('\n')
  },
  toJson: ({ name, fingerprints, passwords, held }) => ({ name, fingerprints, passwords, held }),
})

/** What the holder has passwords for. Whatever is wrong with those, a revocation does not wait for it. */
async function devicesOf(directory: string, holders: readonly HolderRecord[], name: string): Promise<readonly string[]> {
  const request = { do: 'list', name } as const
  try {
    const running = await askIfRunning(directory, { do: 'passwords', request })
    const listed = running === null ? await new PasswordDesk(directory).handle(holders, request) : ok(running.value)
    return listed.ok ? listed.value.passwords.map(({ device }) => device) : []
  } catch (error) {
    if (error instanceof Problem) return []
    throw error
  }
}

/** What waits in the queue of a running Postern and goes nowhere. */
async function countHeld(directory: string, name: string): Promise<number> {
  const held = await askIfRunning(directory, { do: 'queueList', filter: { state: 'held' }, limit: MOST_HELD })
  return held?.value.messages.filter(({ origin }) => origin.holder?.toLowerCase() === name.toLowerCase()).length ?? 0
}
