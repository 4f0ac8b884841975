/** A process for crash tests: makes an authority, issues and revokes, and says what it was promised. */

import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { initAuthority } from '../../src/io/authority-folder.ts'
import type { AuthorityRequest } from '../../src/relay/admin.ts'

const [folder = ''] = process.argv.slice(2)
const location = { folder, passphrase: null, now: () => Date.now(), randomBytes: (size: number) => randomBytes(size) }
const made = await initAuthority({ ...location, organisation: 'example.org', hostname: 'mail.example.org', caName: null, keyType: 'p256' })
if (!made.ok) throw new Error(made.problem)
const authority = made.value
say('made')
await act(issue('joe'))
await act(issue('ann'))
await act({ do: 'revoke', name: 'joe' })
await act({ do: 'remove', name: 'joe' })
await act(issue('joe'))
await authority.close()

async function act(request: AuthorityRequest): Promise<void> {
  const result = await authority.handle(request)
  if (!result.ok) throw new Error(result.problem)
  const { answer } = result
  if (answer.kind === 'issuedClient') say(`issued ${answer.issued.fingerprint}`)
  if (answer.kind === 'revoked') for (const fingerprint of answer.fingerprints) say(`revoked ${fingerprint}`)
}

function issue(name: string): AuthorityRequest {
  return { do: 'issueClient', name, kind: 'person', addresses: [`${name}@example.org`], dnsNames: [], senders: [], keyType: 'p256', days: 365, format: 'pem' }
}

/** At once, and past all buffers of ours: what was said before a crash was said. */
function say(line: string): void {
  writeSync(1, `${line}\n`)
}
