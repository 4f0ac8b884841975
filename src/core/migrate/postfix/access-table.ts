/**
 * check_client_access, check_sender_access, check_recipient_access: Postfix's access tables to lines of
 * the access map.
 */

import { addEntry } from '../access-file.ts'
import type { Source } from '../report.ts'
import { MAPPED, networkKey } from './networks.ts'
import type { PostfixSite } from './site.ts'
import { readTable } from './table.ts'
import type { TableEntry } from './table.ts'

export type AccessTable = {
  readonly tag: 'Connect' | 'From' | 'To'
  /** OK lets the client relay. */
  readonly permits: boolean
}

export function carryAccessTable(site: PostfixSite, from: Source, reference: string, table: AccessTable): void {
  const { draft, files } = site
  const found = readTable(files, reference)
  if (found.kind === 'missing') return draft.todo(from, `${found.path} is not here: copy it into this folder and migrate again`)
  if (found.kind === 'unreadable') return draft.todo(from, `Postern looks up no ${found.type} tables: write ${table.tag}: lines in the access map`)
  draft.carried(from, `the lines of ${found.entries[0]?.file ?? reference}, each by itself`)
  for (const entry of found.entries) carryEntry(site, entry, table)
}

function carryEntry({ draft, access }: PostfixSite, entry: TableEntry, { tag, permits }: AccessTable): void {
  const action = actionOf(entry.value, tag, permits)
  if (action.kind === 'nothing') return draft.unneeded(entry, 'no objection, and no permission: what Postern does without a line')
  if (action.kind === 'exception') return draft.todo(entry, `This table says nothing of it. If a wider line of the table refuses, write "${tag}:${entry.key} OK", or RELAY if it may relay`)
  if (action.kind === 'unknown') return draft.todo(entry, 'Postern knows RELAY, OK, REJECT, DISCARD, QUARANTINE: and ERROR: in the access map: choose one')
  if (action.kind === 'believes') return draft.todo(entry, 'Postern does not let anybody relay because of the sender or recipient they name: give a certificate ("postern user add") to those who relied on it, or a Connect: line')
  const { value } = action
  const key = tag === 'Connect' && /[/:]|^\[?[\d.]+\]?$/.test(entry.key) ? networkKey(entry.key) : entry.key
  if (key === MAPPED || key === null || key.startsWith('.')) return draft.todo(entry, `${entry.key} is no key that can be written in the access map: a domain covers the hosts below it, a network is written as 192.0.2.0/24`)
  addEntry(draft, access, entry, `${tag}:${key}`, value)
}

type Action = { readonly kind: 'entry'; readonly value: string } | { readonly kind: 'nothing' } | { readonly kind: 'unknown' } | { readonly kind: 'believes' } | { readonly kind: 'exception' }

/** `OK`, `REJECT text`, `550 5.7.1 text`, `DUNNO`. */
function actionOf(value: string, tag: AccessTable['tag'], permits: boolean): Action {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(value) ?? []
  const as = (value: string): Action => ({ kind: 'entry', value })
  if (/^[45]\d\d$/.test(word)) return as(errorValue(word, rest))
  switch (word.toUpperCase()) {
    case 'OK':
    case 'PERMIT':
      if (!permits) return { kind: 'nothing' }
      return tag === 'Connect' ? as('RELAY') : { kind: 'believes' }
    case 'DUNNO':
      return { kind: 'exception' }
    case 'REJECT':
      return as(rest === '' ? 'REJECT' : errorValue('550', rest))
    case 'DEFER':
      return as(errorValue('450', rest === '' ? 'Try again later' : rest))
    case 'DISCARD':
      return as('DISCARD')
    case 'HOLD':
      return as(`QUARANTINE:${rest === '' ? 'held by the access map' : rest}`)
    default:
      // An all-numeric result is as good as OK.
      return /^\d+$/.test(word) && tag === 'Connect' && permits ? as('RELAY') : { kind: 'unknown' }
  }
}

function errorValue(code: string, text: string): string {
  const [, status = `${code.charAt(0)}.7.1`, words = ''] = /^(\d\.\d+\.\d+)?\s*(.*)$/.exec(text) ?? []
  return `ERROR:${status}:${code} ${words === '' ? 'Access denied' : words}`
}
