/** Where a message came from and on whose word it was taken, as it is kept with the message. */

import type { Origin } from '../core/message/envelope.ts'
import type { Asker } from '../core/policy/decision.ts'

export function originOf(sessionId: string, { listener, host, hello, identity, authentication }: Asker, isKnown: boolean): Origin {
  const account = authentication?.account
  const certificate = identity.kind === 'verified' ? identity : null
  return {
    sessionId,
    listener,
    address: host.address,
    hello,
    fingerprint: certificate?.certificate.fingerprint ?? null,
    holder: account?.holder.name ?? certificate?.holder?.name ?? null,
    passwordId: account?.passwordId ?? null,
    isKnown,
  }
}
