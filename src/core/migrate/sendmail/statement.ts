/**
 * What a sendmail configuration says, one statement for each thing said, whether it was written in
 * m4 or stands in a `.cf`.
 */

import type { Source } from '../report.ts'

export type Statement = Source & Saying

export type Saying =
  /** `O Name=value`, or the m4 variable that becomes one. */
  | { readonly kind: 'option'; readonly name: string; readonly value: string }
  /** An m4 variable that is no option: SMART_HOST, MAIL_HUB. `isUsed`: another line of the site has its name. */
  | { readonly kind: 'variable'; readonly name: string; readonly value: string; readonly isUsed: boolean }
  | { readonly kind: 'feature'; readonly name: string; readonly args: readonly string[] }
  /** Members of a class: `w`, `R`, `VirtHost`. */
  | { readonly kind: 'class'; readonly name: string; readonly members: readonly string[] }
  | { readonly kind: 'classFile'; readonly name: string; readonly path: string; readonly isOptional: boolean }
  /** Another word of the m4 vocabulary: MAILER, DAEMON_OPTIONS, INPUT_MAIL_FILTER. */
  | { readonly kind: 'word'; readonly name: string; readonly args: readonly string[] }
  /** A line of a `.cf` that is none of the above, by its letter. */
  | { readonly kind: 'line'; readonly letter: string }
  /** A line that nobody understands. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** An m4 variable that another definition took the place of. */
  | { readonly kind: 'overridden'; readonly by: string }
