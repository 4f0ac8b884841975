/**
 * Where the policy differs from Sendmail on purpose, each with its reason.
 *
 * An entry matches as little as it can: a difference that it takes for its own is one that nobody sees.
 */

import { judgeClient, playRelaySession } from '../../vectors/access-relay.ts'
import type { RelayAnswer, RelaySession } from '../../vectors/access-relay.ts'
import type { ClientIdentity } from '../../../src/core/names/identity.ts'
import type { GeneratedSession } from './generate.ts'

export type Difference = {
  readonly session: GeneratedSession
  readonly asked: RelaySession
  readonly sendmail: RelayAnswer
  readonly postern: RelayAnswer
}

export type KnownDifference = { readonly reason: string; readonly matches: (difference: Difference) => boolean }

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    // The client would take it that its command was obeyed, and Sendmail has not: RFC 5321 §4.2.1.
    reason: 'A text with a code that refuses nothing, such as 250 or 354, or that is none, refuses. Sendmail sends it as it stands, and is out of step or lets the client in.',
    matches: ({ asked, postern }) => postern.enhanced === '5.3.0' && /\t(?:ERROR:(?:\S+:)?)?[0-36-9]\d\d /i.test(asked.access),
  },
  {
    // RFC 5321 §4.1.3: there is nothing to look up in it.
    reason: 'A sender at an address literal is taken. Sendmail wants that address to have a name in DNS.',
    matches: ({ asked, sendmail }) =>
      !asked.config.features.includes('accept_unresolvable_domains') && /@\[[^\]]+\]>$/.test(asked.mailFrom) && sendmail.enhanced === '5.1.8',
  },
  {
    // So it does without delay_checks only: the reason is one of the connection, and each message begins without one.
    reason: 'QUARANTINE for a client holds its messages. Sendmail logs that it does, and forgets it at MAIL.',
    matches: ({ asked, sendmail, postern }) =>
      sendmail.action === 'accept' && postern.action === 'quarantine' && judgeClient(asked) === 'quarantine',
  },
  {
    // A UTF-8 letter and the text of its octets are the same to a map; Sendmail lets the one pass for the other (S7).
    reason: 'A name in a certificate that is written as another name can be finds no line. Sendmail finds it.',
    matches: ({ asked, sendmail }) => {
      const { identity } = asked
      if (identity?.kind !== 'verified' || (identity.certificate.ambiguousNames ?? []).length === 0) return false
      const taken: ClientIdentity = { ...identity, certificate: { ...identity.certificate, ambiguousNames: [] } }
      return isSame(playRelaySession({ ...asked, identity: taken }), sendmail)
    },
  },
]

export function isSame(one: RelayAnswer, other: RelayAnswer): boolean {
  return one.action === other.action && one.step === other.step && one.code === other.code && one.enhanced === other.enhanced
}
