/**
 * TLS_Clt, TLS_Srv and TLS_Rcpt values that ask for less than they seem to.
 *
 * These fail open: sendmail accepts what it cannot read, and checks nothing behind it.
 */

import { nearest } from '../config/nearest.ts'
import { found } from './access-lint-finding.ts'
import type { LintFinding } from './access-lint-finding.ts'
import { lintName } from './access-lint-names.ts'
import { isWord } from './access-value.ts'
import { parseRequirement } from './tls-requirement-value.ts'
import type { FurtherRequirement } from './tls-requirement-value.ts'

const FORM = 'write VERIFY, VERIFY:128, ENCR:128 or PERM+VERIFY+CN'

export function lintRequirement(value: string): readonly LintFinding[] {
  if (isWord(value, 'OK')) return []
  const requirement = parseRequirement(value)
  if (requirement === null) return [found('requirementUnknown', `"${value}" is no TLS requirement: sendmail accepts everything`, probablyMeant(value), FORM)]
  if (requirement.kind === 'encrypt' && requirement.bits === null) {
    return [found('requirementWithoutBits', `"${value}" asks for nothing: sendmail accepts everything`, null, FORM)]
  }
  if (/^(?:(?:PERM|TEMP)\+)?VERIFY:/i.test(value) && requirement.bits === null) {
    return [found('requirementWithoutBits', `"${value}" asks for no number of bits: sendmail checks none`, null, FORM)]
  }
  return lintFurther(requirement.further)
}

/** The value with its misspelt words put right; null if no word is near. */
function probablyMeant(value: string): string | null {
  const meant = value.trim().replaceAll(/[a-z]+/gi, word => nearest(word, ['VERIFY', 'ENCR', 'PERM', 'TEMP']) ?? word)
  return parseRequirement(meant) === null ? null : meant
}

function lintFurther(further: readonly FurtherRequirement[]): readonly LintFinding[] {
  for (const [index, { word, wanted, text }] of further.entries()) {
    if (word === null || (word === 'CN' ? wanted === '' : (wanted ?? '') === '')) {
      const behind = index < further.length - 1 ? ', and checks nothing behind it' : ''
      return [found('furtherUnknown', `sendmail accepts "${text}" unread${behind}`, null, 'write CN, CN:name, CS:dn, CI:dn or CITag:word, joined by ++')]
    }
    if (/\+(?:CN|CS|CI|CITag)(?::|$)/i.test(text)) {
      return [found('singlePlus', `"${text}" is one requirement: a single + belongs to the text`, text.replace(/\+(?=(?:CN|CS|CI|CITag)(?::|$))/gi, '++'))]
    }
    const name = word === 'CS' || word === 'CI' ? lintName(`${word}:`, wanted ?? '') : []
    if (name.length > 0) return name
  }
  return []
}
