/**
 * Mistakes in the entries that only Postern knows: CERTFP, CERTSAN, USER and patterns.
 */

import { nearest } from '../config/nearest.ts'
import { foldCase } from './access-map.ts'
import type { AccessMap, AccessProblem } from './access-map.ts'
import { found, harmless } from './access-lint-finding.ts'
import type { LintContext, LintFinding } from './access-lint-finding.ts'
import { lintAttributes } from './access-lint-names.ts'
import { MOST_PATTERNS } from './access-survey.ts'
import { kindOfAlternativeName } from './alternative-names.ts'
import type { AccessEntry } from './decision.ts'
import { parseIdentityValue } from './identity-value.ts'
import { parseNamePattern } from './name-pattern.ts'

export type OwnKeyTag = 'certfp' | 'certsan' | 'user' | 'certissuer~' | 'certsubject~'

export function lintOwnEntry(tag: OwnKeyTag, rest: string, entry: AccessEntry, context: LintContext): readonly LintFinding[] {
  if (context.reading === 'sendmail') {
    return [found('posternTag', `sendmail never looks up ${entry.key.slice(0, tag.length + 1)}, and neither does Postern with compatibility = "sendmail"`)]
  }
  return [...lintKey(tag, rest, entry, context), ...lintIdentityValue(tag, entry)]
}

function lintKey(tag: OwnKeyTag, rest: string, entry: AccessEntry, context: LintContext): readonly LintFinding[] {
  switch (tag) {
    case 'certfp':
      return lintFingerprint(rest, context)
    case 'certsan':
      return lintAlternativeName(rest, entry)
    case 'user':
      return []
    case 'certissuer~':
    case 'certsubject~':
      return lintPattern(tag, rest, context)
  }
}

/** `CERTISSUER:` lines that let certificates of a CA relay which counts nowhere. A warning: it may be meant for later. */
export function issuersWithoutAuthority(map: AccessMap, subjects: readonly string[]): readonly AccessProblem[] {
  const known = new Set(subjects.map(subject => foldCase(`CERTISSUER:${subject}`)))
  return [...map.entries()].flatMap(({ key, value, file, line }) => {
    if (!/^certissuer:/i.test(key) || !/^(?:relay|subject)\b/i.test(value) || known.has(foldCase(key))) return []
    const unproved = harmless('unknownAuthority', `no listener has the CA ${key.slice('CERTISSUER:'.length)} in client-ca, so no client can prove that it has a certificate of it`, null, 'add its PEM there, or take the line out')
    return [{ file, line, faultyLine: false, ...unproved }]
  })
}

/** `USER:` lines of a map for names that nobody has. A warning: somebody may have left, or be still to come. */
export function unknownHolders(map: AccessMap, names: readonly string[]): readonly AccessProblem[] {
  const known = new Set(names.map(foldCase))
  return [...map.entries()].flatMap(({ key, file, line }) => {
    const name = /^user:(.+)$/i.exec(key)?.[1]
    if (name === undefined || known.has(foldCase(name))) return []
    const meant = nearest(name, names)
    const finding = harmless('unknownHolder', `nobody is called ${name}`, meant === null ? null : `USER:${meant}`, '"postern user list" shows who is')
    return [{ file, line, faultyLine: false, ...finding }]
  })
}

function lintFingerprint(rest: string, { map }: LintContext): readonly LintFinding[] {
  const advice = 'write the SHA-256 of the certificate or of its public key, as "postern dn FILE" prints it'
  const digits = rest.replaceAll(':', '')
  const isInPairs = /^[0-9a-f]{2}(?::[0-9a-f]{2})*$/i.test(rest)
  if (/^[0-9a-f]+$/i.test(digits) && digits.length !== 64) {
    const shorter = SHORTER_DIGESTS.get(digits.length)
    const what = shorter === undefined ? `a fingerprint has 64 digits, and this one ${digits.length}` : `this is a fingerprint of ${shorter}, which can be forged`
    return [found('fingerprintForm', what, null, advice)]
  }
  if (!/^[0-9a-f]{64}$/i.test(rest) && !isInPairs) return [found('fingerprintForm', 'a fingerprint is 64 hexadecimal digits, all in a row or in pairs with colons', null, advice)]
  if (!isInPairs || !map.has(`certfp:${foldCase(digits)}`)) return []
  return [found('duplicateFingerprint', 'another line has the same fingerprint without colons, and stays', null, 'remove one of them')]
}

const SHORTER_DIGESTS: ReadonlyMap<number, string> = new Map([
  [32, 'MD5'],
  [40, 'SHA-1'],
])

function lintAlternativeName(rest: string, { key }: AccessEntry): readonly LintFinding[] {
  const [label] = OPENSSL_LABEL.exec(rest) ?? []
  if (label !== undefined) return [found('alternativeNameForm', `"${label}" is how openssl prints it, and not part of the name`, `${key.slice(0, 'CERTSAN:'.length)}${rest.slice(label.length)}`)]
  if (rest.startsWith('*@')) return [found('alternativeNameForm', 'all addresses of a domain are written without a star', `${key.slice(0, 'CERTSAN:'.length)}${rest.slice(1)}`)]
  if (kindOfAlternativeName(rest) !== null) return []
  const advice = rest.includes('*')
    ? 'a line names one host; for many, use CERTSUBJECT~:/O=Example/CN=*.example.org'
    : 'write joe@example.org, @example.org for all addresses of a domain, web7.example.org, or a whole URI'
  return [found('alternativeNameForm', `no certificate has the name "${rest}" in this form`, null, advice)]
}

const OPENSSL_LABEL = /^(?:dns|email|uri|ip address|rfc822name|dnsname):(?=.)/i

function lintPattern(tag: 'certissuer~' | 'certsubject~', rest: string, context: LintContext): readonly LintFinding[] {
  const pattern = parseNamePattern(rest)
  if (!pattern.ok) return [found('patternForm', `this is no pattern for a name: ${pattern.problem}`, null, 'write /O=Example/CN=*.example.org')]
  context.patterns[tag] += 1
  if (context.patterns[tag] === MOST_PATTERNS + 1) {
    return [found('tooManyPatterns', `only the first ${MOST_PATTERNS} patterns of a tag count`, null, 'name certificates that are exactly known by CERTSUBJECT: or CERTFP:')]
  }
  return lintAttributes(`${tag}:`, rest)
}

function lintIdentityValue(tag: OwnKeyTag, { value }: AccessEntry): readonly LintFinding[] {
  const meant = parseIdentityValue(value)
  if (meant.kind === 'ok' || meant.kind === 'refuse' || (meant.kind === 'subject' && tag === 'certissuer~')) return []
  if (meant.kind === 'relay') return lintRecipients(meant.recipients ?? [])
  const words = ['RELAY', 'OK', 'REJECT', ...(tag === 'certissuer~' ? ['SUBJECT'] : [])]
  const word = nearest(value.trim().split(/\s/)[0] ?? '', words)
  return [found('identityValue', `"${value}" means nothing here, and so refuses`, word, word === null ? `write ${words.join(', ')}, RELAY:@example.net or ERROR:5.7.1:550 text` : null)]
}

function lintRecipients(recipients: readonly string[]): readonly LintFinding[] {
  const wrong = recipients.find(recipient => recipient.startsWith('*') || !['address', 'domain'].includes(kindOfAlternativeName(recipient) ?? ''))
  if (wrong === undefined) return []
  const isHost = kindOfAlternativeName(wrong) === 'host'
  const suggestion = wrong.startsWith('*@') ? wrong.slice(1) : isHost ? `@${wrong}` : null
  return [found('recipientList', `"${wrong}" is no recipient`, suggestion, 'write addresses, and @example.net for a whole domain, with commas between them')]
}
