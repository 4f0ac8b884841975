/**
 * A `.cf` file to what it says, for a site whose `.mc` is gone; and the lines of a `.cf` that a `.mc`
 * adds by hand.
 *
 * Each line begins with a letter that says what it is; a line that begins with white space continues
 * the one above. m4 leaves a comment for each FEATURE it was given, so their names are known.
 */

import type { Place, Source } from '../report.ts'
import type { SiteText } from '../site-files.ts'
import type { Saying, Statement } from './statement.ts'

type Line = Place & { readonly text: string }

/** A whole file. The rules that every `.cf` has are one statement. */
export function readCf({ name, text }: SiteText): readonly Statement[] {
  const lines = text.split('\n').map((text, index) => ({ file: name, line: index + 1, text: text.replace(/\r$/, '') }))
  const logical = joined(lines)
  return [...featuresOf(lines), ...logical.filter(({ text }) => !/^[SR]/.test(text)).map(statement), ...rulesOf(logical)]
}

/** Lines from a `.mc`, in their order. */
export function readCfLines(lines: readonly Line[]): readonly Statement[] {
  return joined(lines).map(statement)
}

function joined(lines: readonly Line[]): readonly Source[] {
  const whole: Source[] = []
  for (const line of lines) {
    const last = whole.at(-1)
    if (/^\s+\S/.test(line.text) && last !== undefined) whole[whole.length - 1] = { ...last, text: `${last.text} ${line.text.trim()}` }
    else if (!/^\s*(?:#|$)/.test(line.text)) whole.push({ file: line.file, line: line.line, text: line.text })
  }
  return whole
}

/** `#####  $Id: mailertable.m4,v 8.26 …  #####` */
function featuresOf(lines: readonly Line[]): readonly Statement[] {
  return lines.flatMap(({ file, line, text }) => {
    const name = /^#+\s+\$Id: (\w+)\.m4,v /.exec(text)?.[1]
    const isFeature = name !== undefined && FEATURES_WITHOUT_LINE.has(name)
    return isFeature ? [{ file, line, text: `FEATURE(\`${name}')`, kind: 'feature' as const, name, args: [] }] : []
  })
}

/** Features that leave no line of their own that would say the same. */
// prettier-ignore
const FEATURES_WITHOUT_LINE: ReadonlySet<string> = new Set([
  'relay_entire_domain', 'relay_hosts_only', 'relay_local_from', 'relay_mail_from', 'relay_based_on_MX', 'promiscuous_relay', 'loose_relay_check',
  'delay_checks', 'blocklist_recipients', 'blacklist_recipients', 'accept_unresolvable_domains', 'accept_unqualified_senders', 'dnsbl', 'enhdnsbl',
  'greet_pause', 'ratecontrol', 'conncontrol', 'require_rdns', 'block_bad_helo', 'nullclient', 'nopercenthack', 'nouucp', 'lookupdotdomain',
  'masquerade_envelope', 'masquerade_entire_domain', 'allmasquerade', 'limited_masquerade', 'local_no_masquerade', 'check_cert_altnames',
  'tls_session_features', 'bestmx_is_local', 'stickyhost', 'always_add_domain', 'redirect', 'ldap_routing', 'badmx', 'msp',
])

/** Rules right after a heading of a set that is the site's to fill are the site's own. */
function rulesOf(lines: readonly Source[]): readonly Statement[] {
  const own: Statement[] = []
  let rules = 0
  let isOwn = false
  for (const line of lines.filter(({ text }) => /^[SR]/.test(text))) {
    if (line.text.startsWith('S')) isOwn = /^SLocal_(?!localaddr\b|trust_auth\b)/.test(line.text)
    else rules += 1
    if (isOwn && line.text.startsWith('R')) own.push({ ...line, kind: 'line', letter: 'R' })
  }
  const first = lines.find(({ text }) => text.startsWith('R'))
  const rest = rules - own.length
  if (first === undefined || rest === 0) return own
  return [...own, { file: first.file, line: first.line, text: `${rest} rewriting rules`, kind: 'line', letter: 'standardRules' }]
}

function statement(line: Source): Statement {
  return { ...line, ...saying(line.text) }
}

function saying(text: string): Saying {
  const rest = text.slice(1)
  switch (text.charAt(0)) {
    case 'O':
      return option(rest)
    case 'D':
      return macro(rest)
    case 'C':
      return members(rest)
    case 'F':
      return membersInFile(rest)
    case 'K':
      return map(rest)
    case 'X':
      return { kind: 'word', name: 'MAIL_FILTER', args: [rest.split(',')[0] ?? '', rest.slice(rest.indexOf(',') + 1).trim()] }
    case 'M':
    case 'S':
    case 'R':
    case 'H':
    case 'P':
    case 'T':
    case 'V':
    case 'E':
    case 'Q':
    case 'L':
      return { kind: 'line', letter: text.charAt(0) }
    default:
      return { kind: 'unknown', why: 'neither m4 nor sendmail knows this word: what was it to do?' }
  }
}

function option(rest: string): Saying {
  const [, name, value = ''] = /^\s+([A-Za-z][\w.]*)\s*(?:=\s*(.*))?$/.exec(rest) ?? []
  if (name === undefined) return { kind: 'unknown', why: 'an option by its old letter: see the sendmail manual for its name, and postern\'s docs/reference/settings.md' }
  return { kind: 'option', name, value: value.trim() }
}

function macro(rest: string): Saying {
  const [name, value] = named(rest)
  const variable = MACROS[name]
  if (variable !== undefined && value.trim() === '') return { kind: 'line', letter: 'emptyMacro' }
  if (name === 'M') return { kind: 'word', name: 'MASQUERADE_AS', args: [value] }
  return variable === undefined ? { kind: 'line', letter: 'D' } : { kind: 'variable', name: variable, value: value.trim(), isUsed: false }
}

const MACROS: { readonly [name: string]: string } = {
  j: 'confDOMAIN_NAME',
  S: 'SMART_HOST',
  H: 'MAIL_HUB',
  R: 'LOCAL_RELAY',
  L: 'LUSER_RELAY',
  M: 'MASQUERADE_AS',
}

function members(rest: string): Saying {
  const [name, list] = named(rest)
  return { kind: 'class', name, members: list.split(/\s+/).filter(word => word !== '') }
}

/** `Fw-o /etc/mail/local-host-names %[^\#]` */
function membersInFile(rest: string): Saying {
  const [name, list] = named(rest)
  const isOptional = list.trim().startsWith('-o')
  const path = list.trim().replace(/^-o\s*/, '').split(/\s+/)[0] ?? ''
  return { kind: 'classFile', name, path, isOptional }
}

function map(rest: string): Saying {
  const [, name = '', args = ''] = /^(\S+)\s*(.*)$/.exec(rest) ?? []
  const feature = MAPS[name]
  return feature === undefined ? { kind: 'line', letter: STANDARD_MAPS.has(name) ? 'standardMap' : 'K' } : { kind: 'feature', name: feature, args: [args] }
}

const MAPS: { readonly [name: string]: string } = {
  access: 'access_db',
  mailertable: 'mailertable',
  virtuser: 'virtusertable',
  generics: 'genericstable',
  domaintable: 'domaintable',
  authinfo: 'authinfo',
}

// prettier-ignore
const STANDARD_MAPS: ReadonlySet<string> = new Set([
  'resolve', 'arith', 'macro', 'dequote', 'dnsbl', 'edns', 'dprep', 'canonicalize', 'storage', 'bestmx', 'cond', 'stst', 'sterr', 'htx', 'reason',
])

/** `{name}rest` or `nrest` */
function named(rest: string): readonly [name: string, rest: string] {
  const [, braced, after = ''] = /^\{([^}]*)\}(.*)$/.exec(rest) ?? []
  return braced === undefined ? [rest.charAt(0), rest.slice(1)] : [braced, after]
}
