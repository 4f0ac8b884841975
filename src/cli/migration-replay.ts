/** Sendmail's log put to a policy: of the migration that was just read, or of a data directory as it is now. */

import { Replay } from '../core/migrate/replay.ts'
import type { IssuerCounts } from '../core/migrate/replay.ts'
import type { ReplayResult } from '../core/migrate/replay-report.ts'
import type { Migration } from '../core/migrate/migration.ts'
import { SendmailLog } from '../core/migrate/sendmail/maillog.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import type { Policy } from '../core/policy/policy.ts'
import { policyOf } from '../relay/policy-holder.ts'
import { readAccessMap } from './access-source.ts'
import { Problem } from './command.ts'
import { inDirectory, readConfig } from './directory.ts'
import { authoritiesIn } from './migration-files.ts'
import { configOf } from './migration.ts'
import { forEachLine } from './migration-log.ts'

export async function replayLogs(migration: Migration, logs: readonly string[]): Promise<ReplayResult> {
  const issuer = '/CN=the+20new+20authority'
  const policy = policyOf(configOf(migration), { accessText: migration.access(issuer), accessFile: 'access' })
  const counting = folded(migration.clientAuthorities)
  return replay(policy, issuer => counting.has(issuer.toLowerCase()), migration, logs)
}

/** With all that was corrected since. */
export async function replayAgainst(directory: string, migration: Migration, logs: readonly string[]): Promise<ReplayResult> {
  const config = readConfig(directory)
  const policy = policyOf(config, readAccessMap(directory, config))
  const subjects = (name: ListenerName): readonly string[] => config.listeners[name].clientCaFiles.flatMap(file => authoritiesIn(inDirectory(directory, file)) ?? unreadable(file)).map(({ subject }) => subject)
  const counting = { mx: folded(subjects('mx')), submission: folded(subjects('submission')), submissions: folded(subjects('submissions')), lmtp: folded(subjects('lmtp')) }
  return replay(policy, (issuer, listener) => counting[listener].has(issuer.toLowerCase()), migration, logs)
}

/** What the old daemons were called is known from the old configuration only. */
async function replay(policy: Policy, counts: IssuerCounts, { listeners }: Migration, logs: readonly string[]): Promise<ReplayResult> {
  const replay = new Replay(policy, counts)
  const log = new SendmailLog(replay, listeners)
  for (const file of logs) await forEachLine(file, (text, place) => log.line(text, place))
  log.end()
  return { counts: replay.counts, differences: replay.differences }
}

function unreadable(file: string): never {
  throw new Problem(`${file}: cannot be read, and client-ca names it`)
}

function folded(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map(name => name.toLowerCase()))
}
