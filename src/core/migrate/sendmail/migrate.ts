/**
 * From a sendmail site to a Postern one: its configuration and tables in, a new configuration, a new
 * access map and a report out.
 */

import { isHostname } from '../../config/forms.ts'
import { LEADING_DOT, LOCAL_PART_ALONE } from '../../policy/access-lint-hosts.ts'
import { fail, ok } from '../../result.ts'
import type { Result } from '../../result.ts'
import { addEntry, isNewlyMeant, readOldAccess, settleAccess, writeNewAccess } from '../access-file.ts'
import type { OldAccess } from '../access-file.ts'
import { Draft } from '../draft.ts'
import { inOrder } from '../migration.ts'
import type { Migration } from '../migration.ts'
import { carryOrganisation } from '../organisation.ts'
import { formatPlace } from '../report.ts'
import type { Source } from '../report.ts'
import { carryCheck } from '../site-checks.ts'
import type { SiteFiles, SiteText } from '../site-files.ts'
import { reportAccessTags } from './access-tags.ts'
import { readCf } from './cf.ts'
import { carryDomains, masqueradeOf } from './domains.ts'
import { carryFeatures, looksUpDots, reportAccessFeature } from './features.ts'
import { carryListeners } from './listeners.ts'
import { readMc } from './mc.ts'
import { carryMailertable, carrySmartHost } from './next-hops.ts'
import { featureNamed, optionNamed, tableFile, untold, variableNamed } from './site.ts'
import type { SendmailSite } from './site.ts'
import { reportTables } from './tables.ts'
import { carryAuthorities, carryTlsFiles } from './tls-files.ts'
import { SENDMAIL_COMMAND } from '../words.ts'
import { carryTheRest } from './words.ts'

type MigrationRequest = {
  /** The `.mc`, or the `.cf` of a site that has none. */
  readonly main: SiteText
  readonly files: SiteFiles
  /** What was asked for; null for what the configuration says. */
  readonly hostname: string | null
  /** Where nothing says it: the name of this machine. */
  readonly machineName: string
  readonly mailboxes: string | null
  readonly organisation: string | null
}

export function migrateSendmail({ main, files, hostname, machineName, mailboxes, organisation }: MigrationRequest): Result<Migration, string> {
  const isCf = main.name.endsWith('.cf')
  const read = isCf ? ok(readCf(main)) : readMc(main, files)
  if (!read.ok) return fail(`${formatPlace(read.problem)}: ${read.problem.message}`)
  const draft = new Draft()
  const first = { statements: read.value, files, draft, mailboxes }
  const site: SendmailSite = { ...first, access: readSiteAccess(first.statements, files) }
  const own = carryHostname(site, hostname, machineName)
  draft.put(untold(''), 'relay.sender-binding', 'warn')
  const listeners = carryListeners(site)
  carrySmartHost(site)
  carryMailertable(site)
  const local = carryDomains(site, own)
  const authorityOf = carryOrganisation(draft, { hostname: own, asked: organisation, masquerade: masqueradeOf(site), local })
  carryTlsFiles(site)
  const clientAuthorities = carryAuthorities(site)
  reportAccessFeature(site)
  carryFeatures(site)
  carryTheRest(site)
  reportTables(site)
  reportAccessTags(site, [own, ...local.map(({ domain }) => domain)])
  reportAccessProblems(site)
  carryUntold(site)
  settleAccess(draft, site.access)
  const config = draft.config(heading(main.name))
  return ok({
    hostname: own,
    organisation: authorityOf,
    config,
    access: issuer => writeNewAccess(site.access, draft.entries, issuer),
    copies: draft.copies,
    items: inOrder(draft.items, main.name),
    listeners,
    clientAuthorities,
  })
}

function heading(name: string): string {
  return `Postern's configuration, made from ${name} by "postern migrate sendmail".
Behind each setting stands the line it came from. What has no equal is in migration-report.txt.
docs/reference/settings.md lists every key, and "postern check" finds what is wrong here.`
}

function readSiteAccess(statements: SendmailSite['statements'], files: SiteFiles): OldAccess {
  const feature = statements.find(statement => statement.kind === 'feature' && statement.name === 'access_db')
  const map = feature?.kind === 'feature' ? (feature.args[0] ?? '') : ''
  return readOldAccess(feature === undefined ? null : files.read(tableFile(map, '/etc/mail/access')))
}

function carryHostname(site: SendmailSite, asked: string | null, machineName: string): string {
  const { draft } = site
  const named = variableNamed(site, 'confDOMAIN_NAME')
  if (asked !== null) {
    draft.put(untold('asked for'), 'hostname', asked)
    if (named !== null) draft.unneeded(named, `hostname = "${asked}" was asked for`)
    return asked
  }
  const value = named?.value.replace(/\.$/, '').toLowerCase() ?? null
  // `$w.example.org`: made of macros that only the old host can fill in.
  const isPlain = value !== null && isHostname(value) && value.includes('.')
  if (named !== null && isPlain) draft.set(named, 'hostname', value)
  else {
    draft.put(named ?? untold(''), 'hostname', machineName)
    draft.todo(named ?? untold('the name of the host'), `sendmail takes it from the system: see that hostname = "${machineName}" in postern.toml is the name that other servers know`)
  }
  return isPlain ? value : machineName
}

function reportAccessProblems(site: SendmailSite): void {
  const { draft, access } = site
  const lines = access.text.split('\n')
  for (const { rule, file, line, text, suggestion, advice, faultyLine } of access.problems) {
    if (rule === LOCAL_PART_ALONE) continue
    const written = lines[line - 1] ?? ''
    const source: Source = { file, line, text: /^authinfo:/i.test(written) ? 'AuthInfo: …' : written }
    if (isNewlyMeant(written)) continue
    if (rule === LEADING_DOT && looksUpDots(site)) {
      draft.todo(source, `with lookupdotdomain it was for the hosts below, and not for the domain itself; Postern never finds it${suggestion === null ? '' : `, and ${suggestion} is for both`}`)
      continue
    }
    const more = suggestion === null ? (advice === null ? '' : `; ${advice}`) : `; did you mean ${suggestion}?`
    draft.todo(source, `${text}${more}${faultyLine ? ' (a comment in the new access map)' : ''}`)
  }
  for (const [index, text] of lines.entries()) {
    if (isNewlyMeant(text)) draft.todo({ file: access.name, line: index + 1, text }, NEWLY_MEANT)
  }
}

const NEWLY_MEANT = 'sendmail never found a network in this form, and Postern would. It is a comment in the new access map: take the # away if the network is still to be let in, or kept out'

/** What sendmail does without a line that says so. */
function carryUntold(site: SendmailSite): void {
  const { draft, access } = site
  const local = untold('the host itself, 127.0.0.1 and ::1, may relay')
  addEntry(draft, access, local, 'Connect:127.0.0.1', 'RELAY')
  addEntry(draft, access, local, 'Connect:IPv6:0:0:0:0:0:0:0:1', 'RELAY')
  draft.carried(untold('a certificate may send from any address'), 'relay.sender-binding = "warn"; make it "enforce" when the log has no more warnings')
  draft.todo(untold('hosts whose DNS name is in a relay domain, or is a local name, may relay'), 'Postern lets no host relay because of its DNS name, unless a Connect: line has that name: give such hosts a certificate, or a Connect: line')
  if (optionNamed(site, 'MaxMessageSize') === null) draft.todo(untold('messages of any size'), 'Postern takes messages up to 50 MiB: limits.message-size')
  if (featureNamed(site, 'accept_unresolvable_domains') === null) carryCheck(draft, untold('senders whose domain does not exist are refused'), 'sender-domain')
  if (featureNamed(site, 'msp') === null) draft.todo(untold('programs on the host give mail to the sendmail command'), SENDMAIL_COMMAND)
}
