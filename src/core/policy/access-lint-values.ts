/**
 * Values that are not what they seem: words that are no keyword, letters and numbers that sendmail
 * reads over.
 */

import { nearest } from '../config/nearest.ts'
import { isWord, parseAccessValue } from './access-value.ts'
import { found, harmless } from './access-lint-finding.ts'
import type { LintFinding, Reading } from './access-lint-finding.ts'
import type { AccessEntry } from './decision.ts'

const WORDS = ['RELAY', 'OK', 'REJECT', 'DISCARD', 'SKIP', 'ERROR', 'QUARANTINE']

/** Of hosts, senders and recipients: a value that is no keyword refuses. */
export function lintValue({ value }: AccessEntry, takesFriends = false): readonly LintFinding[] {
  const { kind } = parseAccessValue(value)
  if (kind === 'friend' || kind === 'hater') {
    return takesFriends ? [] : [found('friendWord', `${value} belongs to Spam: lines, and refuses here with 553 5.3.0`)]
  }
  if (kind !== 'unknown') return []
  const word = nearest(value.trim().split(/[\s:]/)[0] ?? '', WORDS)
  const advice = word === null || word === 'ERROR' || word === 'QUARANTINE' ? 'write RELAY, OK, REJECT, DISCARD, QUARANTINE:text or ERROR:5.7.1:550 text' : null
  return [found('unknownValue', `"${value}" is no keyword: sendmail refuses with 553 5.3.0`, advice === null ? word : null, advice)]
}

/** Srv_Features and Clt_Features: single letters, with blanks between them. */
export function lintFeatures({ value }: AccessEntry): readonly LintFinding[] {
  if (/^temp/i.test(value)) return []
  const wrong = value.split(/[ \t]+/).find(word => word !== '' && !/^(?:[a-z]|[gu]2)$/i.test(word))
  if (wrong === undefined) return []
  return [found('featureLetters', `"${wrong}" is more than one letter: sendmail reads the first of them, or none`, [...wrong].join(' '))]
}

export function lintTryTls({ value }: AccessEntry): readonly LintFinding[] {
  if (isWord(value, 'NO') || isWord(value, 'OK') || /^yes\s*$/i.test(value)) return []
  return [found('tryTlsValue', `"${value}" is not NO: sendmail uses TLS with this server`, 'NO')]
}

/** GreetPause, ClientRate, ClientConn. */
export function lintNumber({ value }: AccessEntry): readonly LintFinding[] {
  return /^\d+\s*$/.test(value) ? [] : [found('number', `"${value}" is no number, and sets no limit`)]
}

/** Tags that are read in full and that this version of the relay acts upon nowhere. */
export function lintApplied(tag: string, { key }: AccessEntry, reading: Reading): readonly LintFinding[] {
  const advice = NOT_APPLIED.get(tag)
  const words = key.slice(0, tag.length + 1)
  return advice === undefined || reading === 'sendmail' ? [] : [harmless('notApplied', `Postern reads ${words} and does not act on it`, null, advice)]
}

const NOT_APPLIED: ReadonlyMap<string, string> = new Map([
  ['tls_clt_features', 'set tls for the next hop in a [[route]], or delivery.tls for all'],
  ['srv_features', 'every client is offered the same'],
  ['tls_srv_features', 'TLS is the same for all clients'],
  ['greetpause', 'clients that talk before the greeting are refused without it'],
  ['clientrate', 'limits.connections-per-address holds for all'],
  ['clientconn', 'limits.connections-per-address holds for all'],
  ['authinfo', 'Postern presents its certificate to next hops'],
])
