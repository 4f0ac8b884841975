/** What the checks of an access map tell each other. */

import type { AccessProblem } from './access-map.ts'

/** A problem of one entry, before its place is added. */
export type LintFinding = Pick<AccessProblem, 'rule' | 'text' | 'suggestion'>

/** What the rest of the map says that decides whether an entry has a use. */
export type LintContext = {
  readonly hasSubjectIssuer: boolean
  readonly hasSubjects: boolean
  /** Words that a `CITag:` requirement names, in lower case. */
  readonly issuerTags: ReadonlySet<string>
}

export function found(rule: string, text: string, suggestion: string | null): LintFinding {
  return { rule, text, suggestion }
}
