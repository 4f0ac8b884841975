/**
 * The answers that commands need from a running Postern, or from its authority.
 */

import { askControl } from '../io/control-client.ts'
import { askAuthorityOnce } from '../process/authority-process.ts'
import { readPassphrase } from '../process/passphrase.ts'
import type { AdminAnswers, AdminRequest, AuthorityAnswer, AuthorityRequest } from '../relay/admin.ts'
import { Problem } from './command.ts'
import { readConfig } from './directory.ts'

/** Throws a Problem if no Postern runs on this directory, or if it answers with one. */
export async function askRunning<Request extends AdminRequest>(directory: string, request: Request): Promise<AdminAnswers[Request['do']]> {
  const answer = await askIfRunning(directory, request)
  if (answer === null) throw new Problem(`no Postern is running on ${directory}; start it with: postern run --dir ${directory}`)
  return answer.value
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
 * runs, starts the authority's process for this one request.
 */
export async function askAuthority<Kind extends AuthorityAnswer['kind']>(
  directory: string,
  request: AuthorityRequest,
  kind: Kind,
): Promise<Extract<AuthorityAnswer, { kind: Kind }>> {
  const running = await askIfRunning(directory, { do: 'authority', request })
  const answer = running === null ? await askStopped(directory, request) : running.value
  if (answer.kind === kind) return answer as Extract<AuthorityAnswer, { kind: Kind }>
  throw new Problem(`the authority answered "${answer.kind}" where "${kind}" was expected; is the running Postern of the same version?`)
}

async function askStopped(directory: string, request: AuthorityRequest): Promise<AuthorityAnswer> {
  const passphrase = readPassphrase(directory, readConfig(directory).ca.passphraseFile)
  if (!passphrase.ok) throw new Problem(passphrase.problem)
  const result = await askAuthorityOnce(directory, request, passphrase.value)
  if (!result.ok) throw new Problem(result.problem)
  return result.answer
}
