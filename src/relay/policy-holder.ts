/**
 * The policy in force, made from the configuration and the access map, and swapped whole on reload.
 *
 * The workers, `explain`, `check` and the `[[test]]` cases all make it here, so that what is tested
 * is what decides.
 */

import type { Config } from '../core/config/schema.ts'
import { lintAccessMap } from '../core/policy/access-lint.ts'
import { parseAccessMap } from '../core/policy/access-map.ts'
import type { AccessMap, AccessProblem, ParsedAccessMap } from '../core/policy/access-map.ts'
import { addressTerms } from '../core/policy/client-terms.ts'
import type { AddressTerms } from '../core/policy/client-terms.ts'
import { decide } from '../core/policy/decide.ts'
import type { Answer, ClientHost, KnownFacts, Question } from '../core/policy/decision.ts'
import { parseRecipientList } from '../core/policy/recipient-list.ts'
import type { RecipientList } from '../core/policy/recipient-list.ts'
import { sessionTerms } from '../core/policy/session-terms.ts'
import type { TermsAnswer } from '../core/policy/session-terms.ts'
import { compilePolicy, posternFeatures, sendmailReading } from '../core/policy/policy.ts'
import type { Policy, PolicySource } from '../core/policy/policy.ts'

/** The access map's text, and the name that its lines are known by in explanations. */
export type AccessSource = {
  readonly accessText: string
  readonly accessFile: string
  /** The text of `checks.recipients`, if there is such a file. */
  readonly recipientsText?: string | null
  /** The same text, if it has been read already. */
  readonly read?: AccessMap
}

export class PolicyHolder {
  #policy: Policy

  constructor(config: Config, source: AccessSource) {
    this.#policy = policyOf(config, source)
  }

  /** The one in force, for those who ask it themselves. */
  get current(): Policy {
    return this.#policy
  }

  /**
   * For questions to come; decisions that were made stay as they are. A map that is the same is not read
   * again: a million lines take seconds, in which nobody is served.
   */
  replace(config: Config, source: AccessSource): void {
    this.#policy = policyOf(config, source, this.#policy)
  }

  /** What the map says of clients from this address, whatever they ask. */
  readonly addressTerms = (address: string): AddressTerms => addressTerms(this.#policy, address)

  readonly sessionTerms = (host: ClientHost): TermsAnswer => sessionTerms(this.#policy, host)

  readonly decide = (question: Question, facts: KnownFacts, id: string): Answer => decide(this.#policy, question, facts, id)
}

/** Of a list that has been read without a problem before. */
function recipientsIn(text: string | null): RecipientList | null {
  const list = text === null ? null : parseRecipientList(text)
  return list?.ok === true ? list.value : null
}

/** Of a map that `accessProblems` has no error for. */
export function policyOf(config: Config, { accessText, accessFile, recipientsText, read }: AccessSource, before: Policy | null = null): Policy {
  const access = [before?.access, read].find(map => map?.isReadFrom(accessText, accessFile)) ?? parseAccessMap(accessText, accessFile).map
  const source: PolicySource = {
    access,
    hostname: config.hostname,
    localDomains: [],
    relayDomains: config.relay.domains,
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: config.relay.senderBinding,
    etrn: config.etrn,
    checks: config.checks,
    recipients: recipientsIn(recipientsText ?? null),
    headerFromBinding: config.relay.headerFromBinding,
    logins: {
      mx: config.listeners.mx.authentication,
      submission: config.listeners.submission.authentication,
      submissions: config.listeners.submissions.authentication,
      lmtp: config.listeners.lmtp.authentication,
    },
    features: {
      ...posternFeatures,
      ...(config.relay.compatibility === 'sendmail' ? sendmailReading : {}),
      relayHostsOnly: !config.relay.subdomains,
      lmtpMayRelay: config.listeners.lmtp.relay,
    },
  }
  return compilePolicy(source, before)
}

/**
 * What is wrong with an access map. With an error in it the file must not be used; one that is to be
 * read as sendmail reads it has no errors, as little as it has for sendmail.
 */
export function accessProblems(config: Config, { accessText, accessFile }: AccessSource): readonly AccessProblem[] {
  return problemsOf(config, parseAccessMap(accessText, accessFile))
}

/** The same of one that has been read. */
export function problemsOf({ relay }: Config, { map, problems }: ParsedAccessMap): readonly AccessProblem[] {
  const all = [...problems, ...lintAccessMap(map, relay.compatibility)].sort((a, b) => a.line - b.line)
  return relay.compatibility === 'sendmail' ? all.map(problem => ({ ...problem, severity: 'warning' })) : all
}
