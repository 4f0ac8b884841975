/**
 * The answers that commands need from a running Postern, or from its authority.
 */

import { existsSync } from 'node:fs'
import { askControl } from '../io/control-client.ts'
import { startAuthority, type AuthorityProcess } from '../process/authority-process.ts'
import { readPassphrase } from '../process/passphrase.ts'
import type { AdminAnswers, AdminRequest, AuthorityAnswer, AuthorityRequest } from '../relay/admin.ts'
import { Problem } from './command.ts'
import { readConfig, serviceHint } from './directory.ts'

/** Throws a Problem if no Postern runs on this directory, or if it answers with one. */
export async function askRunning<Request extends AdminRequest>(directory: string, request: Request): Promise<AdminAnswers[Request['do']]> {
  const answer = await askIfRunning(directory, request)
  if (answer !== null) return answer.value
  if (!existsSync(directory)) throw new Problem(`there is no folder ${directory}; name the data directory with --dir, as in: --dir /var/lib/postern${serviceHint(directory)}`)
  throw new Problem(`no Postern is running on ${directory}; start it with: postern run --dir ${directory}${serviceHint(directory)}`)
}

/** Null if no Postern runs on this directory. */
export async function askIfRunning<Request extends AdminRequest>(
  directory: string,
  request: Request,
): Promise<{ readonly value: AdminAnswers[Request['do']] } | null> {
  const result = await askControl(directory, request)
  if ('notRunning' in result) return null
  if (!result.ok) throw new Problem(result.problem)
  return { value: result.answer }
}

/**
 * Asks the authority of the running Postern, which then tells its workers at once; or, where none
 * runs, starts the authority's process for as long as `use` takes.
 */
export async function withAuthority<Value>(directory: string, use: (ask: AskAuthority) => Promise<Value>): Promise<Value> {
  const isRunning = (await askIfRunning(directory, { do: 'status' })) !== null
  if (isRunning) {
    return use(async (request, kind) => expected(await askRunning(directory, { do: 'authority', request }), kind))
  }
  const passphrase = readPassphrase(directory, readConfig(directory).ca.passphraseFile)
  if (!passphrase.ok) throw new Problem(passphrase.problem)
  const started = await startAuthority(directory, passphrase.value)
  if (!started.ok) throw new Problem(started.problem)
  try {
    return await use((request, kind) => askStarted(started.authority, request, kind))
  } finally {
    started.authority.stop()
  }
}

export type AskAuthority = <Kind extends AuthorityAnswer['kind']>(request: AuthorityRequest, kind: Kind) => Promise<AnswerOf<Kind>>

type AnswerOf<Kind> = Extract<AuthorityAnswer, { kind: Kind }>

/** One request; see `withAuthority`. */
export async function askAuthority<Kind extends AuthorityAnswer['kind']>(directory: string, request: AuthorityRequest, kind: Kind): Promise<AnswerOf<Kind>> {
  return withAuthority(directory, ask => ask(request, kind))
}

/** Asks an authority that this process has started itself. */
export async function askStarted<Kind extends AuthorityAnswer['kind']>(
  authority: AuthorityProcess,
  request: AuthorityRequest,
  kind: Kind,
): Promise<AnswerOf<Kind>> {
  const result = await authority.ask(request)
  if (!result.ok) throw new Problem(result.problem)
  return expected(result.answer, kind)
}

function expected<Kind extends AuthorityAnswer['kind']>(answer: AuthorityAnswer, kind: Kind): AnswerOf<Kind> {
  if (answer.kind === kind) return answer as AnswerOf<Kind>
  throw new Problem(`the authority answered "${answer.kind}" where "${kind}" was expected; is the running Postern of the same version?`)
}
