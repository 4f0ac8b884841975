/** postern migrate sendmail */

import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { migrateSendmail } from '../../../core/migrate/sendmail/migrate.ts'
import type { SiteText } from '../../../core/migrate/site-files.ts'
import { defineCommand, Problem, UsageProblem } from '../../command.ts'
import { MigrationFiles } from '../../migration-files.ts'
import { replayAgainst, replayLogs } from '../../migration-replay.ts'
import {
  checkHostname,
  checkMailboxes,
  checkOrganisation,
  machineName,
  makeDirectory,
  migratedAsJson,
  MIGRATION_OPTIONS,
  refuseUsed,
  renderMigrated,
  wholeReport,
} from '../../migration.ts'

export default defineCommand({
  summary: 'Make a data directory from a sendmail configuration, and say what became of each line.',
  details: `DIR is /etc/mail or a copy of it. Its .mc file is read (of several, sendmail.mc; or name the file itself), or the .cf
where there is no .mc, with the tables that it names. Nothing there is changed. The new directory has an authority of
its own, the old access map with its comments, and migration-report.txt: what each line was carried over to, and what to
do about each that has no equal.

With --log the decisions in sendmail's log are put to the new policy, and each that would differ is listed with its
reasons. LogLevel 12 or more writes the names of certificates, without which their decisions cannot be compared.
Once the new directory is made and corrected, --against puts the log to it.`,
  operands: 'DIR',
  options: {
    ...MIGRATION_OPTIONS,
    log: { type: 'list', value: 'FILE', describe: 'A log of sendmail to compare with, plain or .gz; - for standard input.' },
    against: { type: 'text', value: 'D', describe: 'Make nothing, and put the log to this data directory as it is now, with what was corrected since.' },
  },
  examples: [
    'postern migrate sendmail /etc/mail --report-only --log /var/log/maillog',
    'postern migrate sendmail /etc/mail --out /var/lib/postern --mailboxes imap.example.org:25',
    'postern migrate sendmail /etc/mail --against /var/lib/postern --log /var/log/maillog',
  ],
  run: async ({ args, operands: [given = ''], directory }) => {
    const { against } = args
    const out = path.resolve(args.out ?? directory)
    const makesNothing = args['report-only'] || against !== undefined
    if (against !== undefined) checkAgainst(args)
    else if (!makesNothing) refuseUsed(out)
    const { files, main } = findSite(given)
    const migration = migrateSendmail({
      main,
      files,
      hostname: checkHostname(args.hostname),
      machineName: machineName(),
      mailboxes: checkMailboxes(args.mailboxes),
      organisation: checkOrganisation(args.organisation),
    })
    if (!migration.ok) throw new Problem(migration.problem)
    const from = path.join(files.folder, main.name)
    const { organisation } = migration.value
    if (against !== undefined) {
      const place = path.resolve(against)
      return { from, directory: null, against: place, items: [], unread: [], organisation, replay: await replayAgainst(place, migration.value, args.log) }
    }
    const replay = args.log.length === 0 ? null : await replayLogs(migration.value, args.log)
    const migrated = { from, items: migration.value.items, replay, unread: files.unread() }
    if (!makesNothing) await makeDirectory(out, migration.value, wholeReport(migrated))
    return { ...migrated, directory: makesNothing ? null : out, against: null, organisation }
  },
  render: (migrated, look) => renderMigrated(migrated, look),
  toJson: migrated => migratedAsJson(migrated),
})

function checkAgainst({ log, out }: { readonly log: readonly string[]; readonly out: string | undefined }): void {
  if (log.length === 0) throw new UsageProblem('--against: say with --log which log is to be compared')
  if (out !== undefined) throw new UsageProblem('--against makes nothing: leave out --out')
}

/** The folder, and the file in it where everything begins. */
function findSite(given: string): { readonly files: MigrationFiles; readonly main: SiteText } {
  const found = statSync(given, { throwIfNoEntry: false })
  if (found === undefined) throw new Problem(`${given}: no such folder; name the one with sendmail.mc, usually /etc/mail`)
  const files = new MigrationFiles(found.isDirectory() ? given : path.dirname(given))
  const name = found.isDirectory() ? mainFile(given) : path.basename(given)
  if (OF_THE_COMMAND.test(name)) throw new Problem(ofTheCommand(path.join(files.folder, name)))
  const main = files.read(name)
  if (main === null) throw new Problem(`${given}: ${name} is not there`)
  return { files, main }
}

const OF_THE_COMMAND = /^submit\.(?:mc|cf)$/

function ofTheCommand(file: string): string {
  return `${file}: is for the sendmail command of this machine, and there is no daemon in it to take over; "postern sendmail" takes the place of the command, as docs/sendmail.md says, and gives mail to the relay that took it from FEATURE(msp)`
}

/** sendmail.mc, or the only .mc; where there is none, the same for .cf. submit.* is for the sendmail command. */
function mainFile(folder: string): string {
  const names = readdirSync(folder).sort()
  for (const suffix of ['.mc', '.cf']) {
    const candidates = names.filter(name => name.endsWith(suffix) && name !== `submit${suffix}`)
    if (candidates.includes(`sendmail${suffix}`)) return `sendmail${suffix}`
    const [only, ...others] = candidates
    if (only !== undefined && others.length === 0) return only
    if (only !== undefined) throw new Problem(`${folder}: has ${candidates.join(', ')}; name the one that is in use: postern migrate sendmail ${path.join(folder, only)}`)
  }
  const ofCommand = names.find(name => OF_THE_COMMAND.test(name))
  if (ofCommand !== undefined) throw new Problem(ofTheCommand(path.join(folder, ofCommand)))
  throw new Problem(`${folder}: has no .mc file and no .cf file; name the folder with sendmail.mc, usually /etc/mail`)
}
