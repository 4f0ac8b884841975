/**
 * A worker: listeners, sessions, its shards of the spool and the delivery from them.
 *
 * Composition only. Everything that decides anything is in core; everything that waits is in relay
 * and io. New messages go to the first shard; further ones were left by workers of an earlier
 * configuration and are emptied.
 */

import net from 'node:net'
import type { Config } from '../core/config/schema.ts'
import { identify, type HandshakeFacts } from '../core/names/identify.ts'
import type { ClientIdentity } from '../core/names/identity.ts'
import { UsageTable } from '../core/limits/usage-table.ts'
import type { UsageChanges } from '../core/limits/usage-table.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import { assert, fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { peerAddress, SocketChannel } from '../io/channel.ts'
import { createLog } from '../io/log-writer.ts'
import { ProxyGate } from '../io/proxy-gate.ts'
import { system } from '../io/system.ts'
import { timers } from '../io/timers.ts'
import { EventLoopLag } from '../io/event-loop-lag.ts'
import { HandshakeRoom } from '../io/handshake-room.ts'
import { TlsGate } from '../io/tls-gate.ts'
import type { Handshake } from '../io/tls-gate.ts'
import { peerCertificateOf, readPresented } from '../io/x509.ts'
import type { AdminRequest, AdminResult, CertificateIndex } from '../relay/admin.ts'
import type { FactSources } from '../relay/client-facts.ts'
import type { ConversationHost } from '../relay/conversation.ts'
import { CertificateRegister } from '../relay/certificate-register.ts'
import { AccountRegister, type Accounts } from '../relay/account-register.ts'
import { Journal } from '../relay/journal.ts'
import { Limiter } from '../relay/limiter.ts'
import { Meter } from '../relay/meter.ts'
import { PolicyHolder } from '../relay/policy-holder.ts'
import { holdWithdrawn } from '../relay/queue-admin.ts'
import { Receiver } from '../relay/receiver.ts'
import { identityLeft, withdrawalBy, type Registers } from '../relay/withdrawal.ts'
import { gateOptions, readSettings, withBoundLmtp, type CurrentSettings } from './current-settings.ts'
import type { WorkerSettings, WorkerStart } from './messages.ts'
import { dropStartupPermissions } from './permissions.ts'
import { becomeAccount } from './run-as.ts'
import { Shard } from './shard.ts'
import { sessionRules, sessionSettings } from './session-settings.ts'
import { WorkerDesk } from './worker-desk.ts'
import { WorkerLogins } from './worker-logins.ts'

const SWEEP_MILLISECONDS = 1000
const BACKLOG = 1024
/** A worker that was busy for so long at a stretch says so. */
const LATE_SECONDS = 1
/** Clients of a UNIX socket are programs of this host. */
const LOCAL_ADDRESS = '127.0.0.1'
/** Some 200 bytes each. */
const REMEMBERED_CLIENTS = 50_000
/** Of each kind, in one message to the other workers; the rest follows a second later. */
const MOST_CHANGES = 5_000

export class Worker {
  readonly #start: WorkerStart
  readonly #shards: readonly Shard[]
  readonly #log: ReturnType<typeof createLog>
  readonly #registers: Registers
  readonly #policy: PolicyHolder
  readonly #logins: WorkerLogins
  readonly #usage: UsageTable
  readonly #limiter: Limiter
  readonly #handshakes: HandshakeRoom
  readonly #receiver: Receiver
  readonly #gates = new Map<ListenerName, TlsGate>()
  readonly #proxies = new ProxyGate()
  readonly #lag = new EventLoopLag()
  readonly #journal: Journal
  readonly #servers: net.Server[] = []
  readonly #sweep: NodeJS.Timeout
  /** By what each client has proved its identity: a CA may cease to count while the client is connected. */
  readonly #proofs = new WeakMap<ClientIdentity, { readonly name: ListenerName; readonly facts: HandshakeFacts }>()
  readonly #desk: WorkerDesk
  #current: CurrentSettings
  #factSources: FactSources

  /**
   * Becomes unprivileged, opens the shards and the listeners, then gives up every permission that is
   * not needed any more. Paths are relative to the spool folder, so that it works wherever the data
   * directory lies, also below a folder that only root may enter.
   */
  static async start(start: WorkerStart, settings: WorkerSettings, wakeQueue: ConversationHost['wakeQueue']): Promise<Result<Worker, string>> {
    try {
      const current = withBoundLmtp(readSettings(settings), start.lmtpAddress)
      const log = createLog({ process: `worker ${start.shards[0]}`, level: current.config.log.level })
      process.chdir(start.spoolFolder)
      if (start.runAs !== null) becomeAccount(start.runAs)
      const policy = new PolicyHolder(current.config, settings)
      const meter = new Meter()
      const registers = { certificates: new CertificateRegister(settings.index), accounts: new AccountRegister(settings.accounts, peerCertificateOf) }
      const forShards = { config: current.config, settings, policy: policy.current, whyWithdrawn: withdrawalBy(registers) }
      const shards: Shard[] = []
      for (const folder of start.shards) shards.push(await Shard.open(`./${folder}`, forShards, log, meter))
      dropStartupPermissions()
      const worker = new Worker(start, current, policy, registers, shards, log, meter, wakeQueue)
      await worker.#listen()
      return ok(worker)
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error))
    }
  }

  private constructor(
    start: WorkerStart,
    current: CurrentSettings,
    policy: PolicyHolder,
    registers: Registers,
    shards: readonly Shard[],
    log: ReturnType<typeof createLog>,
    meter: Meter,
    wakeQueue: ConversationHost['wakeQueue'],
  ) {
    this.#start = start
    this.#current = current
    this.#shards = shards
    this.#log = log
    this.#registers = registers
    this.#policy = policy
    this.#usage = new UsageTable(REMEMBERED_CLIENTS, start.workers > 1)
    this.#handshakes = new HandshakeRoom(current.config.limits.handshakes)
    this.#limiter = new Limiter(current.config.limits, this.#usage)
    const shard = this.#first
    this.#factSources = factSources(shard, current.config)
    this.#journal = new Journal(log, shard.history, system, meter)
    this.#logins = new WorkerLogins(current.config, registers.accounts, current.settings, this.#journal)
    const host = {
      system,
      factSources: () => this.#factSources,
      decide: this.#policy.decide,
      sessionTerms: this.#policy.sessionTerms,
      wakeQueue,
      openDraft: () => shard.spool.draft(),
      logins: this.#logins.desk,
      accept: shard.accept,
      whyWithdrawn: withdrawalBy(registers),
      admit: (address: string) => this.#limiter.admit(address, this.#policy.addressTerms(address), system.now()),
    }
    this.#receiver = new Receiver(host, this.#journal)
    for (const { name } of start.listeners) {
      this.#gates.set(name, new TlsGate(gateOptions(current, name), this.#handshakes, handshake => this.#identify(name, handshake)))
    }
    this.#desk = new WorkerDesk({ shards, receiver: this.#receiver, registers, handshakes: this.#handshakes, usage: this.#usage, lag: this.#lag, meter, log }, () => this.#current)
    this.#sweep = setInterval(() => this.#tick(system.now()), SWEEP_MILLISECONDS)
  }

  /** New settings for connections to come. Returns what keeps them from being used. */
  configure(settings: WorkerSettings): string | null {
    try {
      const next = withBoundLmtp(readSettings(settings), this.#start.lmtpAddress)
      for (const [name, gate] of this.#gates) gate.reload(gateOptions(next, name))
      this.#policy.replace(next.config, settings)
      this.#current = next
      this.#log.setLevel(next.config.log.level)
      this.#factSources = factSources(this.#first, next.config)
      this.#limiter.reconfigure(next.config.limits)
      this.#handshakes.reconfigure(next.config.limits.handshakes)
      for (const shard of this.#shards) shard.reconfigure(next.config, settings, this.#policy.current)
      this.#logins.reconfigure(next.config, settings)
      void this.replaceIndex(settings.index, settings.accounts)
      this.#receiver.reviewIdentities(identity => this.#withoutFormerCa(identity))
      this.#receiver.reload((listener, channel) => sessionRules(next.config, { listener, channel, logins: this.#logins }))
      return null
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** What clients did here since the last call; null if they did nothing. */
  takeUsage(): UsageChanges | null {
    const changes = this.#usage.takeChanges(MOST_CHANGES)
    return changes.open.length + changes.used.length === 0 ? null : changes
  }

  /** What they did at another worker; null if that one begins anew. */
  mergeUsage(worker: number, changes: UsageChanges | null): void {
    if (changes === null) this.#usage.restarted(worker)
    else this.#usage.merge(worker, changes, system.now())
  }

  /** A revocation counts at once: for handshakes to come, for live sessions and for queued mail. */
  async replaceIndex(index: CertificateIndex, accounts: Accounts | null): Promise<void> {
    const registers = this.#registers
    const withdrawn = { certificates: registers.certificates.replace(index), passwords: registers.accounts.replace(accounts) }
    if (withdrawn.certificates.size + withdrawn.passwords.length === 0) return
    const sessions = this.#receiver.reviewIdentities((identity, account) => identityLeft(registers, identity, account))
    let held = 0
    for (const shard of this.#shards) {
      await shard.recall()
      held += await holdWithdrawn({ spool: shard.spool, history: shard.history, timers }, withdrawalBy(registers), system.now())
    }
    for (const { name } of withdrawn.certificates.values()) this.#log.warn({ event: 'certificate-revoked', holder: name, sessions, messagesHeld: held })
    for (const { name, what } of withdrawn.passwords) this.#log.warn({ event: `${what}-ended`, holder: name, sessions, messagesHeld: held })
  }

  administer(request: AdminRequest): Promise<AdminResult> {
    return this.#desk.administer(request)
  }

  /** Stops accepting, lets sessions and deliveries finish, and closes the shards. */
  async drain(): Promise<void> {
    for (const server of this.#servers) server.close()
    await this.#receiver.shutDown()
    clearInterval(this.#sweep)
    this.#journal.finish()
    await Promise.all(this.#shards.map(shard => shard.close()))
    this.#log.flush()
  }

  get #first(): Shard {
    const [shard] = this.#shards
    assert(shard !== undefined, 'a worker has a shard')
    return shard
  }

  #tick(now: number): void {
    this.#receiver.sweep(now)
    this.#journal.sweep(now)
    const lag = this.#lag.tick(now)
    if (lag !== null && lag.maxSeconds >= LATE_SECONDS) this.#log.warn({ event: 'event-loop-lag', ...lag })
  }

  async #listen(): Promise<void> {
    for (const { name, fd } of this.#start.listeners) {
      const server = net.createServer({ pauseOnConnect: false, noDelay: true }, socket => void this.#serve(name, socket, isLocal))
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ fd, backlog: BACKLOG }, resolve)
      })
      // A UNIX socket has no address. What was inherited must be what the settings are written for.
      const isLocal = server.address() === null
      if (isLocal !== 'unixPath' in this.#current.config.listeners[name].address) {
        throw new Error(`listeners.${name}: the socket that was passed is ${isLocal ? 'a UNIX socket' : 'TCP'}, and address in postern.toml says otherwise`)
      }
      server.on('error', error => this.#log.error({ event: 'listener-failed', listener: name, error: error.message }))
      this.#servers.push(server)
    }
  }

  async #serve(name: ListenerName, socket: net.Socket, isLocal: boolean): Promise<void> {
    const { listeners, limits } = this.#current.config
    const address = isLocal ? LOCAL_ADDRESS : peerAddress(socket)
    // Reset before anybody looked at it: whose it was is not known any more, so that no limit could count it.
    if (address === '') return void socket.destroy()
    const arrival = await this.#proxies.admit(socket, address, listeners[name].proxyFrom, limits.connections)
    if (!arrival.ok) return this.#journal.turnedAway(name, address, arrival.problem, 'proxy')
    // Within this host there is nobody to hide from, and a certificate would prove nothing more.
    const channel = new SocketChannel(socket, isLocal ? null : (this.#gates.get(name) ?? null), address, arrival.value.client)
    socket.resume()
    const settings = sessionSettings(this.#current.config, { listener: name, channel, hasTls: !isLocal, logins: this.#logins, now: system.now() })
    await this.#receiver.serve(channel, settings, name === 'submissions')
  }

  #identify(name: ListenerName, handshake: Handshake): ClientIdentity {
    const { tls, certificate, chainError, issuerKeyFingerprint } = handshake
    const presented = certificate === null ? null : readPresented(certificate)
    const facts = { tls, presented, chainVerified: chainError === null, chainError, issuerKeyFingerprint }
    const identity = identify(facts, this.#current.trusted.get(name) ?? [], this.#registers.certificates, system.now())
    this.#proofs.set(identity, { name, facts })
    return identity
  }

  /** What is left of an identity whose CA does not count any more; null if nothing has changed. */
  #withoutFormerCa(identity: ClientIdentity): ClientIdentity | null {
    const proof = identity.kind === 'verified' ? this.#proofs.get(identity) : undefined
    if (proof === undefined) return null
    const now = identify(proof.facts, this.#current.trusted.get(proof.name) ?? [], this.#registers.certificates, system.now())
    const isCaGone = now.kind === 'unverified' && (now.problem.kind === 'untrusted' || now.problem.kind === 'lookalikeIssuer')
    return isCaGone ? now : null
  }
}

function factSources({ resolver, callouts }: Shard, { hostname }: Config): FactSources {
  return { resolver, ourNames: [hostname], callOut: callouts.ask }
}
