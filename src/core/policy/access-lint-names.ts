/**
 * CERTISSUER and CERTSUBJECT entries that give nothing, or that no certificate's name can match.
 *
 * A name in an entry must be exactly what is made of the certificate (`postern dn FILE` prints it);
 * these are the ways in which people, tutorials and older versions write it otherwise.
 */

import { isWord } from './access-value.ts'
import type { AccessEntry } from './decision.ts'
import { found } from './access-lint-finding.ts'
import type { LintContext, LintFinding } from './access-lint-finding.ts'

export function lintCertificateEntry(
  tag: 'certissuer' | 'certsubject',
  name: string,
  { value }: AccessEntry,
  context: LintContext,
): readonly LintFinding[] {
  return [...lintName(name), ...(tag === 'certissuer' ? lintIssuerValue(value, context) : lintSubjectValue(value, context))]
}

function lintIssuerValue(value: string, context: LintContext): readonly LintFinding[] {
  if (isWord(value, 'RELAY')) return []
  if (!isWord(value, 'SUBJECT')) return [found('issuerValue', `"${value}" gives and denies nothing here`, 'RELAY, or SUBJECT with CERTSUBJECT: lines')]
  return context.hasSubjects ? [] : [found('issuerWithoutSubjects', 'no certificate may relay: there is no CERTSUBJECT: line', 'RELAY')]
}

function lintSubjectValue(value: string, context: LintContext): readonly LintFinding[] {
  if (!isWord(value, 'RELAY')) {
    return [found('subjectValue', `"${value}" gives and denies nothing here; to exclude one certificate, revoke it`, 'RELAY')]
  }
  return context.hasSubjectIssuer ? [] : [found('subjectWithoutIssuer', 'it is only looked up after a CERTISSUER: line that says SUBJECT', 'CERTISSUER:NAME SUBJECT')]
}

function lintName(name: string): readonly LintFinding[] {
  const never = (rule: string, what: string, suggestion: string): readonly LintFinding[] => [found(rule, `${what}: it never matches`, suggestion)]
  if (!name.startsWith('/')) return never('nameForm', 'a name begins with a slash and has no commas between its parts', '/C=US/O=Example/CN=Joe+20User')
  const bare = UNENCODED.exec(name)?.[0]
  if (bare !== undefined) return never('unencoded', `"${bare}" stands encoded in a name`, name.replaceAll(EVERY_UNENCODED, encoded))
  if (name.endsWith('/')) return never('finalSlash', 'a name does not end in a slash', name.slice(0, -1))
  if (/\\x|\+(?![0-9A-F]{2})/i.test(name)) return never('badEncoding', 'a plus sign is followed by two hexadecimal digits', name.replaceAll(/\+(?![0-9A-F]{2})/gi, '+5C+2B'))
  if (OLD_PLUS.test(name)) return never('oldPlus', 'since OpenSSL 3 a plus sign in a name is written +5C+2B', name.replaceAll(EVERY_OLD_PLUS, '+5C+2B'))
  return []
}

/** What the encoding never leaves as it is: blanks, brackets, quotation marks, backslashes, non-ASCII. */
const UNENCODED = /[^\x21-\x7e]|[()<>"\\]/
const EVERY_UNENCODED = /[^\x21-\x7e]|[()<>"\\]/gu

function encoded(character: string): string {
  const bytes = new TextEncoder().encode(character)
  const hex = [...bytes].map(byte => byte.toString(16).toUpperCase().padStart(2, '0'))
  return hex.map(digits => (bytes.length > 1 ? `+5Cx${digits}` : `+${digits}`)).join('')
}

/** A `+2B` that is neither an escaped plus sign nor between the parts of a multi-valued RDN. */
const OLD_PLUS = /(?<!\+5C)\+2B(?![A-Za-z0-9.]+=)/i
const EVERY_OLD_PLUS = /(?<!\+5C)\+2B(?![A-Za-z0-9.]+=)/gi
