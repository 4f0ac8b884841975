/**
 * What an access map says that its writer cannot have meant.
 *
 * sendmail takes most mistakes in silence: an entry that can never match is simply never found, and a
 * TLS requirement that it cannot read accepts everybody. Each problem says what sendmail would do and
 * what was probably meant. Lines that makemap itself refuses are reported by `parseAccessMap`.
 */

import { nearest } from '../config/nearest.ts'
import { NON_ASCII } from '../names/idna.ts'
import { LONGEST_KEY_BYTES, foldCase, inDnsSpelling, utf8Length } from './access-map.ts'
import type { AccessMap, AccessProblem } from './access-map.ts'
import { found, never } from './access-lint-finding.ts'
import type { LintContext, LintFinding, Reading } from './access-lint-finding.ts'
import { lintAddress, lintAfterAt, lintBareIpv6, lintDomainForm, lintHost } from './access-lint-hosts.ts'
import { lintAddressKey, lintPeerKey } from './access-lint-keys.ts'
import { lintCertificateEntry, lintName, lintTornName } from './access-lint-names.ts'
import { lintOwnEntry } from './access-lint-own.ts'
import { lintRequirement } from './access-lint-tls.ts'
import { lintApplied, lintFeatures, lintFriend, lintLimit, lintPause, lintServerFeatures, lintTlsSession, lintTlsSettings, lintTryTls, lintValue, lintWithheld } from './access-lint-values.ts'
import { tagOf } from './access-survey.ts'
import { isWord } from './access-value.ts'
import type { AccessEntry } from './decision.ts'
import { NetworkIndex } from './networks.ts'

export function lintAccessMap(map: AccessMap, reading: Reading = 'sendmail'): readonly AccessProblem[] {
  const context = survey(map, reading)
  const problems: AccessProblem[] = []
  for (const entry of map.entries()) {
    for (const finding of lintEntry(entry, context)) {
      problems.push({ file: entry.file, line: entry.line, faultyLine: false, ...finding })
    }
  }
  return problems
}

function survey(map: AccessMap, reading: Reading): LintContext {
  let hasSubjectIssuer = false
  let hasSubjects = false
  let namesIdentities = false
  const issuerTags = new Set<string>()
  const tags = new Set<string>()
  for (const { key, value } of map.entries()) {
    const tag = tagOf(foldCase(key))
    tags.add(tag)
    if ((tag === 'certissuer' || tag === 'certissuer~') && isWord(value, 'SUBJECT')) hasSubjectIssuer = true
    if (tag === 'certsubject' || tag === 'certsubject~' || tag === 'certsan') hasSubjects = true
    if (tag === 'certissuer' || tag === 'certsubject' || OWN_TAGS.has(tag)) namesIdentities = true
    for (const [, word = ''] of value.matchAll(/\+citag:([a-z0-9_-]+)/gi)) issuerTags.add(word.toLowerCase())
  }
  const patterns = { 'certissuer~': 0, 'certsubject~': 0 }
  return { reading, map, hasSubjectIssuer, hasSubjects, namesIdentities, issuerTags, tags, networks: new NetworkIndex(), patterns }
}

function lintEntry(entry: AccessEntry, context: LintContext): readonly LintFinding[] {
  const key = foldCase(entry.key)
  const tag = tagOf(key)
  const rest = tag === '' ? entry.key : entry.key.slice(tag.length + 1)
  const empty = lintEmpty(tag, rest, entry)
  // Looked for in names only: a map may have a million other lines.
  const torn = empty.length === 0 && tag.startsWith('cert') ? lintTornName(entry) : []
  const general = [...lintSpelling(entry, context), ...lintLength(tag, entry.key), ...empty, ...torn]
  return general.length > 0 ? general : [...lintTagged(tag, rest, entry, context), ...lintApplied(tag, entry, context.reading)]
}

function lintTagged(tag: string, rest: string, entry: AccessEntry, context: LintContext): readonly LintFinding[] {
  const prefix = entry.key.slice(0, entry.key.length - rest.length)
  switch (tag) {
    case '':
    case 'connect':
      return [...lintHost(tag, rest, entry, context), ...lintValue(entry)]
    case 'from':
    case 'to':
      return [...lintAddress(tag, rest, entry), ...lintValue(entry, tag === 'to' && context.reading === 'sendmail')]
    case 'certissuer':
    case 'certsubject':
      return lintCertificateEntry(tag, rest, entry, context)
    case 'certfp':
    case 'certsan':
    case 'user':
    case 'certissuer~':
    case 'certsubject~':
      return lintOwnEntry(tag, rest, entry, context)
    case 'tls_clt':
    case 'tls_srv':
      return [...lintPeer(prefix, rest), ...lintRequirement(entry.value, context)]
    case 'tls_rcpt':
      return [...lintAfterAt(prefix, rest), ...lintRequirement(entry.value, context)]
    case 'spam':
      return [...lintAfterAt(prefix, rest), ...lintFriend(entry)]
    case 'srv_features':
      return [...lintPeer(prefix, rest), ...lintServerFeatures(entry, context.reading), ...lintWithheld(rest, entry, context)]
    case 'tls_srv_features':
      return [...lintPeer(prefix, rest), ...lintTlsSettings(entry)]
    case 'clt_features':
      return [...lintPeer(prefix, rest), ...lintFeatures(entry)]
    case 'try_tls':
      return [...lintPeer(prefix, rest), ...lintTryTls(entry)]
    case 'tls_clt_features':
      return [...lintPeer(prefix, rest), ...lintTlsSession(entry)]
    case 'greetpause':
      return [...lintPeer(prefix, rest), ...lintPause(entry)]
    case 'clientrate':
    case 'clientconn':
      return [...lintAddressOfClient(prefix, rest), ...lintLimit(entry)]
    default:
      return lintTag(tag, rest, entry, context)
  }
}

function lintPeer(prefix: string, rest: string): readonly LintFinding[] {
  const wrong = lintPeerKey(prefix, rest)
  return wrong.length > 0 ? wrong : lintDomainForm(prefix, rest)
}

function lintAddressOfClient(prefix: string, rest: string): readonly LintFinding[] {
  const form = lintDomainForm(prefix, rest)
  return form.length > 0 ? form : lintAddressKey(prefix, rest)
}

/** A file saved with a byte order mark, and two spellings of one domain, of which Postern looks up one. */
function lintSpelling(entry: AccessEntry, { map }: LintContext): readonly LintFinding[] {
  if (!NON_ASCII.test(entry.key)) return []
  if (entry.key.startsWith('\ufeff')) return [never('byteOrderMark', 'the line begins with a byte order mark', entry.key.slice(1), 'save the file as UTF-8 without a byte order mark')]
  const other = map.find(inDnsSpelling(foldCase(entry.key)))
  if (other === null || other.line === entry.line) return []
  return [found('duplicateSpelling', `line ${other.line} has the same domain in another spelling, and stays: Postern never finds this line`, null, 'remove one of them')]
}

/** Keys of our own are looked up at any length. */
function lintLength(tag: string, key: string): readonly LintFinding[] {
  if (key.length * 3 < LONGEST_KEY_BYTES || OWN_TAGS.has(tag)) return []
  let bytes = 0
  for (let at = 0; at < key.length; at += 1) bytes += utf8Length(key.charCodeAt(at))
  if (bytes < LONGEST_KEY_BYTES) return []
  const advice = 'use a shorter name, or CERTFP: for a certificate'
  return bytes > LONGEST_KEY_BYTES
    ? [found('keyTooLong', `the key has ${bytes} bytes, and a look-up sees ${LONGEST_KEY_BYTES}: sendmail never finds this line`, null, advice)]
    : [found('keyAtLimit', 'sendmail takes this key for every longer one that begins like it', null, advice)]
}

/** `Connect: host RELAY`: the blank ended the key. */
function lintEmpty(tag: string, rest: string, entry: AccessEntry): readonly LintFinding[] {
  if (rest !== '' || BARE_TAGS.has(tag)) return []
  const [word = '', ...value] = entry.value.split(/\s+/)
  const text = `the key is ${entry.key} alone, which sendmail never looks up`
  // `Connect:` and a value: what it is for was left out.
  if (value.length === 0) return [found('keyMissing', text, null, `write what "${word}" is for behind ${entry.key}`)]
  return [found('blankAfterTag', text, `${entry.key}${word}`, `leave no blank after ${entry.key}`)]
}

/** A word with a colon that is none of the tags: a slip, unless a CITag requirement asks for it. */
function lintTag(tag: string, rest: string, entry: AccessEntry, context: LintContext): readonly LintFinding[] {
  if (KNOWN_TAGS.has(tag)) return []
  if (context.issuerTags.has(tag)) {
    const accepts = `with "${entry.value}" sendmail accepts the issuer, and checks no requirement behind CITag`
    return [...lintName(`${entry.key.slice(0, tag.length + 1)}`, rest), ...(isWord(entry.value, 'OK') ? [] : [found('issuerTagValue', accepts, 'OK')])]
  }
  const bare = lintBareIpv6(entry.key)
  if (bare.length > 0) return bare
  const meant = nearest(tag, TAGS)
  return [found('unknownTag', `sendmail never looks up ${entry.key.slice(0, tag.length + 1)}`, meant === null ? null : `${meant}:${rest}`)]
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

/** All that are looked up, in their usual spelling; patterns beside them. */
export const TAGS = [
  'Connect',
  'From',
  'To',
  'Spam',
  'CERTISSUER',
  'CERTSUBJECT',
  'CERTFP',
  'CERTSAN',
  'USER',
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
const OWN_TAGS: ReadonlySet<string> = new Set(['certfp', 'certsan', 'user', 'certissuer~', 'certsubject~'])
