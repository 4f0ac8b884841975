/**
 * The rest of the vocabulary: words, variables and lines that no other part takes up, and why.
 */

import type { Draft } from '../draft.ts'
import { PASSWORDS } from '../words.ts'
import { carryOption, isElsewhere } from './options.ts'
import type { SendmailSite } from './site.ts'
import type { Statement } from './statement.ts'
import { nearestVariable } from './variables.ts'

export function carryTheRest(site: SendmailSite): void {
  for (const statement of site.statements) {
    switch (statement.kind) {
      case 'option':
        if (!isElsewhere(statement.name)) carryOption(site.draft, statement, statement.name, statement.value)
        break
      case 'variable':
        reportVariable(site.draft, statement)
        break
      case 'word':
        reportWord(site.draft, statement)
        break
      case 'class':
      case 'classFile':
        reportClass(site.draft, statement, statement.name)
        break
      case 'line':
        reportLine(site.draft, statement)
        break
      case 'unknown':
        site.draft.todo(statement, statement.why)
        break
      case 'overridden':
        site.draft.unneeded(statement, statement.by === 'undefine' ? 'undefined again later' : `defined anew in ${statement.by}`)
        break
      case 'feature':
        break
    }
  }
}

function reportVariable(draft: Draft, statement: Extract<Statement, { kind: 'variable' }>): void {
  const { name } = statement
  if (CARRIED_ELSEWHERE.has(name)) return
  const todo = VARIABLES.get(name)
  if (todo !== undefined) return draft.todo(statement, todo)
  if (PORT_OF_MAILER.test(`${name}=${statement.value}`)) return draft.unneeded(statement, 'the port is in each next hop that this mailer was for')
  if (UNNEEDED_VARIABLE.test(name)) return draft.unneeded(statement, 'only for programs and headers of sendmail itself')
  if (statement.isUsed) return draft.unneeded(statement, 'a name for a value; it is in the lines that use it')
  const meant = nearestVariable(name)
  draft.todo(statement, `sendmail has no variable of this name that is known here, and nothing uses it${meant === null ? '' : `; was ${meant} meant?`}`)
}

const CARRIED_ELSEWHERE: ReadonlySet<string> = new Set(['SMART_HOST', 'MAIL_HUB', 'confDOMAIN_NAME', 'confCR_FILE'])

const REPLIES = 'Postern answers refused clients in its own words, with the id of the decision'
const REGEX = 'Postern looks up the whole name of a certificate: write the CERTISSUER: and CERTSUBJECT: lines with the names that "postern dn FILE" prints'
const OTHER_NETWORKS = 'Postern speaks SMTP only'

const VARIABLES: ReadonlyMap<string, string> = new Map([
  ['LUSER_RELAY', 'The server with the mailboxes must take mail for users that it does not know; checks.recipients can list those that there are'],
  ['LOCAL_RELAY', 'This was for names without a domain. Postern takes no recipient without one, but postmaster'],
  ['confREJECT_MSG', REPLIES],
  ['confRELAY_MSG', REPLIES],
  ['confRCPTREJ_MSG', REPLIES],
  ['TLS_PERM_ERR', 'A client that fails a TLS_Clt: line is refused for now (454) unless the line says PERM+'],
  ['_CERT_REGEX_ISSUER_', REGEX],
  ['_CERT_REGEX_SUBJECT_', REGEX],
  ['BITNET_RELAY', OTHER_NETWORKS],
  ['UUCP_RELAY', OTHER_NETWORKS],
  ['DECNET_RELAY', OTHER_NETWORKS],
  ['FAX_RELAY', OTHER_NETWORKS],
])

const PORT_OF_MAILER = /^\w+_MAILER_ARGS=(?:TCP|IPC)\s+\$h\s+\w/

/** Paths, flags, header forms and marks of the packagers. */
const UNNEEDED_VARIABLE =
  /^(?:MAIL_SETTINGS_DIR|MSP_QUEUE_DIR|(?:\w+)_MAILER_\w+|conf(?:CW_FILE|CT_FILE|CF_VERSION|EBINDIR|MAILER_NAME|SMTP_MAILER|LOCAL_MAILER|RELAY_MAILER|UUCP_MAILER|FROM_HEADER|RECEIVED_HEADER|MESSAGEID_HEADER|TIME_ZONE|TRUSTED_USERS|LDAP_CLUSTER|DEQUOTE_OPTS)|DATABASE_MAP_TYPE|PROCMAIL_PATH|_USE_ETC_MAIL_|_USE_DECNET_SYNTAX_|_FFR_\w+|DEBIAN_\w+|DAEMON_\w+|sm_\w+)$/

function reportWord(draft: Draft, statement: Extract<Statement, { kind: 'word' }>): void {
  const { name, args } = statement
  if (name === 'DAEMON_OPTIONS') return
  if (name === 'included') return draft.carried(statement, `what ${args[0]} says`)
  if (name === 'MAILER') {
    const isPlain = ['local', 'smtp'].includes(args[0] ?? '')
    return isPlain ? draft.unneeded(statement, 'Postern sends by SMTP, and does not deliver to mailboxes') : draft.todo(statement, 'Postern has no mailers but SMTP: mail that went this way needs a server with SMTP and a [[route]]')
  }
  const [outcome, words] = WORDS.get(name) ?? ['todo', 'this has no equal in Postern']
  if (outcome === 'todo') draft.todo(statement, words)
  else draft.unneeded(statement, words)
}

const MILTER = 'Postern asks no milter in this version: mail is no longer seen by this filter. Keep it on the next hop, or keep sendmail in front until then'
const COMMANDS = 'commands and text functions of m4 are not carried out here: what this was to make is missing from the result'
const DIRECTORY = 'Postern asks no directory in this version: write a [[route]] for each domain'

type Advice = readonly [outcome: 'todo' | 'unneeded', words: string]

const WORDS: ReadonlyMap<string, Advice> = new Map<string, Advice>([
  ['include', ['unneeded', 'sendmail\'s own m4 files: their vocabulary is known here']],
  ['sinclude', ['unneeded', 'the file does not exist, and need not']],
  ['undefine', ['unneeded', 'what it takes back is not in the result']],
  ['DOMAIN', ['unneeded', 'the domain file that comes with sendmail: no settings of a site']],
  ['VERSIONID', ['unneeded', 'a comment']],
  ['OSTYPE', ['unneeded', 'where files lie on this system']],
  ['INPUT_MAIL_FILTER', ['todo', MILTER]],
  ['MAIL_FILTER', ['todo', MILTER]],
  ['MASQUERADE_AS', ['todo', 'Postern rewrites no addresses in this version: senders must write the address that they want to be seen, or a next hop must rewrite it']],
  ['CLIENT_OPTIONS', ['todo', 'Postern leaves the source address of outgoing connections to the system\'s routes, always tries STARTTLS where delivery.tls lets it, and says delivery.helo']],
  ['QUEUE_GROUP', ['unneeded', 'Postern plans the queue itself: see [queue] in docs/reference/settings.md']],
  ['MODIFY_MAILER_FLAGS', ['unneeded', 'Postern sends by SMTP, and does not deliver to mailboxes']],
  ['HACK', ['todo', 'a change to sendmail\'s rules that cannot be translated: find out what it was for']],
  ['SITECONFIG', ['todo', OTHER_NETWORKS]],
  ['SITE', ['todo', OTHER_NETWORKS]],
  ['DECNET', ['todo', OTHER_NETWORKS]],
  ['UUCPSMTP', ['todo', OTHER_NETWORKS]],
  ['LDAPROUTE_DOMAIN', ['todo', DIRECTORY]],
  ['LDAPROUTE_DOMAIN_FILE', ['todo', DIRECTORY]],
  ['LDAPROUTE_EQUIVALENT', ['todo', DIRECTORY]],
  ['LDAPROUTE_EQUIVALENT_FILE', ['todo', DIRECTORY]],
  ...['syscmd', 'esyscmd', 'maketemp', 'm4wrap', 'regexp', 'patsubst', 'format', 'builtin', 'indir'].map((name): [string, Advice] => [name, ['todo', COMMANDS]]),
])

/** w, R and VirtHost are domains, and spoken of there. */
function reportClass(draft: Draft, statement: Statement, name: string): void {
  if (['w', 'R', 'VirtHost'].includes(name)) return
  if (name === 'TrustAuthMech') return draft.todo(statement, PASSWORDS)
  if (['M', 'N', 'E', 'G'].includes(name)) {
    return draft.todo(statement, 'Postern rewrites no addresses in this version: senders must write the address that they want to be seen, or a next hop must rewrite it')
  }
  if (name === 'm') return draft.todo(statement, 'Own domains are relay.domains in Postern: add them there if FEATURE(relay_entire_domain) was on')
  draft.unneeded(statement, 'a class that only sendmail\'s own rules use')
}

function reportLine(draft: Draft, statement: Extract<Statement, { kind: 'line' }>): void {
  const [outcome, words] = LINES[statement.letter] ?? ['unneeded', 'only for sendmail itself']
  if (outcome === 'todo') draft.todo(statement, words)
  else draft.unneeded(statement, words)
}

const LINES: { readonly [letter: string]: Advice } = {
  R: ['todo', 'Rewriting rules of your own cannot be translated: find out what they were for, and say it with the access map, [[route]] or on the next hop'],
  S: ['todo', 'Rewriting rules of your own cannot be translated: find out what they were for, and say it with the access map, [[route]] or on the next hop'],
  K: ['todo', 'A map for rules of your own, which cannot be translated'],
  H: ['unneeded', 'Postern adds no header fields but Received'],
  M: ['unneeded', 'Postern sends by SMTP, and does not deliver to mailboxes'],
  D: ['unneeded', 'a value that only rules and headers of sendmail use'],
  emptyMacro: ['unneeded', 'empty'],
  standardMap: ['unneeded', 'a map that sendmail\'s own rules use'],
  standardRules: ['unneeded', 'the rules that sendmail\'s m4 files write into every .cf; rules that somebody changed by hand among them cannot be told apart'],
}
