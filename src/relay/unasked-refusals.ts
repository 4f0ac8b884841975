/**
 * Refusals that are not the policy's answer, written down as if they were: for whoever asks `postern explain`, a limit
 * that leaves no room is a decision like any other.
 */

import type { Excess } from '../core/limits/limits.ts'
import type { Decision, PolicyReply, Question, Reason } from '../core/policy/decision.ts'
import { explainLoginFailure } from '../core/policy/failed-login.ts'
import { problemOf } from '../core/sasl/mechanisms.ts'
import type { LoginFailure } from '../core/sasl/script.ts'
import { authenticationRefusal, overLimit } from '../core/smtp/reply.ts'

/** The policy had accepted, for these reasons. */
export function limitDecision(id: string, excess: Excess, hostname: string, because: readonly Reason[]): Decision {
  const text = `${WHOSE[excess.of]} ${EXCEEDED[excess.what]}`
  return refusal(id, overLimit(excess, hostname), [...because.filter(({ kind }) => kind !== 'rule'), limitReason(excess), { kind: 'rule', rule: 'overLimit', text }])
}

/** Something is broken here, and nothing passes meanwhile. */
export function failureDecision(id: string, { kind }: Question, hostname: string, error: unknown): Decision {
  const reply = kind === 'connection' ? { code: 421, enhanced: '4.3.0', text: `${hostname} ${NOT_NOW}` } : { code: 451, enhanced: '4.3.0', text: CANNOT_DECIDE }
  const why = error instanceof Error ? error.message : String(error)
  return refusal(id, reply, [{ kind: 'rule', rule: 'policyFailed', text: `the policy could not be asked: ${why}` }])
}

/** Whoever keeps the passwords has refused it. */
export function loginDecision(id: string, mechanism: string, why: LoginFailure): Decision {
  const { code, enhanced, lines } = authenticationRefusal(problemOf(mechanism, why))
  return refusal(id, { code, enhanced: enhanced ?? '', text: lines.join(' ') }, [{ kind: 'rule', rule: why, text: explainLoginFailure(why) }])
}

function refusal(id: string, reply: PolicyReply, because: readonly Reason[]): Decision {
  return { id, verdict: 'refuse', reply, holdReason: null, relay: false, because }
}

/** Settings are known by `name = value`. */
function limitReason({ limit, entry }: Excess): Reason {
  if (entry !== null) return { kind: 'lookedUp', key: entry.key, entry }
  const [name = '', value = ''] = limit.split(' = ')
  return { kind: 'setting', name, value }
}

const NOT_NOW = 'The service is not available now; try again later'
const CANNOT_DECIDE = 'Cannot decide about this now; try again later'

const WHOSE: Record<Excess['of'], string> = {
  address: 'this address',
  network: 'the network of this address',
  identity: 'this identity',
  all: 'all clients together',
}

const EXCEEDED: Record<Excess['what'], string> = {
  openConnections: 'had as many connections open as the limit allows',
  connections: 'had opened as many connections as the limit allows',
  messages: 'had sent as many messages as the limit allows',
  recipients: 'had sent to as many recipients as the limit allows',
  bytes: 'had sent as many octets as the limit allows',
  errors: 'had made as many errors as the limit allows',
}
