/** What the parts of a migration from Postfix work with. */

import type { OldAccess } from '../access-file.ts'
import type { Draft } from '../draft.ts'
import type { Source } from '../report.ts'
import type { SiteFiles } from '../site-files.ts'
import type { MainCf } from './main-cf.ts'
import type { Service } from './master-cf.ts'

export type PostfixSite = {
  readonly main: MainCf
  readonly services: readonly Service[]
  readonly files: SiteFiles
  readonly draft: Draft
  /** There is no access map in sendmail's form yet: an empty one. */
  readonly access: OldAccess
  readonly mailboxes: string | null
  /** Parameters that some part has spoken of. */
  readonly spokenOf: Set<string>
}

/** What Postfix does without being told. */
export function untold(text: string): Source {
  return { file: 'postfix', line: 0, text }
}
