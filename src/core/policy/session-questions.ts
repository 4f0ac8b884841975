/**
 * Questions of a session that are not about mail: service at all, TLS, whom a client may speak for, whose queue it may
 * wake.
 *
 * Most come up only where the session knows already that it will refuse; it asks, so that the refusal has reasons and
 * an id like every other.
 */

import { covers, formatNode, grantsOf, type EtrnNode } from '../smtp/etrn.ts'
import { accessAddress } from './client-address.ts'
import type { AccessEntry, PolicyReply } from './decision.ts'
import { ACCEPT, CLIENT_NAME_MISSING, because, note, noteSetting } from './finding.ts'
import type { Finding } from './finding.ts'
import { identityThatCounts, noteOtherProof } from './login.ts'
import type { Inquiry } from './lookups.ts'
import { etrnNotAllowed, identityLost, noServiceNow, noTlsNow, xclientNotAllowed } from './refusals.ts'
import { sessionTerms } from './session-terms.ts'

/** `Srv_Features:` with `temp…`: no service for now. Null if no line says so. */
export function checkService(inquiry: Inquiry): Finding | null {
  const answer = sessionTerms(inquiry.policy, inquiry.asker.host)
  if (answer.kind === 'missing') return CLIENT_NAME_MISSING
  const { features, sources } = answer.terms
  if (!features.refusesForNow) return null
  return refuseBy(inquiry, sources.features, 'serviceRefused', 'the entry has no service for this client for now', noServiceNow(inquiry.policy.hostname))
}

/** `TLS_Srv_Features:` that cannot be read leave a client without TLS rather than with less of it. */
export function refuseTls(inquiry: Inquiry): Finding {
  const answer = sessionTerms(inquiry.policy, inquiry.asker.host)
  if (answer.kind === 'missing') return CLIENT_NAME_MISSING
  return refuseBy(inquiry, answer.terms.sources.tls, 'tlsSettingsUnreadable', 'these settings of TLS cannot be read, and so there is none', noTlsNow)
}

export function refuseXclient(inquiry: Inquiry): Finding {
  const { listener, host } = inquiry.asker
  const text = `listeners.${listener}.xclient-from does not have ${accessAddress(host.address)}, or a proxy has named it`
  return because(inquiry, 'xclientNotAllowed', text, { kind: 'refuse', reply: xclientNotAllowed })
}

/** Only who is in our register has a name to compare with. */
export function checkEtrn(inquiry: Inquiry, node: EtrnNode): Finding {
  const identity = identityThatCounts(inquiry)
  const { etrn } = inquiry.policy
  if (covers(grantsOf(etrn, identity), node)) return ACCEPT
  const about = etrn.filter(({ domain }) => covers([{ domain, holders: [] }], node))
  for (const { domain, holders } of about) noteSetting(inquiry, 'etrn', `${domain} for ${holders.join(', ')}`)
  if (about.length === 0) note(inquiry, `no [[etrn]] has ${formatNode(node)}`)
  if (identity.kind !== 'verified') noteOtherProof(inquiry)
  const who = identity.kind === 'verified' && identity.holder !== null ? `${identity.holder.name} may not ask for this domain` : 'the client is nobody of "postern user list"'
  return because(inquiry, 'etrnNotAllowed', who, { kind: 'refuse', reply: etrnNotAllowed(formatNode(node)) })
}

export function refuseStanding(inquiry: Inquiry, holder: string | null): Finding {
  const whose = holder === null ? 'of this session' : `of ${holder}`
  return because(inquiry, 'identityLost', `the certificate or password ${whose} has been revoked or taken away while the session lasted`, { kind: 'refuse', reply: identityLost })
}

function refuseBy(inquiry: Inquiry, entry: AccessEntry | null, rule: string, text: string, reply: PolicyReply): Finding {
  if (entry !== null) inquiry.because.push({ kind: 'lookedUp', key: entry.key, entry })
  return because(inquiry, rule, text, { kind: 'refuse', reply })
}
