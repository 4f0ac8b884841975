/**
 * A certificate's name that was written with its blanks, as people and `openssl` show it.
 *
 * `CERTISSUER:/O=Example/CN=Example CA RELAY` is a key up to the first blank, and a value that means
 * nothing. Where such a value ends in one that does, the rest of it belongs to the name.
 */

import { tagOf } from './access-survey.ts'
import { foldCase } from './access-map.ts'
import type { AccessEntry } from './decision.ts'

export type Torn = { /** The key as it was meant, blanks and all. */ readonly key: string; readonly value: string }

/** Null if the value stands for itself. */
export function tornName({ key, value }: Pick<AccessEntry, 'key' | 'value'>): Torn | null {
  if (!NAME_TAGS.has(tagOf(foldCase(key)))) return null
  const [, rest, word] = ENDS_IN_VALUE.exec(value) ?? []
  return rest === undefined || word === undefined ? null : { key: `${key} ${rest}`, value: word }
}

const NAME_TAGS: ReadonlySet<string> = new Set(['certissuer', 'certsubject', 'certissuer~', 'certsubject~'])

/** Not `RELAY:@example.net, joe@example.com` and not the text of an `ERROR:`. */
const ENDS_IN_VALUE = /^(?!RELAY:|ERROR:|QUARANTINE:)(\S.*?)[ \t]+(RELAY|SUBJECT|OK|REJECT)[ \t\r]*$/i
