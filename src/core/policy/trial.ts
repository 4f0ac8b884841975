/**
 * A whole transaction put to the policy without anybody sending mail.
 *
 * The questions are those of a session, in a session's order, up to the first that is not accepted,
 * and asked for a client that has shown no more than such a session would have let it show.
 * `explain`, `check` and the `[[test]]` cases ask here.
 */

import { decide } from './decide.ts'
import type { Asker, Decision, KnownFacts, Missing, Question } from './decision.ts'
import { NO_CHECKS } from './site-checks.ts'
import type { Policy } from './policy.ts'
import { askerAsServed } from './withheld-proof.ts'

export type Trial = {
  readonly asker: Asker
  readonly reversePath: string
  readonly forwardPath: string
}

export type Step = { readonly question: Question; readonly decision: Decision }

/** `steps` has at least one member; the last one decides. */
export type TrialAnswer =
  | { readonly kind: 'decided'; readonly steps: readonly Step[] }
  /** Find it out and ask again from the start. */
  | { readonly kind: 'missing'; readonly missing: Missing }

export function tryOut(policy: Policy, trial: Trial, facts: KnownFacts, id: string): TrialAnswer {
  const asker = askerAsServed(policy, trial.asker)
  if (asker === null) return { kind: 'missing', missing: { kind: 'clientName' } }
  const steps: Step[] = []
  for (const question of questionsOf({ ...trial, asker })) {
    const answer = decide(policy, question, facts, id)
    if (answer.kind === 'missing') return answer
    steps.push({ question, decision: answer.decision })
    if (answer.decision.verdict !== 'accept') break
  }
  return { kind: 'decided', steps }
}

/**
 * The same with DNS left out, for questions about what is written and nothing else: sender domains
 * exist, no client has a host name, nobody else's domain has us among its MX hosts, and strangers are
 * asked nothing.
 */
export function tryOutWithoutDns(policy: Policy, trial: Trial, id: string): readonly Step[] {
  const domainExists = new Map<string, 'yes'>()
  const isMxFor = new Map<string, 'no'>()
  let { asker } = trial
  for (;;) {
    const answer = tryOut({ ...policy, checks: NO_CHECKS }, { ...trial, asker }, { domainExists, isMxFor }, id)
    if (answer.kind === 'decided') return answer.steps
    const { missing } = answer
    if (missing.kind === 'clientName') asker = { ...asker, host: { ...asker.host, name: { resolve: 'FAIL' } } }
    else if (missing.kind === 'domainExists') domainExists.set(missing.domain, 'yes')
    else if (missing.kind === 'isMxFor') isMxFor.set(missing.domain, 'no')
  }
}

function questionsOf({ asker, reversePath, forwardPath }: Trial): readonly Question[] {
  const beforeTls: Asker = { ...asker, identity: { kind: 'plaintext' }, authentication: null }
  return [
    { kind: 'connection', asker: beforeTls },
    ...(asker.identity.kind === 'plaintext' ? [] : [{ kind: 'handshake', asker } as const]),
    { kind: 'sender', asker, reversePath },
    { kind: 'recipient', asker, reversePath, forwardPath },
  ]
}
