/**
 * TLS_Clt, TLS_Srv and TLS_Rcpt values that ask for less than they seem to.
 *
 * These fail open: sendmail accepts what it cannot read, and checks nothing behind it.
 */

import { nearest } from '../config/nearest.ts'
import { LONGEST_COMMON_NAME } from '../names/distinguished-name.ts'
import { found, harmless, never } from './access-lint-finding.ts'
import type { LintContext, LintFinding } from './access-lint-finding.ts'
import { lintName } from './access-lint-names.ts'
import { PLAIN_NUMBER } from './access-lint-values.ts'
import { foldCase } from './access-map.ts'
import { isWord } from './access-value.ts'
import { parseRequirement } from './tls-requirement-value.ts'
import type { FurtherRequirement } from './tls-requirement-value.ts'

const FORM = 'write VERIFY, VERIFY:128, ENCR:128 or PERM+VERIFY+CN'

export function lintRequirement(value: string, { tags }: Pick<LintContext, 'tags'>): readonly LintFinding[] {
  if (isWord(value, 'OK')) return []
  const requirement = parseRequirement(value)
  if (requirement === null) return [found('requirementUnknown', `"${value}" is no TLS requirement: sendmail accepts everything`, probablyMeant(value), FORM)]
  if (requirement.kind === 'encrypt' && requirement.bits === null) {
    return [found('requirementWithoutBits', `"${value}" asks for nothing: sendmail accepts everything`, null, FORM)]
  }
  if (/^(?:(?:PERM|TEMP)\+)?VERIFY:/i.test(value) && requirement.bits === null) {
    return [found('requirementWithoutBits', `"${value}" asks for no number of bits: sendmail checks none`, null, FORM)]
  }
  const number = /(?:VERIFY|ENCR)\s*:\s*([^\s+]+)/i.exec(value)?.[1]
  if (number !== undefined && (!PLAIN_NUMBER.test(number) || requirement.bits === 0)) {
    const meant = /^0*([1-9]\d*)$/.exec(number)?.[1]
    return [found('requirementBits', `sendmail reads ${number} as ${requirement.bits} bits`, meant === undefined ? null : value.replace(number, meant), FORM)]
  }
  return lintFurther(requirement.further, tags)
}

/** The value with its misspelt words put right; null if no word is near. */
function probablyMeant(value: string): string | null {
  const meant = value.trim().replaceAll(/[a-z]+/gi, word => nearest(word, ['VERIFY', 'ENCR', 'PERM', 'TEMP']) ?? word)
  return parseRequirement(meant) === null ? null : meant
}

function lintFurther(further: readonly FurtherRequirement[], tags: ReadonlySet<string>): readonly LintFinding[] {
  for (const [index, { word, wanted, text }] of further.entries()) {
    if (word === null || (word === 'CN' ? wanted === '' : (wanted ?? '') === '')) {
      const behind = index < further.length - 1 ? ', and checks nothing behind it' : ''
      return [found('furtherUnknown', `sendmail accepts "${text}" unread${behind}`, null, 'write CN, CN:name, CS:dn, CI:dn or CITag:word, joined by ++')]
    }
    if (/\+(?:CN|CS|CI|CITag)(?::|$)/i.test(text)) {
      return [found('singlePlus', `"${text}" is one requirement: a single + belongs to the text`, text.replace(/\+(?=(?:CN|CS|CI|CITag)(?::|$))/gi, '++'))]
    }
    if (word === 'CITAG' && !tags.has(foldCase(wanted ?? ''))) return [harmless('issuerTagMissing', `no line begins with ${wanted}: so that nobody meets "${text}"`, null, `write ${wanted}:/C=US/O=Example/CN=CA OK`)]
    if (word === 'CN' && wanted !== null) {
      const name = lintCommonName(text, wanted)
      if (name.length > 0) return name
    }
    const name = word === 'CS' || word === 'CI' ? lintName(`${word}:`, wanted ?? '') : []
    if (name.length > 0) return name
  }
  return []
}

function lintCommonName(text: string, wanted: string): readonly LintFinding[] {
  if (wanted.includes('*')) return [harmless('starInName', `there are no wildcards: "${text}" asks for a certificate with this very text`)]
  if (wanted.replaceAll(/\+[0-9A-F]{2}/gi, '.').length > LONGEST_COMMON_NAME) {
    return [never('nameTooLong', `of a common name over ${LONGEST_COMMON_NAME} bytes sendmail says BadCertificateTooLong, and nobody meets "${text.slice(0, 40)}…"`, null, 'the CA must issue shorter names')]
  }
  return []
}
