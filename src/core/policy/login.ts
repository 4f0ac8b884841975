/**
 * Which proof of identity counts: the certificate, a password, either, or both together.
 *
 * Whoever logs in with a password is judged as the holder it belongs to, by the same lines of the
 * access map as that holder's certificates, and bound to the same sender addresses. A certificate that
 * was shown beside it then says nothing: it may be another's.
 */

import { withoutCertificate, type ClientIdentity } from '../names/identity.ts'
import type { Asker, Reason } from './decision.ts'
import { note, noteSetting } from './finding.ts'
import type { Inquiry } from './lookups.ts'

/** What a listener wants; see `authentication` in postern.toml. */
export type LoginRule = 'certificate' | 'password' | 'any' | 'both'

/** What a client has shown of itself. */
type Shown = Pick<Asker, 'identity' | 'authentication'>

/** Who a client is, as far as a listener with such a rule takes its word for it. */
export function identityUnder(rule: LoginRule, asker: Shown): ClientIdentity {
  return lackingUnder(rule, asker) === null ? provedUnder(rule, asker) : withoutCertificate(asker.identity)
}

/** The same by the rule of the client's listener; what it lacked is noted. */
export function identityThatCounts(inquiry: Inquiry): ClientIdentity {
  const { asker, policy } = inquiry
  const rule = policy.logins[asker.listener]
  const lacking = lackingUnder(rule, asker)
  if (lacking !== null) {
    noteSetting(inquiry, settingFor(asker), rule)
    note(inquiry, WANTED[lacking])
  }
  return identityUnder(rule, asker)
}

/** To be said of a client that has proved nothing: a password would have been as good as a certificate. */
export function noteOtherProof({ asker, policy, because }: Inquiry): void {
  if (policy.logins[asker.listener] === 'any') because.push({ kind: 'setting', name: settingFor(asker), value: 'any' })
}

/** `noteOtherProof` has said so. */
export function passwordWouldDo(because: readonly Reason[]): boolean {
  return because.some(reason => reason.kind === 'setting' && SETTING.test(reason.name) && reason.value === 'any')
}

function settingFor({ listener }: Asker): string {
  return `listeners.${listener}.authentication`
}

const SETTING = /^listeners\.\w+\.authentication$/

function provedUnder(rule: LoginRule, asker: Shown): ClientIdentity {
  return (rule === 'any' || rule === 'password' ? identityByPassword(asker) : null) ?? asker.identity
}

function lackingUnder(rule: LoginRule, asker: Shown): Lacking | null {
  if (rule === 'password') return identityByPassword(asker) === null ? 'password' : null
  if (rule !== 'both') return null
  const { identity, authentication } = asker
  const account = authentication?.account
  if (account === undefined || identity.kind !== 'verified') return 'both'
  return identity.holder?.name === account.holder.name ? null : 'sameHolder'
}

/** For words: what the client's listener wants of it, and whether it has shown a password. */
export function proofWanted({ asker, policy }: Inquiry): { readonly wanted: LoginRule | 'sameHolder'; readonly byPassword: boolean } {
  const rule = policy.logins[asker.listener]
  const isOfTwo = lackingUnder(rule, asker) === 'sameHolder'
  return { wanted: isOfTwo ? 'sameHolder' : rule, byPassword: asker.authentication?.account !== undefined }
}

/** The holder of the password that was logged in with; null without one. */
export function identityByPassword({ identity, authentication }: Shown): ClientIdentity | null {
  const account = authentication?.account
  if (account === undefined || identity.kind === 'plaintext') return null
  return { kind: 'verified', tls: identity.tls, certificate: account.certificate, holder: account.holder }
}

/** For words: the client knows itself by its password rather than by a certificate. */
export function hasPassword({ asker }: Inquiry): boolean {
  return asker.authentication?.account !== undefined
}

const WANTED = {
  password: 'this listener wants a password, and certificates give nothing on it',
  both: 'this listener wants a certificate and a password of the same person or machine',
  sameHolder: 'this listener wants a certificate and a password of the same person or machine, and these belong to different ones',
} as const

export type Lacking = keyof typeof WANTED

/** What a client lacked that showed less than its listener wants; null if that was not the matter. */
export function proofLacking(because: readonly Reason[]): Lacking | null {
  const isNoted = (lacking: Lacking): boolean => because.some(reason => reason.kind === 'fact' && reason.text === WANTED[lacking])
  return (['password', 'both', 'sameHolder'] as const).find(isNoted) ?? null
}
