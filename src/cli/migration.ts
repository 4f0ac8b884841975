/**
 * What the migrate commands do when the old configuration has been read: prove it with the old log,
 * make the data directory, tell.
 */

import { existsSync, readdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isDomain, isHostname, parseHostPort } from '../core/config/forms.ts'
import { parseConfig } from '../core/config/parse.ts'
import type { Config } from '../core/config/schema.ts'
import { countsOf, renderReplay } from '../core/migrate/replay-report.ts'
import type { ReplayResult } from '../core/migrate/replay-report.ts'
import { countItems, renderItems } from '../core/migrate/report.ts'
import type { Item } from '../core/migrate/report.ts'
import type { Migration } from '../core/migrate/migration.ts'
import { assert } from '../core/result.ts'
import { Problem, UsageProblem } from './command.ts'
import { shellQuoted } from './files.ts'
import { initialise } from './initialise.ts'
import { indent, plural, type Look } from './output.ts'

export type Migrated = {
  /** The configuration that was read. */
  readonly from: string
  /** The data directory that was made, or null. */
  readonly directory: string | null
  /** The data directory that the log was put to, if it was not the one that would come of this. */
  readonly against: string | null
  readonly items: readonly Item[]
  readonly replay: ReplayResult | null
  readonly unread: readonly string[]
  /** The domain that the new authority is named for. */
  readonly organisation: string
}

/** What stands in the report beside the configuration. */
type Reported = Omit<Migrated, 'directory' | 'against' | 'organisation'>

/** Options that both commands have. */
export const MIGRATION_OPTIONS = {
  out: { type: 'text', value: 'D', describe: 'The data directory to make (default: that of --dir). It must not be there, or be empty.' },
  'report-only': { type: 'flag', describe: 'Make nothing; only report.' },
  hostname: { type: 'text', value: 'H', describe: 'This machine\'s full name (default: what the configuration says).' },
  organisation: { type: 'text', value: 'DOMAIN', describe: 'The domain in the names of the new authority (default: the site\'s own, by its masquerading, its host name or its local domains).' },
  mailboxes: { type: 'text', value: 'HOST:PORT', describe: 'The server that has the mailboxes of local domains: their mail is routed there.' },
} as const

export function machineName(): string {
  const name = os.hostname().toLowerCase()
  return name.includes('.') ? name : 'localhost'
}

/** Null where none was given. */
export function checkHostname(given: string | undefined): string | null {
  if (given === undefined) return null
  if (!isHostname(given) || !given.includes('.')) throw new UsageProblem(`--hostname ${given}: write the full name of the machine, such as relay.example.org`)
  return given.toLowerCase()
}

export function checkOrganisation(given: string | undefined): string | null {
  if (given === undefined) return null
  if (!isDomain(given)) throw new UsageProblem(`--organisation ${given}: write a domain, such as example.org`)
  return given.toLowerCase()
}

export function checkMailboxes(given: string | undefined): string | null {
  if (given === undefined) return null
  if (parseHostPort(given, 1) === null) throw new UsageProblem(`--mailboxes ${given}: write HOST:PORT, such as imap.example.org:25`)
  return given
}

/** Nothing that is there is written over; asked before anything is read. */
export function refuseUsed(directory: string): void {
  if (!existsSync(directory) || readdirSync(directory).length === 0) return
  throw new Problem(`${directory} exists already, and migrate writes over nothing; choose another folder with --out, or say --report-only`)
}

/** A whole data directory, with an authority of its own. */
export async function makeDirectory(directory: string, migration: Migration, report: string): Promise<void> {
  await initialise(directory, {
    hostname: migration.hostname,
    domains: configOf(migration).relay.domains,
    smarthost: null,
    smarthostIsTrial: false,
    addresses: {},
    passphraseFile: null,
    organisation: migration.organisation,
    caName: null,
    keyType: 'p256',
    brought: {
      config: migration.config,
      access: migration.access,
      further: [...migration.copies, { name: 'migration-report.txt', content: report }],
    },
  })
}

export function configOf({ config }: Migration): Config {
  const parsed = parseConfig(config, 'postern.toml')
  assert(parsed.ok, 'a migrated configuration loads')
  return parsed.value
}

/** For a file: everything. */
export function wholeReport(migrated: Reported): string {
  return `${lines(migrated, Infinity).join('\n')}\n`
}

/** For a person: as much as can be read, with what to do next. */
export function renderMigrated(migrated: Migrated, look: Look): string {
  const { directory, against, replay, organisation } = migrated
  if (against !== null && replay !== null) return [`${against} and the log of ${migrated.from}`, '', ...renderReplay(replay), `${countsOf(replay.counts)}.`].join('\n')
  const text = lines(migrated, directory === null ? Infinity : MOST_LINES)
    .map(line => (TITLES.has(line) ? look.bold(line) : line))
    .join('\n')
  if (directory === null) return text
  const place = shellQuoted(directory)
  const next = [`postern check --dir ${place}`, `postern user add joe --email joe@${organisation} --dir ${place}`, `postern run --dir ${place}`].join('\n')
  return `${text}\n\n${look.bold('Next')}\n${indent(`Read ${path.join(directory, 'migration-report.txt')} and postern.toml beside it.\n${next}`)}`
}

export function migratedAsJson({ from, directory, against, items, replay, unread }: Migrated): object {
  return {
    from,
    directory,
    against,
    lines: items.map(({ file, line, text, outcome, words }) => ({ file, line: line === 0 ? null : line, text, outcome, words })),
    unread,
    counts: countItems(items),
    log: replay === null ? null : { ...replay.counts, left: Object.fromEntries(replay.counts.left), differences: replay.differences },
  }
}

/** Lines of one kind that a terminal shows; the report beside the configuration has them all. */
const MOST_LINES = 15
const TITLES: ReadonlySet<string> = new Set(['Yours to do', 'Carried over', 'Nothing to do', 'Not read', 'The old log'])

function lines({ from, items, replay, unread }: Reported, most: number): readonly string[] {
  const { carried, todo, unneeded } = countItems(items)
  return [
    `From ${from}`,
    '',
    ...renderItems(items, most),
    ...(unread.length === 0 ? [] : ['Not read', 'These files of the folder were not looked at.', '', ...unread.map(name => `  ${name}`), '']),
    ...(replay === null ? [] : renderReplay(replay)),
    `${plural(carried, 'line')} carried over, ${todo} yours to do, ${unneeded} with nothing to do.`,
    ...(replay === null ? [] : [`${countsOf(replay.counts)}.`]),
  ]
}
