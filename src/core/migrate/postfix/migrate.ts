/**
 * From a Postfix site to a Postern one, as far as relaying and TLS are concerned: main.cf, master.cf
 * and the tables that they name in; a new configuration, an access map and a report out.
 */

import { isHostname } from '../../config/forms.ts'
import { readOldAccess, settleAccess, writeNewAccess } from '../access-file.ts'
import { Draft } from '../draft.ts'
import { inOrder } from '../migration.ts'
import type { Migration } from '../migration.ts'
import { carryOrganisation } from '../organisation.ts'
import type { SiteFiles, SiteText } from '../site-files.ts'
import { carryDomains, originOf } from './domains.ts'
import { carryListeners, reportServices } from './listeners.ts'
import { MainCf } from './main-cf.ts'
import { readServices } from './master-cf.ts'
import { carryNextHops } from './next-hops.ts'
import { carryParameters, reportUnused } from './parameters.ts'
import { carryRestrictions } from './restrictions.ts'
import { carryPeers } from './peers.ts'
import { carryRecipients } from './recipients.ts'
import { untold } from './site.ts'
import type { PostfixSite } from './site.ts'
import { SENDMAIL_COMMAND } from '../words.ts'
import { carryTlsFiles, carryTlsLevels } from './tls-files.ts'

type PostfixMigrationRequest = {
  readonly main: SiteText
  /** master.cf, or null where it is not there. */
  readonly master: SiteText | null
  readonly files: SiteFiles
  readonly hostname: string | null
  readonly machineName: string
  readonly mailboxes: string | null
  readonly organisation: string | null
}

export function migratePostfix(request: PostfixMigrationRequest): Migration {
  const { main, master, files, mailboxes } = request
  const draft = new Draft()
  const services = master === null ? [] : readServices(master)
  const site: PostfixSite = { main: new MainCf(main), services, files, draft, access: readOldAccess(null), mailboxes, spokenOf: new Set() }
  const hostname = carryHostname(site, request)
  draft.put(untold(''), 'relay.sender-binding', 'warn')
  carryListeners(site)
  carryPeers(site)
  carryTlsLevels(site)
  carryNextHops(site)
  const local = carryDomains(site)
  const organisation = carryOrganisation(draft, { hostname, asked: request.organisation, masquerade: originOf(site), local })
  carryRecipients(site, draft.domains.filter(name => !local.some(({ domain }) => domain === name)))
  carryRestrictions(site)
  carryTlsFiles(site)
  carryParameters(site)
  reportServices(site)
  carryUntold(site)
  reportUnused(site)
  settleAccess(draft, site.access)
  const config = draft.config(HEADING)
  return {
    hostname,
    organisation,
    config,
    access: issuer => writeNewAccess(site.access, draft.entries, issuer),
    copies: draft.copies,
    items: inOrder(draft.items, main.name),
    listeners: new Map(),
    clientAuthorities: [],
  }
}

const HEADING = `Postern's configuration, made from main.cf by "postern migrate postfix".
Behind each setting stands the line it came from. What has no equal is in migration-report.txt.
docs/reference/settings.md lists every key, and "postern check" finds what is wrong here.`

function carryHostname({ main, draft, spokenOf }: PostfixSite, { hostname, machineName }: PostfixMigrationRequest): string {
  spokenOf.add('myhostname')
  const named = main.get('myhostname')
  if (hostname !== null) {
    draft.put(untold('asked for'), 'hostname', hostname)
    if (named !== null) draft.unneeded(named, `hostname = "${hostname}" was asked for`)
    return hostname
  }
  const value = named?.value.toLowerCase() ?? ''
  if (named !== null && isHostname(value) && value.includes('.')) {
    draft.set(named, 'hostname', value)
    return value
  }
  draft.put(named ?? untold(''), 'hostname', machineName)
  draft.todo(named ?? untold('the name of the host'), `Postfix takes it from the system: see that hostname = "${machineName}" in postern.toml is the name that other servers know`)
  return machineName
}

function carryUntold({ draft, main }: PostfixSite): void {
  draft.carried(untold('a certificate may send from any address'), 'relay.sender-binding = "warn"; make it "enforce" when the log has no more warnings')
  if (main.get('message_size_limit') === null) draft.set(untold('message_size_limit = 10240000'), 'limits.message-size', '10000KiB')
  draft.todo(untold('programs on the host give mail to the sendmail command'), SENDMAIL_COMMAND)
}
