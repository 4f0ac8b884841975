/**
 * Files with one name on a line: relay-domains, local-host-names.
 */

import type { Source } from './report.ts'
import type { SiteText } from './site-files.ts'

type ListedName = Source & { readonly member: string }

/** `#` first on a line is a comment, and only the first word of a line counts. */
export function listedNames({ name, text }: SiteText): readonly ListedName[] {
  return text.split('\n').flatMap((line, index) => {
    const member = line.startsWith('#') ? '' : (line.trim().split(/\s+/)[0] ?? '')
    return member === '' ? [] : [{ file: name, line: index + 1, text: line.trim(), member }]
  })
}
