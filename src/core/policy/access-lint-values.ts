/**
 * Values that are not what they seem: words that are no keyword, letters and numbers that sendmail
 * reads over.
 */

import { nearest } from '../config/nearest.ts'
import { isWord, numberIn, parseAccessValue, tokensOf } from './access-value.ts'
import { found, harmless } from './access-lint-finding.ts'
import type { LintContext, LintFinding, Reading } from './access-lint-finding.ts'
import { parseClientTlsSession } from './client-tls-session.ts'
import type { AccessEntry } from './decision.ts'
import { LONGEST_PAUSE_MILLISECONDS, letters } from './session-terms.ts'
import { KEYS_WITHOUT_MEANING, parseTlsSettings } from './tls-session-settings.ts'

const WORDS = ['RELAY', 'OK', 'REJECT', 'DISCARD', 'SKIP', 'ERROR', 'QUARANTINE']

/** Of hosts, senders and recipients: a value that is no keyword refuses. */
export function lintValue({ value }: AccessEntry, takesFriends = false): readonly LintFinding[] {
  const action = parseAccessValue(value)
  const { kind } = action
  if (kind === 'quarantine' && action.reason === '') {
    return [found('unknownValue', `"${value}" has no text: sendmail holds mail of such a sender or recipient, and refuses such a client with 553 5.3.0`, null, 'write QUARANTINE:text')]
  }
  if (kind === 'friend' || kind === 'hater') {
    return takesFriends ? [] : [found('friendWord', `${value} belongs to Spam: lines, and refuses here with 553 5.3.0`)]
  }
  if (action.kind === 'reply' && action.reply.enhanced.charAt(0) !== String(action.reply.code).charAt(0)) {
    return [harmless('replyClass', `${action.reply.code} and ${action.reply.enhanced} say different things of whether to try again`, null, 'begin both with 4 for now, or with 5 for good')]
  }
  if (kind !== 'unknown') return []
  if (NO_REFUSAL.test(value)) return [found('unknownValue', `"${value}" has a code that refuses nothing: sendmail sends it as it stands, and may let them in`, null, 'write REJECT or ERROR:5.7.1:550 text')]
  const word = nearest(value.trim().split(/[\s:]/)[0] ?? '', WORDS)
  const advice = word === null || word === 'ERROR' || word === 'QUARANTINE' ? 'write RELAY, OK, REJECT, DISCARD, QUARANTINE:text or ERROR:5.7.1:550 text' : null
  return [found('unknownValue', `"${value}" is no keyword: sendmail refuses with 553 5.3.0`, advice === null ? word : null, advice)]
}

/** `250 fine`, `ERROR:2.0.0:250 fine`. */
const NO_REFUSAL = /^(?:ERROR:\s*(?:[^\s:]+:\s*)?)?[0-36-9]\d\d\s/i

/** Spam: lines. */
export function lintFriend({ value }: AccessEntry): readonly LintFinding[] {
  const { kind } = parseAccessValue(value)
  if (kind === 'friend' || kind === 'hater') return []
  return [found('friendValue', `"${value}" is neither FRIEND nor HATER, and changes nothing here`, nearest(value.trim(), ['FRIEND', 'HATER']), 'to refuse a recipient, write a To: line')]
}

/** Srv_Features: letters that change nothing here, each with the reason. */
export function lintServerFeatures(entry: AccessEntry, reading: Reading): readonly LintFinding[] {
  const wrong = lintFeatures(entry)
  if (wrong.length > 0 || reading === 'sendmail' || /^temp/i.test(entry.value)) return wrong
  return entry.value
    .split(/[ \t]+/)
    .filter(letter => letter !== '')
    .flatMap(letter => {
      const why = LETTERS_WITHOUT_MEANING.get(letter.slice(0, 1).toLowerCase())
      return why === undefined ? [] : [harmless('notApplied', `Postern does not act on "${letter}" in Srv_Features`, null, why)]
    })
}

/** The others are a, d, e, i, l, p, r, s, v. */
const LETTERS_WITHOUT_MEANING: ReadonlyMap<string, string> = new Map([
  ['b', 'there is no VERB'],
  ['c', 'a password needs TLS, always'],
  ['f', 'a client that does not wait for its turn is refused, always'],
  ['g', 'lines end with CRLF, always'],
  ['h', 'HTTP is refused, always'],
  ['o', 'only CRLF.CRLF ends a message, always'],
  ['u', 'lines end with CRLF, always'],
  ['x', 'EXPN tells nobody anything'],
  ...[...'jkmnqtwyz'].map(letter => [letter, 'sendmail knows no such letter'] as const),
])

/** `Srv_Features: V` for everybody, in a map that lets certificates relay. */
export function lintWithheld(rest: string, { key, value }: AccessEntry, { namesIdentities }: LintContext): readonly LintFinding[] {
  if (rest !== '' || !namesIdentities) return []
  const off = letters(value)
  const unasked = off.find(letter => letter === 'V' || letter === 'R')
  return [
    ...(unasked === undefined ? [] : [harmless('proofWithheld', `${unasked} for everybody: no client is asked for a certificate, and the lines for certificates let nobody in`, null, `name those that cannot stand being asked: ${key}10.1 ${unasked}`)]),
    ...(off.includes('S') ? [harmless('proofWithheld', 'S for everybody: no client is offered STARTTLS, and certificates and passwords count on submissions only', null, `name those that cannot stand STARTTLS: ${key}10.1 S`)] : []),
  ]
}

/** TLS_Srv_Features: `Options=…; CipherList=…; CipherSuites=…`. */
export function lintTlsSettings({ value }: AccessEntry): readonly LintFinding[] {
  const settings = parseTlsSettings(value)
  if (!settings.ok) return [found('tlsSettings', `"${settings.problem}" is no setting for TLS: STARTTLS is answered with 454 for this client`)]
  return [...value.matchAll(/([a-z]+)\s*=/gi)].flatMap(([, key = '']) => {
    const why = KEYS_WITHOUT_MEANING.get(key.toLowerCase())
    return why === undefined ? [] : [harmless('notApplied', `Postern does not act on ${key} in TLS_Srv_Features`, null, why)]
  })
}

/** GreetPause: milliseconds. */
export function lintPause(entry: AccessEntry): readonly LintFinding[] {
  if (!/^\d+\s*$/.test(entry.value)) return [found('number', `"${entry.value}" is no number of milliseconds: sendmail reads the digits that it begins with, and waits no longer`)]
  if (Number(entry.value) <= LONGEST_PAUSE_MILLISECONDS) return []
  return [harmless('longPause', `clients wait five minutes for a greeting; the pause is cut to ${LONGEST_PAUSE_MILLISECONDS}`, String(LONGEST_PAUSE_MILLISECONDS))]
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

/** TLS_Clt_Features. */
export function lintTlsSession({ value }: AccessEntry): readonly LintFinding[] {
  const parsed = parseClientTlsSession(value)
  return parsed.ok ? [] : [found('tlsSession', `${parsed.problem}: no TLS is begun with this server, and nothing is sent to it`)]
}

/** ClientRate, ClientConn. */
export function lintLimit({ value }: AccessEntry): readonly LintFinding[] {
  if (PLAIN_NUMBER.test(value)) return []
  const number = numberIn(tokensOf(value)[0] ?? '') ?? 0
  const read = number === 0 ? 'is no number: sendmail refuses every connection of such a client' : `is ${number} to sendmail`
  return [found('number', `"${value}" ${read}`, number === 0 ? null : String(number), number === 0 ? 'write a number; 0 is no limit' : null)]
}

/** Decimal, so that all who read it agree. */
export const PLAIN_NUMBER = /^(?:0|[1-9]\d{0,8})\s*$/

/** Tags that are read in full and that this version of the relay acts upon nowhere. */
export function lintApplied(tag: string, { key }: AccessEntry, reading: Reading): readonly LintFinding[] {
  const advice = NOT_APPLIED.get(tag)
  const words = key.slice(0, tag.length + 1)
  return advice === undefined || reading === 'sendmail' ? [] : [harmless('notApplied', `Postern reads ${words} and does not act on it`, null, advice)]
}

const NOT_APPLIED: ReadonlyMap<string, string> = new Map([
  ['authinfo', 'Postern presents its certificate to next hops'],
])
