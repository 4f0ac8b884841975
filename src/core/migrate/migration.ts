/** What comes of a migration, whatever program the site had. */

import type { ListenerName } from '../policy/decision.ts'
import type { CopiedFile } from './draft.ts'
import type { Item } from './report.ts'

export type Migration = {
  readonly hostname: string
  /** The domain in the names of the new authority. */
  readonly organisation: string
  /** postern.toml, which loads. */
  readonly config: string
  /** The access map, given the name of the new authority. */
  readonly access: (issuer: string) => string
  readonly copies: readonly CopiedFile[]
  readonly items: readonly Item[]
  /** For comparing with the old log: which listener each daemon became, and whose certificates count. */
  readonly listeners: ReadonlyMap<string, ListenerName>
  readonly clientAuthorities: readonly string[]
}

/** By file and line: the configuration first, then the tables; what stands in no line comes last. */
export function inOrder(items: readonly Item[], main: string): readonly Item[] {
  const files = [...new Set([main, ...items.filter(({ line }) => line > 0).map(({ file }) => file)])]
  const rank = ({ file, line }: Item): number => (line === 0 ? files.length : files.indexOf(file))
  return [...items].sort((a, b) => rank(a) - rank(b) || a.line - b.line)
}
