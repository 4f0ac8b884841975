/**
 * Postfix's master.cf: which services run, and what they set anew.
 */

import type { Source } from '../report.ts'
import type { SiteText } from '../site-files.ts'

export type Service = Source & {
  readonly name: string
  readonly type: string
  readonly command: string
  /** `-o name=value` */
  readonly overrides: ReadonlyMap<string, string>
  /** What else the command is given. */
  readonly args: string
}

export function readServices({ name: file, text }: SiteText): readonly Service[] {
  const logical: Source[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const last = logical.at(-1)
    if (/^\s*(?:#|$)/.test(line)) continue
    if (/^\s/.test(line) && last !== undefined) logical[logical.length - 1] = { ...last, text: `${last.text} ${line.trim()}` }
    else logical.push({ file, line: index + 1, text: line.trim() })
  }
  return logical.flatMap(line => {
    // Name, type, four flags, process limit and command; the rest is the command's.
    const [name, type, , , , , , command, ...args] = line.text.split(/\s+/)
    if (name === undefined || type === undefined || command === undefined) return []
    const rest = args.join(' ')
    return [{ ...line, name, type, command, overrides: overridesIn(rest), args: rest }]
  })
}

/** `-o name=value` or `-o { name = value with blanks }` */
function overridesIn(args: string): ReadonlyMap<string, string> {
  const found = [...args.matchAll(/-o\s+(?:\{\s*(\w+)\s*=\s*([^}]*)\}|(\w+)=(\S*))/g)]
  return new Map(found.map(([, braced, bracedValue, name, value]) => [braced ?? name ?? '', (bracedValue ?? value ?? '').trim()]))
}
