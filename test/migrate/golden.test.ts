/**
 * Whole sites: a folder of an old configuration, and exactly what comes of it.
 *
 *     sendmail/SITE/mail/     the old configuration with its tables
 *     sendmail/SITE/maillog   the log of its old server, if there is one
 *     sendmail/SITE/          postern.toml, access and report.txt that must come of it
 *
 * and the same below postfix/. After a change that is meant: UPDATE=1 node --test
 * test/migrate/golden.test.ts, and read the difference.
 */

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { MigrationFiles } from '../../src/cli/migration-files.ts'
import { replayLogs } from '../../src/cli/migration-replay.ts'
import { wholeReport } from '../../src/cli/migration.ts'
import { parseConfig } from '../../src/core/config/parse.ts'
import type { Migration } from '../../src/core/migrate/migration.ts'
import { migratePostfix } from '../../src/core/migrate/postfix/migrate.ts'
import type { SiteFiles } from '../../src/core/migrate/site-files.ts'
import { migrateSendmail } from '../../src/core/migrate/sendmail/migrate.ts'
import { accessProblems } from '../../src/relay/policy-holder.ts'

const ISSUER = '/O=example.org/CN=example.org+20Issuing+20CA'
/** Sites that are told where the mailboxes are. */
const MAILBOXES: { readonly [site: string]: string } = { submission: 'imap.example.org:25' }

for (const program of ['sendmail', 'postfix'] as const) {
  const folder = path.join(import.meta.dirname, program)
  for (const site of readdirSync(folder)) {
    test(`${program}: ${site}`, async () => {
      const place = path.join(folder, site)
      const shown = program === 'sendmail' ? '/etc/mail' : '/etc/postfix'
      const { migration, report } = await migrate(program, place, MAILBOXES[site] ?? null)
      const settled = (text: string): string => text.replaceAll(`${place}/mail/`, `${shown}/`).replaceAll(`${place}/`, '')
      check(path.join(place, 'postern.toml'), settled(migration.config))
      check(path.join(place, 'access'), migration.access(ISSUER))
      check(path.join(place, 'report.txt'), settled(report))
      for (const { name, content } of migration.copies.filter(({ name }) => name === 'recipients')) check(path.join(place, name), content)
      loads(migration)
      tellsEveryLine(migration, path.join(place, 'mail'))
    })
  }
}

async function migrate(program: 'sendmail' | 'postfix', place: string, mailboxes: string | null): Promise<{ migration: Migration; report: string }> {
  const files = new MigrationFiles(path.join(place, 'mail'))
  const name = program === 'postfix' ? 'main.cf' : existsSync(path.join(files.folder, 'sendmail.mc')) ? 'sendmail.mc' : 'sendmail.cf'
  const main = files.read(name)
  assert.ok(main)
  const request = { main, files: withSafeKeys(files), hostname: null, machineName: 'host.example.org', mailboxes, organisation: null }
  const migration = program === 'sendmail' ? sendmail(request) : migratePostfix({ ...request, master: files.read('master.cf') })
  const log = path.join(place, 'maillog')
  const replay = existsSync(log) ? await replayLogs(migration, [log]) : null
  return { migration, report: wholeReport({ from: path.join(files.folder, name), items: migration.items, replay, unread: files.unread() }) }
}

function sendmail(request: Parameters<typeof migrateSendmail>[0]): Migration {
  const migrated = migrateSendmail(request)
  assert.ok(migrated.ok, JSON.stringify(migrated))
  return migrated.value
}

/** The modes of files that git has laid down are nobody's choice. */
function withSafeKeys(files: MigrationFiles): SiteFiles {
  return {
    read: given => files.read(given),
    locate: given => files.locate(given),
    authorities: given => files.authorities(given),
    keyProblem: () => null,
  }
}

function check(file: string, text: string): void {
  if (process.env['UPDATE'] === '1') writeFileSync(file, text)
  else assert.equal(text, existsSync(file) ? readFileSync(file, 'utf8') : '')
}

/** Nothing is dropped in silence: each line that says something is in the report, by its file and number. */
function tellsEveryLine({ items }: Migration, folder: string): void {
  const told = new Set(items.map(({ file, line }) => `${file}:${line}`))
  for (const [name, saying] of SAYING) {
    const file = path.join(folder, name)
    const lines = existsSync(file) ? readFileSync(file, 'utf8').replace(/^divert\(-1\)[^]*?^(?=divert\(0\)|include)/m, text => text.replaceAll(/.+/g, '')).split('\n') : []
    const untold = lines.flatMap((line, index) => (saying.test(line) && !told.has(`${name}:${index + 1}`) ? [`${name}:${index + 1}: ${line}`] : []))
    assert.deepEqual(untold, [])
  }
}

/** Lines that begin something. In a .mc that is a word of m4 with its arguments, but for those that only steer m4. */
const SAYING: readonly (readonly [file: string, line: RegExp])[] = [
  ['sendmail.mc', /^(?!divert|ifdef|dnl|LOCAL_|MAILER_DEFINITIONS)\w.*/],
  ['sendmail.cf', /^[^#\sSR]/],
  ['main.cf', /^[^#\s]/],
  ['master.cf', /^[^#\s]/],
  ['aliases', /^[^#\s]/],
  ...['local/limits.m4', 'relay-domains', 'local-host-names'].map(name => [name, /^(?!dnl)[^#\s]/] as const),
  ...['mailertable', 'virtusertable', 'genericstable', 'domaintable'].map(name => [name, /^[^#\s]/] as const),
  ...['transport', 'tls_policy', 'relay_domains', 'relay_clientcerts', 'client_access', 'recipient_access', 'sender_access'].map(name => [name, /^[^#\s]/] as const),
]

/** What was written is what Postern takes. */
function loads({ config, access }: Migration): void {
  const parsed = parseConfig(config, 'postern.toml')
  assert.ok(parsed.ok, JSON.stringify(parsed))
  const problems = accessProblems(parsed.value, { accessText: access(ISSUER), accessFile: 'access' })
  assert.deepEqual(problems.filter(({ severity }) => severity === 'error'), [])
}
