/**
 * Lines of the access map that keep a client from proving who it is: STARTTLS or AUTH is not offered
 * to it, or it is asked for no certificate.
 *
 * A session obeys them before there is anything to decide. So a trial must leave out what such a
 * client could never have shown, and a refusal names the line.
 */

import { withoutCertificate } from '../names/identity.ts'
import type { AccessEntry, Asker, Reason } from './decision.ts'
import { note } from './finding.ts'
import type { Inquiry } from './lookups.ts'
import type { Policy } from './policy.ts'
import { sessionTerms } from './session-terms.ts'
import type { SessionTerms } from './session-terms.ts'

type Withheld = { readonly proof: 'tls' | 'certificate' | 'login'; readonly entry: AccessEntry; readonly words: string }

/** What this client can show of what it has. Null while its name is missing. */
export function askerAsServed(policy: Policy, asker: Asker): Asker | null {
  if (asker.identity.kind === 'plaintext' && asker.authentication === null) return asker
  const answer = sessionTerms(policy, asker.host)
  if (answer.kind === 'missing') return null
  const proofs = withheldBy(answer.terms, asker).map(({ proof }) => proof)
  const isInClear = proofs.includes('tls')
  const shown = proofs.includes('certificate') ? withoutCertificate(asker.identity) : asker.identity
  return {
    ...asker,
    identity: isInClear ? { kind: 'plaintext' } : shown,
    // A password is taken within TLS only.
    authentication: isInClear || proofs.includes('login') ? null : asker.authentication,
  }
}

/** Names the lines that kept the client from showing what it lacks. */
export function noteWithheld(inquiry: Inquiry): void {
  const { asker, policy } = inquiry
  const answer = sessionTerms(policy, asker.host)
  if (answer.kind === 'missing') return
  for (const { proof, entry, words } of withheldBy(answer.terms, asker)) {
    if (!lacks(inquiry, proof)) continue
    inquiry.because.push({ kind: 'lookedUp', key: entry.key, entry })
    note(inquiry, `${words} (${entry.file}:${entry.line} ${entry.key} ${entry.value})`)
  }
}

/** The line that `noteWithheld` has named for want of a certificate. */
export function certificateWithheldBy(because: readonly Reason[]): AccessEntry | null {
  const at = because.findIndex(reason => reason.kind === 'fact' && FOR_CERTIFICATES.some(words => reason.text.startsWith(`${words} (`)))
  const before = because[at - 1]
  return before?.kind === 'lookedUp' ? before.entry : null
}

const HIDDEN = 'STARTTLS was not offered'
const BROKEN = 'STARTTLS was answered with 454'
const UNASKED = 'a certificate was not asked for'
const FOR_CERTIFICATES = [HIDDEN, BROKEN, UNASKED]

/** On `submissions` TLS is there before anything is offered. */
function withheldBy({ features, handshake, sources }: SessionTerms, { listener }: Asker): readonly Withheld[] {
  const found: Withheld[] = []
  const add = (proof: Withheld['proof'], entry: AccessEntry | null, words: string): void => void (entry !== null && found.push({ proof, entry, words }))
  if (listener !== 'submissions' && features.startTls === 'hidden') add('tls', sources.features, HIDDEN)
  if (listener !== 'submissions' && features.startTls === 'broken') add('tls', sources.tls, BROKEN)
  if (!handshake.asksForCertificate) add('certificate', sources.features, UNASKED)
  if (!features.authentication) add('login', sources.features, 'AUTH was not offered')
  return found
}

function lacks({ asker, policy }: Inquiry, proof: Withheld['proof']): boolean {
  const { identity, authentication, listener } = asker
  switch (proof) {
    case 'tls':
      return identity.kind === 'plaintext'
    case 'certificate':
      return identity.kind === 'anonymous'
    case 'login':
      return authentication === null && policy.logins[listener] !== 'certificate'
  }
}
