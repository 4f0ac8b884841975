/**
 * An access map with its values under one another. Meaning, order, comments and line numbers stay.
 *
 * Lines that makemap would refuse stay as they are, for `access lint` to report, and so do names that
 * were written with their blanks, and lines so long that alignment could make them too long to be read. A
 * map with a zero byte in it stays whole: what the byte does depends on whether a newline follows.
 */

import { tornName } from './blank-in-name.ts'

const LONGEST_ALIGNED = 500
const WIDEST_KEY = 72
const TAB = 8

export function formatAccessMap(text: string): string {
  if (text === '' || text.includes('\0')) return text
  const lines = text.replace(/\n$/, '').split('\n')
  const formatted: string[] = []
  for (let at = 0; at < lines.length; ) {
    const block = lines.slice(at, endOfBlock(lines, at))
    formatted.push(...aligned(block))
    at += block.length
  }
  return `${formatted.join('\n')}\n`
}

/** Entries that follow each other without a comment or an empty line between are aligned together. */
function endOfBlock(lines: readonly string[], start: number): number {
  let end = start + 1
  if (entryOf(lines[start] ?? '') === null) return end
  while (end < lines.length && entryOf(lines[end] ?? '') !== null) end += 1
  return end
}

function aligned(block: readonly string[]): readonly string[] {
  const widths = block.map(line => entryOf(line)?.key.length ?? 0).filter(width => width <= WIDEST_KEY)
  // A tab always follows the key, so the next stop behind the widest one.
  const stops = Math.floor(Math.max(0, ...widths) / TAB) + 1
  return block.map(line => {
    const entry = entryOf(line)
    if (entry === null) return line.startsWith('#') ? line.trimEnd() : line
    const tabs = Math.max(1, stops - Math.floor(entry.key.length / TAB))
    return `${entry.key}${'\t'.repeat(tabs)}${entry.value}`
  })
}

/** Null for all that is no entry, or should not be touched. */
function entryOf(line: string): { readonly key: string; readonly value: string } | null {
  if (line.length > LONGEST_ALIGNED) return null
  const [, key, value] = /^([^\s#]\S*)[ \t]+(\S.*?)[ \t\r]*$/.exec(line) ?? []
  if (key === undefined || value === undefined) return null
  return tornName({ key, value }) === null ? { key, value } : null
}
