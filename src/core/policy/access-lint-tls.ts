/**
 * TLS_Clt, TLS_Srv and TLS_Rcpt values that ask for less than they seem to.
 *
 * These fail open: sendmail accepts what it cannot read, and checks nothing behind it.
 */

import { found } from './access-lint-finding.ts'
import type { LintFinding } from './access-lint-finding.ts'
import { isWord } from './access-value.ts'
import { parseRequirement } from './tls-requirements.ts'

const EXAMPLE = 'VERIFY, VERIFY:128, ENCR:128, PERM+VERIFY+CN'

export function lintRequirement(value: string): readonly LintFinding[] {
  if (isWord(value, 'OK')) return []
  const requirement = parseRequirement(value)
  if (requirement === null) return [found('requirementUnknown', `"${value}" is no TLS requirement: everything is accepted`, EXAMPLE)]
  if (requirement.kind === 'encrypt' && requirement.bits === null) {
    return [found('requirementWithoutBits', `"${value}" asks for nothing: everything is accepted`, EXAMPLE)]
  }
  if (/^(?:(?:PERM|TEMP)\+)?VERIFY:/i.test(value) && requirement.bits === null) {
    return [found('requirementWithoutBits', `"${value}" asks for no number of bits`, EXAMPLE)]
  }
  return lintFurther(requirement.further)
}

function lintFurther(further: readonly string[]): readonly LintFinding[] {
  for (const [index, requirement] of further.entries()) {
    const [word = '', ...wanted] = requirement.split(':')
    const known = FURTHER.get(word.toUpperCase())
    if (known === undefined || (known === 'needsValue' && wanted.join(':') === '')) {
      const behind = index < further.length - 1 ? ', and nothing behind it is checked' : ''
      return [found('furtherUnknown', `"${requirement}" is accepted unread${behind}`, 'CN, CN:name, CS:dn, CI:dn or CITag:word, joined by ++')]
    }
    if (/\+(?:CN|CS|CI|CITag)(?::|$)/i.test(requirement)) {
      return [found('singlePlus', `"${requirement}" is one requirement: a single + belongs to the text`, requirement.replace(/\+(?=(?:CN|CS|CI|CITag)(?::|$))/gi, '++'))]
    }
  }
  return []
}

const FURTHER: ReadonlyMap<string, 'alone' | 'needsValue'> = new Map([
  ['CN', 'alone'],
  ['CS', 'needsValue'],
  ['CI', 'needsValue'],
  ['CITAG', 'needsValue'],
])
