/** What the checks of an access map tell each other. */

import type { AccessMap, AccessProblem } from './access-map.ts'
import type { NetworkIndex } from './networks.ts'

/** A problem of one entry, before its place is added. */
export type LintFinding = Pick<AccessProblem, 'rule' | 'text' | 'suggestion' | 'advice' | 'severity'>

/** Who reads the map: sendmail knows neither our own tags nor networks in CIDR form. */
export type Reading = 'postern' | 'sendmail'

/** What the rest of the map says that decides whether an entry has a use. */
export type LintContext = {
  readonly reading: Reading
  readonly map: AccessMap
  readonly hasSubjectIssuer: boolean
  readonly hasSubjects: boolean
  /** Some entry is about who a client proves to be. */
  readonly namesIdentities: boolean
  /** Words that a `CITag:` requirement names, in lower case. */
  readonly issuerTags: ReadonlySet<string>
  /** All that lines begin with, known or not, in lower case. */
  readonly tags: ReadonlySet<string>
  /** Those of the lines so far. */
  readonly networks: NetworkIndex
  readonly patterns: { [Tag in 'certissuer~' | 'certsubject~']: number }
}

/** An entry that sendmail would take for something else than it says. `suggestion` could stand in its place. */
export function found(rule: string, text: string, suggestion: string | null = null, advice: string | null = null): LintFinding {
  return { rule, text, suggestion, advice, severity: 'error' }
}

/** An entry that does less than it seems to, and lets nobody in and nothing through by that. */
export function harmless(rule: string, text: string, suggestion: string | null = null, advice: string | null = null): LintFinding {
  return { rule, text, suggestion, advice, severity: 'warning' }
}

/** An entry that is never found. */
export function never(rule: string, what: string, suggestion: string | null = null, advice: string | null = null): LintFinding {
  return found(rule, `${what}: sendmail never finds this line`, suggestion, advice)
}
