/**
 * The old access map, and the new one: the same lines with the same comments, at the same line
 * numbers, and below them what the old configuration said elsewhere.
 */

import { lintAccessMap } from '../policy/access-lint.ts'
import { foldCase, parseAccessMap } from '../policy/access-map.ts'
import type { AccessMap, AccessProblem } from '../policy/access-map.ts'
import type { AccessEntry } from '../policy/decision.ts'
import type { AddedEntry, Draft } from './draft.ts'
import { formatPlace, shown } from './report.ts'
import type { Source } from './report.ts'
import type { SiteText } from './site-files.ts'

export type OldAccess = {
  readonly name: string
  readonly text: string
  readonly map: AccessMap
  readonly problems: readonly AccessProblem[]
}

/** Without a file, a map that holds nothing. */
export function readOldAccess(found: SiteText | null): OldAccess {
  const { name, text } = found ?? { name: 'access', text: '' }
  const { map, problems } = parseAccessMap(text, name)
  return { name, text, map, problems: [...problems, ...lintAccessMap(map, 'sendmail')] }
}

/**
 * Sees to it that the new map loads. A line of ours that Postern refuses is taken back; for lines of
 * the old map that it would not load, the map is read as sendmail reads it until they are corrected.
 */
export function settleAccess(draft: Draft, old: OldAccess): void {
  for (;;) {
    const lines = writeNewAccess(old, draft.entries, ANY_ISSUER).split('\n')
    const refused = errorsIn(lines.join('\n')).map(({ line }) => lines[line - 1])
    const ours = draft.entries.filter(({ key, value }) => refused.includes(`${key}\t${value}`))
    if (ours.length === 0) return refused.length === 0 ? undefined : readAsSendmail(draft, refused.length)
    for (const { key, value, from } of ours) {
      draft.removeEntry(key)
      draft.todo(from, `"${key} ${value}" is no line that Postern loads: write what was meant into the access map`)
    }
  }
}

const ANY_ISSUER = '/O=Postern/CN=authority'

function errorsIn(text: string): readonly AccessProblem[] {
  const { map, problems } = parseAccessMap(text, 'access')
  return [...problems, ...lintAccessMap(map, 'postern')].filter(({ severity }) => severity === 'error')
}

function readAsSendmail(draft: Draft, count: number): void {
  const from = { file: 'access', line: 0, text: `${count} ${count === 1 ? 'line' : 'lines'} of the access map that Postern would not load` }
  draft.put(from, 'relay.compatibility', 'sendmail')
  draft.todo(from, 'relay.compatibility = "sendmail" reads the map as sendmail does, mistakes and all: correct those lines ("postern access lint" names them), then take this setting out')
}

/** `issuer` is the name of the new authority, in access-map form. */
export function writeNewAccess(old: OldAccess, added: readonly AddedEntry[], issuer: string): string {
  const faulty = new Set(old.problems.filter(({ faultyLine }) => faultyLine).map(({ line }) => line))
  const lines = old.text.replace(/\n$/, '').split('\n').map((line, index) => copiedLine(line, faulty.has(index + 1)))
  return [
    ...(old.text === '' ? [`# Who may relay, and whom nobody wants: sendmail's access map.`] : lines),
    '',
    '# ---- From here on: added by "postern migrate" ----',
    ...added.flatMap(({ key, value, from }, index) => [...(added[index - 1]?.from === from ? [] : ['', `# ${originOf(from)}`]), `${key}\t${value}`]),
    '',
    '# Everyone who holds a certificate of Postern\'s own authority may relay.',
    `CERTISSUER:${issuer}\tRELAY`,
    '',
  ].join('\n')
}

/** `Connect:192.0.2.0/24`: nothing to sendmail, a network to Postern. */
export function isNewlyMeant(line: string): boolean {
  return /^connect:[^\s/]*\/\d/i.test(line)
}

/** An entry of the old map as a line that something can be said about. */
export function sourceOf({ file, line, key, value }: AccessEntry): Source {
  return { file, line, text: isSecret(key) ? `${key} …` : `${key} ${value}` }
}

/** Adds a line, unless the old map answers for its key already. */
export function addEntry(draft: Draft, old: OldAccess, from: Source, key: string, value: string): void {
  const before = old.map.find(foldCase(key)) ?? old.map.find(foldCase(key.slice(key.indexOf(':') + 1)))
  if (before === null) {
    const words = draft.addEntry(from, key, value) ? '' : ' (once is enough)'
    return draft.carried(from, `access: ${key} ${value}${words}`)
  }
  const place = formatPlace(before)
  if (before.value.trim().toUpperCase() === value.toUpperCase()) return draft.carried(from, `${place} says the same`)
  draft.todo(from, `this would be "${key} ${value}" in the access map, and ${place} says "${shown(`${before.key} ${before.value}`)}": choose one`)
}

function originOf(from: Source): string {
  return from.line === 0 ? shown(from.text) : `${formatPlace(from)}: ${shown(from.text)}`
}

function copiedLine(line: string, isFaulty: boolean): string {
  if (isSecret(line)) return '# (an AuthInfo: line stood here; Postern does not use it, and it holds a password)'
  if (isNewlyMeant(line)) return `# never found by sendmail, and found by Postern: ${line}`
  return isFaulty ? `# makemap refused this line: ${line}` : line
}

function isSecret(line: string): boolean {
  return /^authinfo:/i.test(line)
}
