/**
 * CERTISSUER and CERTSUBJECT entries that give nothing, or that no certificate's name can match.
 *
 * A name in an entry must be exactly what is made of the certificate (`postern dn FILE` prints it);
 * these are the ways in which people, tutorials and older versions write it otherwise.
 */

import { nearest } from '../config/nearest.ts'
import { LONGEST_NAME } from '../names/distinguished-name.ts'
import { isShortName, shortNames } from '../names/attribute-types.ts'
import { isWord } from './access-value.ts'
import type { AccessEntry } from './decision.ts'
import { tornName } from './blank-in-name.ts'
import { found, harmless, never } from './access-lint-finding.ts'
import type { LintContext, LintFinding } from './access-lint-finding.ts'

export function lintCertificateEntry(
  tag: 'certissuer' | 'certsubject',
  name: string,
  { key, value }: AccessEntry,
  context: LintContext,
): readonly LintFinding[] {
  const prefix = key.slice(0, key.length - name.length)
  return [...lintName(prefix, name), ...(tag === 'certissuer' ? lintIssuerValue(value, context) : lintSubjectValue(name, value, context))]
}

function lintIssuerValue(value: string, context: LintContext): readonly LintFinding[] {
  if (isWord(value, 'RELAY')) return []
  if (!isWord(value, 'SUBJECT')) {
    const word = nearest(value.trim(), ['RELAY', 'SUBJECT'])
    return [found('issuerValue', `"${value}" gives and denies nothing here`, word, word === null ? 'write RELAY, or SUBJECT with CERTSUBJECT: lines' : null)]
  }
  return context.hasSubjects ? [] : [harmless('issuerWithoutSubjects', 'nobody may relay by it: there is no CERTSUBJECT: line', 'RELAY')]
}

function lintSubjectValue(name: string, value: string, context: LintContext): readonly LintFinding[] {
  if (!isWord(value, 'RELAY')) {
    const text = `"${value}" gives and denies nothing here`
    if (nearest(value.trim(), ['RELAY']) !== null) return [found('subjectValue', text, 'RELAY')]
    const advice = context.reading === 'postern' ? `to exclude this subject, write CERTSUBJECT~:${name.replaceAll('*', '+2A')} REJECT` : 'to exclude a certificate, revoke it'
    return [found('subjectValue', text, null, advice)]
  }
  return context.hasSubjectIssuer ? [] : [found('subjectWithoutIssuer', 'sendmail looks this up only after a CERTISSUER: line that says SUBJECT, and there is none', null, 'write SUBJECT for its issuer')]
}

/** A blank ended the key before the name ended. */
export function lintTornName(entry: AccessEntry): readonly LintFinding[] {
  const torn = tornName(entry)
  if (torn === null) return []
  const start = torn.key.indexOf(':') + 1
  const [prefix, name] = [torn.key.slice(0, start), torn.key.slice(start)]
  const meant = name.startsWith('/') ? `${prefix}${name}` : fromCommas(prefix, name)
  const suggestion = meant === null ? null : `${meant.replaceAll(EVERY_UNENCODED, encoded)} ${torn.value}`
  return [never('blankInName', `the key ends at the first blank, which is written +20 in a name, and "${entry.value}" is no value`, suggestion, '"postern dn FILE" prints the lines for a certificate')]
}

/** A name in access-map form. `prefix` is what stands before it. */
export function lintName(prefix: string, name: string): readonly LintFinding[] {
  if (!name.startsWith('/')) return [never('nameForm', 'a name begins with a slash and has no commas between its parts', fromCommas(prefix, name), '/C=US/O=Example/CN=Joe+20User')]
  const bare = UNENCODED.exec(name)?.[0]
  if (bare !== undefined) return [never('unencoded', `"${bare}" stands encoded in a name`, `${prefix}${name.replaceAll(EVERY_UNENCODED, encoded)}`)]
  if (name.endsWith('/')) return [never('finalSlash', 'a name does not end in a slash', `${prefix}${name.slice(0, -1)}`)]
  if (/\+(?![0-9A-F]{2})/i.test(name)) {
    return [never('badEncoding', 'a plus sign is followed by two hexadecimal digits', `${prefix}${name.replaceAll(/\+(?![0-9A-F]{2})/gi, '+5C+2B')}`)]
  }
  if (BARE_BYTE.test(name)) return [never('bareByte', 'a byte that does not print stands as +5CxHH in a name, and not as +HH', `${prefix}${name.replaceAll(BARE_BYTES, '+5Cx$1')}`)]
  if (lengthDecoded(name) > LONGEST_NAME) {
    return [never('nameTooLong', `sendmail leaves out what is behind the first ${LONGEST_NAME} bytes of a name, attribute by attribute`, null, 'the CA must issue shorter names')]
  }
  const attributes = lintAttributes(prefix, name)
  if (attributes.length > 0) return attributes
  const older = lintOlderSpelling(prefix, name)
  return older.length > 0 ? older : lintOtherEncoding(prefix, name)
}

/** What is a name, and hardly the one that was meant. */
function lintOtherEncoding(prefix: string, name: string): readonly LintFinding[] {
  if (/%[0-9A-F]{2}/i.test(name)) return [harmless('percentEncoding', 'a percent sign is a character of the name: what is encoded stands behind a plus sign', `${prefix}${name.replaceAll(/%(?=[0-9A-F]{2})/gi, '+')}`)]
  if (/,(?:C|ST|L|O|OU|CN|DC)=/i.test(name)) return [harmless('commaInName', 'a comma is a character of the name: its parts begin with a slash', `${prefix}${name.replaceAll(/,(?=(?:C|ST|L|O|OU|CN|DC)=)/gi, '/')}`)]
  if (/\*(?!\.)/.test(name)) return [harmless('starInName', 'there are no wildcards here: only a name with this very text is found', null, 'write CERTISSUER~: or CERTSUBJECT~: for a pattern')]
  return []
}

/** Encoded bytes that the one-line form writes as `\\xHH` before they are encoded. */
const BARE_BYTE = /\+(?:[89A-F][0-9A-F]|[01][0-9A-F]|7F)/i
const BARE_BYTES = /\+([89A-F][0-9A-F]|[01][0-9A-F]|7F)/gi


/** Types that OpenSSL writes otherwise. */
export function lintAttributes(prefix: string, name: string): readonly LintFinding[] {
  for (const [, separator = '', type = ''] of name.matchAll(ATTRIBUTE)) {
    if (isShortName(type) || /^\d+(?:\.\d+)+$/.test(type)) continue
    const meant = OTHER_NAMES.get(type.toLowerCase()) ?? nearest(type, shortNames())
    const suggestion = meant === null ? null : `${prefix}${name.replace(`${separator}${type}=`, `${separator}${meant}=`)}`
    return [never('attributeType', `"${type}" is no attribute type in the words of OpenSSL`, suggestion, '"postern dn FILE" prints the lines for a certificate')]
  }
  return []
}

/** A `/` or `+` of a value as OpenSSL before 3.0 wrote it. Postern finds it; sendmail does no longer. */
function lintOlderSpelling(prefix: string, name: string): readonly LintFinding[] {
  const current = name.replaceAll(OLDER_SEPARATOR, '+5C$&')
  if (current === name) return []
  return [harmless('olderSpelling', 'this is how OpenSSL before 3.0 wrote the name: a sendmail built with a newer one never finds it, Postern does', `${prefix}${current}`)]
}

/** A separator and a type. The separators of a value have a backslash before them. */
const ATTRIBUTE = /(?<!\+5C)(\/|\+2B)([A-Za-z0-9.-]+)=/gi

/** A `/` or `+2B` that no type follows, so that it is none between attributes. */
const OLDER_SEPARATOR = /(?<!\+5C)(?:\/|\+2B)(?![A-Za-z0-9.-]*=|\*\*)/gi

/** What other programs, and much older versions, call them. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['e', 'emailAddress'],
  ['email', 'emailAddress'],
  ['s', 'ST'],
  ['sp', 'ST'],
  ['surname', 'SN'],
  ['givenname', 'GN'],
  ['serial', 'serialNumber'],
  ['userid', 'UID'],
  ['commonname', 'CN'],
  ['organization', 'O'],
  ['country', 'C'],
])

/** `C=US, O=Example` as a name; null where that cannot be told. */
function fromCommas(prefix: string, name: string): string | null {
  return /^[A-Za-z0-9.]+=/.test(name) ? `${prefix}/${name.replaceAll(/,\s*(?=[A-Za-z0-9.]+=)/g, '/')}` : null
}

/** Bytes of the one-line form, where `+HH` is one. */
function lengthDecoded(name: string): number {
  return name.replaceAll(/\+[0-9A-F]{2}/gi, '.').length
}

/** What the encoding never leaves as it is: blanks, brackets, quotation marks, backslashes, non-ASCII. */
const UNENCODED = /[^\x21-\x7e]|[()<>"\\]/
const EVERY_UNENCODED = /[^\x21-\x7e]|[()<>"\\]/gu

function encoded(character: string): string {
  const bytes = new TextEncoder().encode(character)
  const hex = [...bytes].map(byte => byte.toString(16).toUpperCase().padStart(2, '0'))
  return hex.map(digits => (bytes.length > 1 ? `+5Cx${digits}` : `+${digits}`)).join('')
}
