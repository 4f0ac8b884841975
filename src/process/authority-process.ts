/**
 * The way to the process that holds the CA key: how it is started and asked.
 *
 * The process itself (authority-main.ts) reads and writes `ca/` and nothing else, and has no network:
 * what a stranger sends cannot reach it, only the few typed requests of messages.ts can. The
 * supervisor keeps one for as long as it runs; a command starts one while no relay runs.
 */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, realpathSync } from 'node:fs'
import path from 'node:path'
import type { AuthorityRequest } from '../relay/admin.ts'
import { Calls } from './calls.ts'
import type { AuthorityResult } from '../relay/authority.ts'
import type { AuthorityPlan, FromAuthority, ToAuthority } from './messages.ts'
import { authorityFlags, CODE_FOLDER } from './permissions.ts'

export type AuthorityStarted =
  | { readonly ok: true; readonly authority: AuthorityProcess }
  | { readonly ok: false; readonly problem: string }

/** Starts the authority of a data directory; or says why it cannot work: what, where, what to do. */
export async function startAuthority(directory: string, passphrase: string | null): Promise<AuthorityStarted> {
  const folder = authorityFolder(directory)
  const authority = new AuthorityProcess(folder)
  const result = await authority.call(requestId => ({ kind: 'open', requestId, folder, passphrase }))
  if (result.ok) return { ok: true, authority }
  authority.stop()
  return result
}

/** Makes a new CA in an empty data directory. The keys come to be in the authority's process and stay there. */
export async function createAuthorityOnce(
  directory: string,
  plan: AuthorityPlan,
  passphrase: string | null,
): Promise<AuthorityResult> {
  mkdirSync(path.join(directory, 'ca'), { recursive: true, mode: 0o700 })
  const folder = authorityFolder(directory)
  const authority = new AuthorityProcess(folder)
  try {
    return await authority.call(requestId => ({ kind: 'create', requestId, folder, passphrase, plan }))
  } finally {
    authority.stop()
  }
}

export class AuthorityProcess {
  readonly #child: ChildProcess
  readonly #calls = new Calls<AuthorityResult>({ ok: false, problem: 'the authority process ended before it answered; see the log' })
  #stopping = false

  constructor(folder: string) {
    const main = path.join(CODE_FOLDER, 'src', 'process', 'authority-main.ts')
    this.#child = spawn(process.execPath, [...authorityFlags(folder), main], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      cwd: folder,
      env: {},
    })
    this.#child.on('message', (message: FromAuthority) => this.#calls.answered(message.requestId, message.result))
    this.#child.on('exit', () => this.#calls.gone())
    this.#child.on('error', () => this.#calls.gone())
  }

  get pid(): number | null {
    return this.#child.pid ?? null
  }

  ask(request: AuthorityRequest): Promise<AuthorityResult> {
    return this.call(requestId => ({ kind: 'request', requestId, request }))
  }

  call(message: (requestId: number) => ToAuthority): Promise<AuthorityResult> {
    return this.#calls.ask(requestId => this.#child.connected && (this.#child.send(message(requestId)), true))
  }

  /** Ends the process. Each answered request is on disk, so nothing is lost. */
  stop(): void {
    this.#stopping = true
    if (this.#child.connected) this.#child.disconnect()
  }

  /** Calls the listener when the process ends without having been stopped. */
  onCrash(listener: (how: string) => void): void {
    this.#child.on('exit', (code, signal) => {
      if (!this.#stopping) listener(signal ?? `exit code ${code}`)
    })
  }
}

function authorityFolder(directory: string): string {
  return realpathSync(path.join(directory, 'ca'))
}
