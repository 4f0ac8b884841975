/** postern user list */

import { formatInstant } from '../../../core/time.ts'
import type { HolderRecord } from '../../../relay/admin.ts'
import { defineCommand } from '../../command.ts'
import { relativeTime, table, type Look } from '../../output.ts'
import { askAuthority } from '../../running.ts'

export default defineCommand({
  summary: 'List the people and machines that hold certificates.',
  options: {},
  examples: ['postern user list', 'postern user list --json'],
  run: async ({ directory }) => ({ now: Date.now(), holders: (await askAuthority(directory, { do: 'list' }, 'listed')).holders }),
  render: ({ now, holders }, look) => {
    if (holders.length === 0) return 'Nobody holds a certificate. Issue one: postern user add NAME --email ADDRESS'
    const rows = holders.flatMap(holder => {
      const certificates = holder.certificates.map(certificate => [certificateState(certificate, now, look), certificate.fingerprint.slice(0, 16)])
      const first = [holder.name, holder.kind, holder.senders.join(' ') || 'any']
      return certificates.length === 0 ? [[...first, 'none', '']] : certificates.map((cells, index) => [...(index === 0 ? first : ['', '', '']), ...cells])
    })
    return table(['NAME', 'KIND', 'MAY SEND FROM', 'CERTIFICATE', 'FINGERPRINT'], rows, look)
  },
  toJson: ({ holders }) =>
    holders.map(holder => ({
      ...holder,
      certificates: holder.certificates.map(({ serial, fingerprint, subject, notBefore, notAfter, revokedAt }) => ({
        serial,
        fingerprint,
        subject,
        notBefore: formatInstant(notBefore),
        notAfter: formatInstant(notAfter),
        revokedAt: revokedAt === null ? null : formatInstant(revokedAt),
      })),
    })),
})

function certificateState(certificate: HolderRecord['certificates'][number], now: number, look: Look): string {
  if (certificate.revokedAt !== null) return look.bad(`revoked ${relativeTime(certificate.revokedAt, now)}`)
  if (certificate.notAfter <= now) return look.bad(`expired ${relativeTime(certificate.notAfter, now)}`)
  return look.good(`expires ${relativeTime(certificate.notAfter, now)}`)
}
