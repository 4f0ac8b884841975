/**
 * The first process: it reads the configuration, binds the ports, and starts the others.
 *
 * It reads nothing from the network. Workers receive and deliver; the authority holds the CA key; an
 * administrator asks over the control socket. SIGHUP reloads, SIGTERM and SIGINT drain. It keeps the
 * account it was started as, because a crashed worker must be started again and renewed keys read.
 */

import { mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import packageFacts from '../../package.json' with { type: 'json' }
import type { Config } from '../core/config/schema.ts'
import { sumSamples } from '../core/metrics/metrics.ts'
import type { Policy } from '../core/policy/policy.ts'
import { ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { createLog } from '../io/log-writer.ts'
import { openControlSocket } from '../io/control-socket.ts'
import type { ControlServer } from '../io/control-socket.ts'
import type { AdminAnswers, AdminRequest, AdminResult, CertificateIndex, HolderRecord, Reloaded, Status } from '../relay/admin.ts'
import { mergeAnswers } from './answers.ts'
import { AuthorityKeeper, startAuthorityOf } from './authority-keeper.ts'
import type { AuthorityProcess } from './authority-process.ts'
import { takeDirectory } from './directory-lock.ts'
import { judgeSettings } from './judgement.ts'
import type { Judgement } from './judgement.ts'
import { parseAdminRequest, parseSamples } from './messages.ts'
import type { WorkerStart } from './messages.ts'
import { PasswordDesk, readAccounts } from './password-desk.ts'
import type { AccountsRead } from './password-desk.ts'
import { restartNeeds } from './restart-needs.ts'
import { chooseAccount, prepareSpool } from './run-as.ts'
import { loadSettings, workerSettings } from './settings.ts'
import type { LoadedSettings } from './settings.ts'
import { bindListeners, formatBound } from './sockets.ts'
import type { BoundListener, Sockets } from './sockets.ts'
import { WorkerPool } from './worker-pool.ts'

export type SupervisorOptions = {
  readonly directory: string
  readonly onReady?: (ready: { readonly listeners: readonly BoundListener[] }) => void
}

/** How long a drain may take before the workers are killed; what they have promised is on disk. */
const DRAIN_MILLISECONDS = 60_000

/** Runs until it is told to stop. Resolves with the exit code; problems at start are on standard error. */
export async function runSupervisor(options: SupervisorOptions): Promise<number> {
  process.umask(0o077)
  const loaded = loadSettings(options.directory)
  if (!loaded.ok) return complain(loaded.problem)
  const started = await start(options, loaded.value)
  if (!started.ok) return complain(started.problems)
  return started.supervisor.untilStopped()
}

type Started = { readonly ok: true; readonly supervisor: Supervisor } | { readonly ok: false; readonly problems: readonly string[] }

async function start(options: SupervisorOptions, loaded: LoadedSettings): Promise<Started> {
  const directory = realpathSync(options.directory)
  const account = chooseAccount(loaded.config.user)
  if (!account.ok) return { ok: false, problems: [account.problem] }
  const lock = await takeDirectory(directory)
  if (!lock.ok) return { ok: false, problems: [lock.problem] }
  const spoolFolder = path.join(directory, 'spool')
  const shards = shardsByWorker(spoolFolder, loaded.config.queue.workers ?? availableParallelism())
  const spool = prepareSpool(spoolFolder, shards.flat(), account.value)
  if (!spool.ok) return { ok: false, problems: [spool.problem] }
  const sockets = await bindListeners(loaded.config.listeners, process.env)
  if (!sockets.ok) return { ok: false, problems: sockets.problem }
  const authority = await startAuthorityOf(directory, loaded.config)
  if (!authority.ok) return { ok: false, problems: [authority.problem] }

  const starts = shards.map(
    (owned): WorkerStart => ({
      shards: owned,
      workers: shards.length,
      spoolFolder,
      runAs: account.value,
      listeners: sockets.value.bound,
      lmtpAddress: loaded.config.listeners.lmtp.address,
    }),
  )
  const supervisor = new Supervisor(directory, loaded, sockets.value, authority.authority)
  const problems = await supervisor.open(starts)
  if (problems.length > 0) return { ok: false, problems }
  supervisor.announce(account.value?.name ?? null)
  options.onReady?.({ listeners: sockets.value.bound })
  return { ok: true, supervisor }
}

/** Ids of one change of the queue that fit into a line of the log. */
const LOGGED_IDS = 50

class Supervisor {
  readonly #directory: string
  readonly #sockets: Sockets
  readonly #log: ReturnType<typeof createLog>
  readonly #startedAt = Date.now()
  readonly #authority: AuthorityKeeper
  #loaded: LoadedSettings
  /** Made of what is loaded, for judging what is to replace it. */
  #policy: Policy | null = null
  readonly #startedWith: Config
  #pool: WorkerPool | null = null
  #control: ControlServer | null = null
  #index: CertificateIndex = { live: [], revoked: [] }
  #accounts: AccountsRead = () => null
  readonly #passwords: PasswordDesk
  #facts: AuthorityShown | null = null
  #stop: () => void = () => {}
  readonly #stopped = new Promise<void>(resolve => {
    this.#stop = resolve
  })

  constructor(directory: string, loaded: LoadedSettings, sockets: Sockets, authority: AuthorityProcess) {
    this.#directory = directory
    this.#loaded = loaded
    this.#startedWith = loaded.config
    this.#sockets = sockets
    this.#passwords = new PasswordDesk(directory)
    this.#log = createLog({ process: 'supervisor', level: loaded.config.log.level })
    this.#authority = new AuthorityKeeper(authority, {
      start: () => startAuthorityOf(directory, this.#loaded.config),
      onBack: async () => {
        const told = await this.#tellWorkers()
        if (told?.ok === false) this.#log.error({ event: 'authority-not-read', problem: told.problem })
      },
      log: this.#log,
    })
  }

  /** Starts everything; what kept it from starting, if anything did. */
  async open(starts: readonly WorkerStart[]): Promise<readonly string[]> {
    const problem = await this.#readAuthority()
    if (problem !== null) return this.#giveUp([problem])
    const { failedTests, holdsBack, errors, warnings, policy } = await this.#judge(this.#loaded)
    this.#policy = policy
    if (holdsBack) return this.#giveUp(failedTests.map(({ text }) => text))
    for (const { text } of failedTests) this.#log.error({ event: 'failed-test', problem: text })
    for (const problem of errors) this.#log.error({ event: 'configuration', problem })
    for (const warning of warnings) this.#log.warn({ event: 'configuration', warning })
    this.#authority.watch()
    this.#pool = new WorkerPool(starts, () => this.#workerSettings(), this.#log)
    const problems = await this.#pool.open()
    if (problems.length > 0) return this.#giveUp(problems)
    try {
      this.#control = await openControlSocket(this.#directory, request => this.#administer(request))
    } catch (error) {
      return this.#giveUp([`${path.join(this.#directory, 'control.sock')}: ${(error as Error).message}`])
    }
    this.#listenToSignals()
    return []
  }

  announce(account: string | null): void {
    const { bound } = this.#sockets
    for (const { name, note } of bound) if (note !== null) this.#log.warn({ event: 'listener-moved', listener: name, note })
    for (const warning of this.#loaded.warnings) this.#log.warn({ event: 'configuration', warning })
    if (account === 'nobody') {
      this.#log.warn({ event: 'account', note: 'workers run as nobody; make them an account of their own with: useradd --system postern' })
    }
    this.#log.info({
      event: 'ready',
      version: packageFacts.version,
      directory: this.#directory,
      hostname: this.#loaded.config.hostname,
      listeners: bound.map(({ name, address, port }) => ({ name, address, port })),
      workers: this.#pool?.statuses.map(status => status?.pid ?? null) ?? [],
      authority: this.#authority.pid,
      runAs: account,
    })
  }

  /** Drains when told to. Resolves with the exit code when everything has ended. */
  async untilStopped(): Promise<number> {
    await this.#stopped
    // As long as anybody holds them, the kernel takes connections that nobody will serve.
    this.#sockets.close()
    this.#log.info({ event: 'stopping', note: 'sessions finish their transaction, deliveries under way end' })
    const timer = setTimeout(() => {
      this.#log.warn({ event: 'drain-cut-short', afterMilliseconds: DRAIN_MILLISECONDS })
      this.#pool?.kill()
    }, DRAIN_MILLISECONDS)
    await this.#pool?.drain()
    clearTimeout(timer)
    this.#close()
    this.#log.info({ event: 'stopped' })
    this.#log.flush()
    return 0
  }

  #giveUp(problems: readonly string[]): readonly string[] {
    this.#pool?.kill()
    void this.#pool?.drain()
    this.#close()
    return problems
  }

  #close(): void {
    this.#authority.stop()
    this.#control?.close()
    this.#sockets.close()
  }

  #listenToSignals(): void {
    process.on('SIGTERM', this.#stop)
    process.on('SIGINT', this.#stop)
    process.on('SIGHUP', () => void this.#reload())
    // The launcher of an older Node.js is our parent then: if it is killed outright, so are we.
    process.on('disconnect', this.#stop)
  }

  #workerSettings(): ReturnType<typeof workerSettings> {
    if (this.#facts === null) throw new Error('broken invariant: the authority is read before a worker starts')
    return workerSettings(this.#loaded, this.#facts, { index: this.#index, accounts: this.#accountsNow() })
  }

  /** What the authority says of itself and of its certificates, and who may log in without one. */
  async #readAuthority(): Promise<string | null> {
    const shown = await this.#authority.ask({ do: 'show' })
    const index = await this.#authority.ask({ do: 'index' })
    if (!shown.ok) return shown.problem
    if (!index.ok) return index.problem
    const accounts = await readAccounts(this.#directory, () => this.#listHolders())
    if (!accounts.ok) return accounts.problem
    this.#accounts = accounts.value
    if (shown.answer.kind === 'shown') this.#facts = shown.answer.authority
    if (index.answer.kind === 'index') this.#index = index.answer.index
    return null
  }

  /** SIGHUP and `postern reload`. Settings with a problem in them leave the old ones in force; who is revoked is so in any case. */
  async #reload(): Promise<Reloaded> {
    const loaded = loadSettings(this.#directory, this.#loaded)
    const problems = loaded.ok ? [] : [...loaded.problem]
    const authorityProblem = await this.#readAuthority()
    if (authorityProblem !== null) problems.push(authorityProblem)
    const judgement = loaded.ok && authorityProblem === null ? await this.#judge(loaded.value) : null
    const changed = loaded.ok && judgement?.holdsBack === false
    problems.push(...(judgement?.failedTests.map(({ text }) => text) ?? []))
    if (!changed && authorityProblem === null) await this.#tellIndex()
    if (changed) {
      this.#loaded = loaded.value
      this.#policy = judgement.policy
      this.#log.setLevel(loaded.value.config.log.level)
      const settings = this.#workerSettings()
      problems.push(...((await this.#pool?.changeAll(requestId => ({ kind: 'configure', requestId, settings }))) ?? []), ...judgement.errors)
    }
    const warnings = changed ? judgement.warnings : []
    for (const problem of problems) this.#log.error({ event: 'reload-problem', problem })
    for (const warning of warnings) this.#log.warn({ event: 'configuration', warning })
    const afterRestart = changed ? restartNeeds(this.#startedWith, this.#loaded.config) : []
    this.#log.info({ event: changed ? 'reloaded' : 'not-reloaded', problems: problems.length, afterRestart })
    return { inForce: changed, problems, warnings, afterRestart }
  }

  async #judge(settings: LoadedSettings): Promise<Judgement> {
    return judgeSettings(this.#directory, settings, await this.#listHolders(), Date.now(), this.#policy)
  }

  async #listHolders(): Promise<Result<readonly HolderRecord[], string>> {
    const listed = await this.#authority.ask({ do: 'list' })
    if (!listed.ok) return listed
    return ok(listed.answer.kind === 'listed' ? listed.answer.holders : [])
  }

  async #administer(message: unknown): Promise<AdminResult> {
    const request = parseAdminRequest(message)
    if (request === null) return { ok: false, problem: 'the control socket was sent something it does not know; is the command of the same version?' }
    switch (request.do) {
      case 'status':
        return { ok: true, answer: await this.#status(request) }
      case 'reload':
        return { ok: true, answer: await this.#reload() }
      case 'stop':
        setImmediate(this.#stop)
        return { ok: true, answer: { stopping: true } }
      case 'authority':
        return this.#askAuthority(request)
      case 'queueChange':
        return this.#changeQueue(request)
      case 'passwords':
        return this.#administerPasswords(request)
      default:
        return mergeAnswers(request, (await this.#pool?.askAll(request)) ?? [])
    }
  }

  async #changeQueue(request: Extract<AdminRequest, { do: 'queueChange' }>): Promise<AdminResult> {
    const result = mergeAnswers(request, (await this.#pool?.askAll(request)) ?? [])
    const changed = result.ok ? (result.answer as AdminAnswers['queueChange']).changed : []
    this.#log.info({ event: 'administration', did: request.do, change: request.change, filter: request.filter, messages: changed.length, changed: changed.slice(0, LOGGED_IDS) })
    return result
  }

  /** A change of the index is with every worker before it is answered: a revocation holds from its 'done'. */
  async #askAuthority({ request }: Extract<AdminRequest, { do: 'authority' }>): Promise<AdminResult> {
    const result = await this.#authority.ask(request)
    if (!result.ok) return result
    this.#log.info({ event: 'authority', did: request.do, ...('name' in request ? { name: request.name } : {}) })
    if (request.do === 'show' || request.do === 'list' || request.do === 'index' || request.do === 'issueServer') return result
    return (await this.#tellWorkers()) ?? result
  }

  /** As with certificates: a password that was taken away counts nowhere when this is answered. */
  async #administerPasswords({ request }: Extract<AdminRequest, { do: 'passwords' }>): Promise<AdminResult> {
    const holders = await this.#listHolders()
    if (!holders.ok) return holders
    const result = await this.#passwords.handle(holders.value, request)
    if (!result.ok) return result
    const done = { ok: true, answer: result.value } as const
    if (request.do === 'list') return done
    this.#log.info({ event: 'passwords', did: request.do, name: request.name, device: request.device })
    return (await this.#tellWorkers()) ?? done
  }

  /** Null when every worker knows what counts now. */
  async #tellWorkers(): Promise<AdminResult | null> {
    const problem = await this.#readAuthority()
    if (problem !== null) return { ok: false, problem: `done, but the relay has not been told: ${problem}; restart it` }
    await this.#tellIndex()
    return null
  }

  #accountsNow(): ReturnType<AccountsRead> {
    return this.#accounts(this.#loaded.config.oauth !== null)
  }

  async #tellIndex(): Promise<void> {
    const [index, accounts] = [this.#index, this.#accountsNow()]
    await this.#pool?.changeAll(requestId => ({ kind: 'index', requestId, index, accounts }))
  }

  async #status(request: AdminRequest): Promise<Status> {
    const answers = (await this.#pool?.askAll(request)) ?? []
    const statuses = this.#pool?.statuses ?? []
    const shares = answers.map(result => (result.ok ? (result.answer as Status) : null))
    return {
      version: packageFacts.version,
      pid: process.pid,
      hostname: this.#loaded.config.hostname,
      startedAt: this.#startedAt,
      listeners: this.#sockets.bound.map(listener => ({ name: listener.name, address: formatBound(listener) })),
      workers: statuses.map((status, index) => ({
        pid: status?.pid ?? 0,
        restarts: status?.restarts ?? 0,
        sessions: shares[index]?.workers[0]?.sessions ?? 0,
        queued: shares[index]?.queue.messages ?? 0,
      })),
      queue: {
        messages: shares.reduce((sum, share) => sum + (share?.queue.messages ?? 0), 0),
        quarantinedRecords: shares.reduce((sum, share) => sum + (share?.queue.quarantinedRecords ?? 0), 0),
      },
      afterRestart: restartNeeds(this.#startedWith, this.#loaded.config),
      metrics: sumSamples(shares.map(share => parseSamples(share?.metrics))),
      certificates: shares.find(share => share !== null)?.certificates ?? [],
    }
  }
}

type AuthorityShown = Parameters<typeof workerSettings>[1]

/** Worker n owns shard n, and shards of workers that are no longer wanted are shared out. */
function shardsByWorker(spoolFolder: string, workers: number): readonly (readonly string[])[] {
  mkdirSync(spoolFolder, { recursive: true, mode: 0o700 })
  const shards = Array.from({ length: workers }, (_, index) => [String(index)])
  for (const name of readdirSync(spoolFolder)) {
    const number = /^\d{1,4}$/.test(name) ? Number(name) : -1
    if (number >= workers) shards[number % workers]?.push(name)
  }
  return shards
}

function complain(problems: readonly string[]): number {
  for (const problem of problems) console.error(`postern: ${problem}`)
  return 1
}
