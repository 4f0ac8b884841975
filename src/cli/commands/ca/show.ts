/** postern ca show */

import { X509Certificate } from 'node:crypto'
import { formatInstant } from '../../../core/time.ts'
import { defineCommand } from '../../command.ts'
import { fields, relativeTime } from '../../output.ts'
import { askAuthority } from '../../running.ts'

export default defineCommand({
  summary: 'Show the certificate authority: names, expiry, fingerprints.',
  options: { pem: { type: 'flag', describe: 'Print the root certificate, which clients trust, as PEM.' } },
  examples: ['postern ca show', 'postern ca show --pem > ca.pem'],
  run: async ({ args, directory }) => {
    const { authority } = await askAuthority(directory, { do: 'show' }, 'shown')
    return {
      now: Date.now(),
      pemOnly: args.pem,
      facts: {
        ...authority,
        rootFingerprint: fingerprint(authority.rootPem),
        issuingFingerprint: fingerprint(authority.issuingPem),
        rootNotAfter: formatInstant(authority.rootNotAfter),
        issuingNotAfter: formatInstant(authority.issuingNotAfter),
      },
    }
  },
  render: ({ now, pemOnly, facts }, look) => {
    if (pemOnly) return facts.rootPem.trimEnd()
    const validity = (until: string) => `until ${until} (${relativeTime(Date.parse(until), now)})`
    return fields(
      [
        ['root', facts.rootSubject],
        ['  valid', validity(facts.rootNotAfter)],
        ['  SHA-256', facts.rootFingerprint],
        ['issuing', facts.issuingSubject],
        ['  valid', validity(facts.issuingNotAfter)],
        ['  SHA-256', facts.issuingFingerprint],
        ['keys', facts.keyType],
        ['issued', String(facts.issued)],
        ['revoked', String(facts.revoked)],
      ],
      look,
    )
  },
  toJson: ({ facts }) => facts,
})

function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()
}
