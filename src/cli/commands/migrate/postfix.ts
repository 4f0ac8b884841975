/** postern migrate postfix */

import { statSync } from 'node:fs'
import path from 'node:path'
import { migratePostfix } from '../../../core/migrate/postfix/migrate.ts'
import { defineCommand, Problem } from '../../command.ts'
import { MigrationFiles } from '../../migration-files.ts'
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
  summary: 'Make a data directory from Postfix\'s relay and TLS settings, and say what became of each line.',
  details: `DIR is /etc/postfix or a copy of it. main.cf, master.cf and the text tables that they name are read; nothing there is
changed. What permits relaying becomes an access map: mynetworks, permit_tls_clientcerts and the check_…_access tables.
The new directory has an authority of its own, and migration-report.txt: what each line was carried over to, and what to
do about each that has no equal.`,
  operands: 'DIR',
  options: MIGRATION_OPTIONS,
  examples: ['postern migrate postfix /etc/postfix --report-only', 'postern migrate postfix /etc/postfix --out /var/lib/postern'],
  run: async ({ args, operands: [given = ''], directory }) => {
    const out = path.resolve(args.out ?? directory)
    if (!args['report-only']) refuseUsed(out)
    if (statSync(given, { throwIfNoEntry: false })?.isDirectory() !== true) throw new Problem(`${given}: no such folder; name the one with main.cf, usually /etc/postfix`)
    const files = new MigrationFiles(given)
    const main = files.read('main.cf')
    if (main === null) throw new Problem(`${given}: has no main.cf; name the folder that has it, usually /etc/postfix`)
    const migration = migratePostfix({
      main,
      master: files.read('master.cf'),
      files,
      hostname: checkHostname(args.hostname),
      machineName: machineName(),
      mailboxes: checkMailboxes(args.mailboxes),
      organisation: checkOrganisation(args.organisation),
    })
    const migrated = { from: path.join(files.folder, main.name), items: migration.items, replay: null, unread: files.unread() }
    if (!args['report-only']) await makeDirectory(out, migration, wholeReport(migrated))
    return { ...migrated, directory: args['report-only'] ? null : out, against: null, organisation: migration.organisation }
  },
  render: (migrated, look) => renderMigrated(migrated, look),
  toJson: migrated => migratedAsJson(migrated),
})
