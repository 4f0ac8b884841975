/**
 * Postfix's look-up tables, as far as they are text: `hash:/etc/postfix/transport` and its like.
 */

import type { Source } from '../report.ts'
import type { SiteFiles, SiteText } from '../site-files.ts'

export type TableEntry = Source & { readonly key: string; readonly value: string }

type FoundTable =
  | { readonly kind: 'entries'; readonly type: string; readonly entries: readonly TableEntry[] }
  | { readonly kind: 'missing'; readonly path: string }
  /** A database, a directory, an expression: nothing that can be read as lines. */
  | { readonly kind: 'unreadable'; readonly type: string }

/** Text that postmap makes a table of; `cidr` is read as it is. */
const TEXT_TYPES: ReadonlySet<string> = new Set(['hash', 'btree', 'lmdb', 'cdb', 'dbm', 'sdbm', 'texthash', 'cidr'])

/** True for `type:/path`. */
export function isTable(member: string): boolean {
  return /^(?:proxy:)?[a-z]+:/.test(member) && !/^[a-z]+:\[/.test(member)
}

export function readTable(files: SiteFiles, reference: string): FoundTable {
  const [, type = '', path = ''] = /^(?:proxy:)?([a-z]+):(.*)$/.exec(reference) ?? []
  if (!TEXT_TYPES.has(type)) return { kind: 'unreadable', type: type === '' ? reference : type }
  const found = files.read(path)
  return found === null ? { kind: 'missing', path } : { kind: 'entries', type, entries: entriesOf(found) }
}

/** A key, white space, a value; lines that begin with white space continue the one above. */
function entriesOf({ name, text }: SiteText): readonly TableEntry[] {
  const lines: Source[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const last = lines.at(-1)
    if (/^\s*(?:#|$)/.test(line)) continue
    if (/^\s/.test(line) && last !== undefined) lines[lines.length - 1] = { ...last, text: `${last.text} ${line.trim()}` }
    else lines.push({ file: name, line: index + 1, text: line.trim() })
  }
  return lines.map(line => {
    const [, key = '', value = ''] = /^(\S+)\s*(.*)$/.exec(line.text) ?? []
    return { ...line, key, value }
  })
}
