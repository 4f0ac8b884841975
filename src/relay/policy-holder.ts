/**
 * The policy in force, made from the configuration and the access map, and swapped whole on reload.
 *
 * The workers, `explain`, `check` and the `[[test]]` cases all make it here, so that what is tested
 * is what decides.
 */

import type { Config } from '../core/config/schema.ts'
import { lintAccessMap } from '../core/policy/access-lint.ts'
import { parseAccessMap } from '../core/policy/access-map.ts'
import type { AccessProblem } from '../core/policy/access-map.ts'
import { decide } from '../core/policy/decide.ts'
import type { Answer, KnownFacts, Question } from '../core/policy/decision.ts'
import { compilePolicy, posternFeatures } from '../core/policy/policy.ts'
import type { Policy } from '../core/policy/policy.ts'

/** The access map's text, and the name that its lines are known by in explanations. */
export type AccessSource = { readonly accessText: string; readonly accessFile: string }

export class PolicyHolder {
  #policy: Policy

  constructor(config: Config, source: AccessSource) {
    this.#policy = policyOf(config, source).policy
  }

  /** For questions to come; decisions that were made stay as they are. */
  replace(config: Config, source: AccessSource): void {
    this.#policy = policyOf(config, source).policy
  }

  readonly decide = (question: Question, facts: KnownFacts, id: string): Answer => decide(this.#policy, question, facts, id)
}

export function policyOf(
  config: Config,
  { accessText, accessFile }: AccessSource,
): { readonly policy: Policy; readonly problems: readonly AccessProblem[] } {
  const { map, problems } = parseAccessMap(accessText, accessFile)
  const policy = compilePolicy({
    access: map,
    hostname: config.hostname,
    localDomains: [],
    relayDomains: config.relay.domains,
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: config.relay.senderBinding,
    features: posternFeatures,
  })
  return { policy, problems: [...problems, ...lintAccessMap(map)] }
}
