/**
 * What an access map says that its writer cannot have meant.
 *
 * sendmail takes most mistakes in silence: an entry that can never match is simply never found, and a
 * TLS requirement that it cannot read accepts everybody. Each problem says what sendmail would do and
 * what was probably meant. Lines that makemap itself refuses are reported by `parseAccessMap`.
 */

import { nearest } from '../config/nearest.ts'
import { LONGEST_KEY_BYTES, foldCase, utf8Length } from './access-map.ts'
import type { AccessMap, AccessProblem } from './access-map.ts'
import { found } from './access-lint-finding.ts'
import type { LintContext, LintFinding } from './access-lint-finding.ts'
import { lintCertificateEntry } from './access-lint-names.ts'
import { tagOf } from './access-survey.ts'
import { lintRequirement } from './access-lint-tls.ts'
import { parseAccessValue } from './access-value.ts'
import type { AccessEntry } from './decision.ts'

export function lintAccessMap(map: AccessMap): readonly AccessProblem[] {
  const context = survey(map)
  const problems: AccessProblem[] = []
  for (const entry of map.entries()) {
    for (const finding of lintEntry(entry, context)) {
      problems.push({ file: entry.file, line: entry.line, faultyLine: false, ...finding })
    }
  }
  return problems
}

function survey(map: AccessMap): LintContext {
  let hasSubjectIssuer = false
  let hasSubjects = false
  const issuerTags = new Set<string>()
  for (const { key, value } of map.entries()) {
    const tag = tagOf(foldCase(key))
    if (tag === 'certissuer' && /^subject\s*$/i.test(value)) hasSubjectIssuer = true
    if (tag === 'certsubject') hasSubjects = true
    for (const [, word = ''] of value.matchAll(/\+citag:([a-z0-9_-]+)/gi)) issuerTags.add(word.toLowerCase())
  }
  return { hasSubjectIssuer, hasSubjects, issuerTags }
}

function lintEntry(entry: AccessEntry, context: LintContext): readonly LintFinding[] {
  const key = foldCase(entry.key)
  const tag = tagOf(key)
  const rest = tag === '' ? entry.key : entry.key.slice(tag.length + 1)
  if (entry.value.endsWith('\r')) {
    return [found('carriageReturn', 'the value ends in a CR, and so is no keyword', 'save the file with Unix line ends')]
  }
  const general = [...lintLength(entry.key), ...lintEmpty(tag, rest, entry)]
  if (general.length > 0) return general
  switch (tag) {
    case '':
    case 'connect':
      return [...lintHost(tag, rest, entry), ...lintValue(entry)]
    case 'from':
    case 'to':
      return [...lintAddress(tag, rest, entry), ...lintValue(entry)]
    case 'certissuer':
    case 'certsubject':
      return lintCertificateEntry(tag, rest, entry, context)
    case 'tls_clt':
    case 'tls_srv':
    case 'tls_rcpt':
      return [...lintDomainForm(rest), ...lintRequirement(entry.value)]
    default:
      return lintTag(tag, entry, context)
  }
}

function lintLength(key: string): readonly LintFinding[] {
  let bytes = 0
  for (let at = 0; at < key.length; at += 1) bytes += utf8Length(key.charCodeAt(at))
  if (bytes < LONGEST_KEY_BYTES) return []
  return bytes > LONGEST_KEY_BYTES
    ? [found('keyTooLong', `the key has ${bytes} bytes, and a look-up sees ${LONGEST_KEY_BYTES}: it never matches`, 'use a shorter name')]
    : [found('keyAtLimit', 'sendmail takes this key for every longer one that begins like it', 'use a shorter name')]
}

/** `Connect: host RELAY`: the blank ended the key. */
function lintEmpty(tag: string, rest: string, entry: AccessEntry): readonly LintFinding[] {
  if (rest !== '' || BARE_TAGS.has(tag)) return []
  return [found('blankAfterTag', `the key is ${entry.key} alone, which is never looked up`, `leave no blank after ${entry.key}`)]
}

const BARE_TAGS: ReadonlySet<string> = new Set([
  'tls_clt',
  'tls_srv',
  'tls_rcpt',
  'try_tls',
  'srv_features',
  'clt_features',
  'clientrate',
  'clientconn',
  'authinfo',
])

function lintHost(tag: string, rest: string, entry: AccessEntry): readonly LintFinding[] {
  if (tag === 'connect' && rest.includes('@')) {
    return [found('connectAddress', 'a client has no mail address: it never matches', `From:${rest}`)]
  }
  if (rest.startsWith('[') && parseAccessValue(entry.value).kind === 'relay') {
    return [found('bracketedRelay', 'a client without a host name never relays by its name in brackets', `Connect:${rest.slice(1, -1)}`)]
  }
  return lintDomainForm(rest)
}

function lintAddress(tag: string, rest: string, entry: AccessEntry): readonly LintFinding[] {
  if (!rest.includes('@') && ADDRESS.test(rest)) {
    return [found('bareAddress', 'in a mail address an IP address stands in brackets: it never matches', `[${rest}]`)]
  }
  if (parseAccessValue(entry.value).kind === 'relay') {
    if (tag === 'from') return [found('relayForSender', 'a sender address permits no relaying; this works as OK', null)]
    if (rest.includes('@')) {
      return [found('relayForMailbox', 'RELAY counts for whole domains only, unless relayToFullAddress is on', `To:${rest.slice(rest.indexOf('@') + 1)}`)]
    }
  }
  return lintDomainForm(rest.slice(rest.indexOf('@') + 1))
}

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){0,3}|IPv6:.*)$/i

/** Forms of a domain or network that are never looked up. */
function lintDomainForm(rest: string): readonly LintFinding[] {
  const never = (rule: string, what: string, suggestion: string | null): readonly LintFinding[] => [found(rule, `${what}: it never matches`, suggestion)]
  if (/\/\d+$/.test(rest)) return never('cidr', 'networks end on a boundary of the notation and have no /length', '10.1 covers 10.1.0.0/16')
  if (/^ipv6:.*::/i.test(rest)) return never('shortIpv6', 'addresses are looked up with all eight groups written out', withoutGap(rest))
  if (rest.includes(':') && /^[0-9a-f:.]+$/i.test(rest)) return never('untaggedIpv6', 'IPv6 addresses are looked up with IPv6: in front', `IPv6:${rest}`)
  if (/^\*\.?/.test(rest)) return never('wildcard', 'there are no wildcards; a domain covers all hosts below it', rest.replace(/^\*\.?/, ''))
  if (/^\d{1,3}(?:\.\d{1,3}){0,2}\.$/.test(rest) || /[a-z]\.$/i.test(rest)) return never('finalDot', 'a final dot is never looked up', rest.slice(0, -1))
  if (rest.startsWith('.')) return never('leadingDot', 'without lookupDotDomain a leading dot is never looked up', rest.slice(1))
  return []
}

function withoutGap(rest: string): string {
  const groups = rest.slice('IPv6:'.length)
  if (groups.endsWith('::')) return `IPv6:${groups.slice(0, -2)}`
  const [before = '', after = ''] = groups.split('::')
  const count = (part: string): number => (part === '' ? 0 : part.split(':').length)
  const zeros = Array.from({ length: Math.max(0, 8 - count(before) - count(after)) }, () => '0')
  return `IPv6:${[before, ...zeros, after].filter(part => part !== '').join(':')}`
}

/** A value that is no keyword refuses, and sends itself to the client. */
function lintValue({ value }: AccessEntry): readonly LintFinding[] {
  if (parseAccessValue(value).kind !== 'unknown') return []
  const word = nearest(value.trim().split(/\s/)[0] ?? '', ['RELAY', 'OK', 'REJECT', 'DISCARD', 'SKIP', 'ERROR', 'QUARANTINE'])
  return [found('unknownValue', `"${value}" is no keyword: it refuses with 553 5.3.0`, word ?? 'RELAY, OK, REJECT, DISCARD or ERROR:5.7.1:550 text')]
}

/** A word with a colon that is none of the tags: a slip, unless a CITag requirement asks for it. */
function lintTag(tag: string, entry: AccessEntry, context: LintContext): readonly LintFinding[] {
  if (KNOWN_TAGS.has(tag) || context.issuerTags.has(tag)) return []
  const meant = nearest(tag, TAGS)
  return [found('unknownTag', `nothing looks up ${entry.key.slice(0, tag.length + 1)}`, meant === null ? null : `${meant}:${entry.key.slice(tag.length + 1)}`)]
}

const TAGS = [
  'Connect',
  'From',
  'To',
  'Spam',
  'CERTISSUER',
  'CERTSUBJECT',
  'TLS_Clt',
  'TLS_Srv',
  'TLS_Rcpt',
  'Try_TLS',
  'Srv_Features',
  'Clt_Features',
  'TLS_Srv_Features',
  'TLS_Clt_Features',
  'GreetPause',
  'ClientRate',
  'ClientConn',
  'AuthInfo',
]

const KNOWN_TAGS: ReadonlySet<string> = new Set(TAGS.map(foldCase))
