/**
 * A delivery side for tests: the real scheduler, dialer and sessions over loopback, with a clock that
 * stands still until it is moved, a spool in memory, and DNS as the test wants it.
 */

import { once } from 'node:events'
import net from 'node:net'
import type { TestContext } from 'node:test'
import { dialer } from '../../src/io/dialer.ts'
import { MemorySpool } from '../../src/io/memory-spool.ts'
import type { QueuedMessage } from '../../src/core/message/envelope.ts'
import type { ConfiguredHop } from '../../src/core/message/route.ts'
import type { TraceEvent } from '../../src/relay/admin.ts'
import { DEFAULT_LIMITS, type DeliveryLimits, type DeliverySettings } from '../../src/relay/delivery-settings.ts'
import type { Dialer, DnsAnswer, Lease, Resolver, Spool, System, Timers } from '../../src/relay/ports.ts'
import { Scheduler } from '../../src/relay/scheduler.ts'
import type { AttemptReport } from '../../src/relay/settler.ts'
import { describeOutcome } from '../../src/core/message/outcome.ts'
import { USUAL_RETRY } from '../support/queued.ts'
import { policyWith } from '../support/policies.ts'
import type { Withdrawal } from '../../src/relay/withdrawal.ts'
import { waitFor } from '../support/processes.ts'
import { drafted, NOW, recipient } from '../support/queued.ts'

export type RelayOptions = {
  readonly settings?: Partial<Omit<DeliverySettings, 'limits'>>
  readonly limits?: Partial<DeliveryLimits>
  /** Lines of the access map. */
  readonly access?: string
  readonly dns?: Partial<Resolver>
  /** Where an address really is: `192.0.2.7` to a port of 127.0.0.1. */
  readonly network?: ReadonlyMap<string, number>
  readonly spool?: (spool: Spool) => Spool
  readonly whyWithdrawn?: Withdrawal
}

export type Relay = Awaited<ReturnType<typeof startRelay>>

export async function startRelay(t: Pick<TestContext, 'after'>, options: RelayOptions = {}) {
  const clock = new Clock()
  const memory = new MemorySpool({ now: () => clock.now })
  const spool = options.spool?.(memory) ?? memory
  const events: TraceEvent[] = []
  const reports: AttemptReport[] = []
  const troubles: string[] = []
  const suspensions: string[] = []
  let onReport = (): void => {}
  let ids = 0
  const system: System = { now: () => clock.now, newId: () => `n${++ids}`, random: () => 0.5 }
  const settings: DeliverySettings = {
    hostname: 'relay.test',
    helloName: 'relay.test',
    ownNames: new Set(['relay.test']),
    policy: policyWith(options.access ?? ''),
    sessionTls: new Map(),
    certificate: null,
    retry: USUAL_RETRY,
    connectTimeoutSeconds: 5,
    routing: { smarthost: null, routes: new Map(), ownDomain: '', waivable: 'mx', mx: { tls: 'opportunistic', trustedPem: null, ignoredKeywords: [], port: 25 } },
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    ...options.settings,
  }
  const scheduler = new Scheduler({
    spool,
    system,
    timers: clock.timers,
    dialer: over(options.network),
    resolver: { mx: nothing, addresses: nothing, ptr: nothing, ...options.dns },
    history: { recordDecision: () => {}, recordEvent: event => void events.push(event), decision: () => null, events: () => events },
    observer: {
      attempted: report => {
        reports.push(report)
        onReport()
      },
      notified: () => {},
      held: (id, because) => void troubles.push(`held ${id}: ${because}`),
      suspended: hop => void suspensions.push(hop),
      failed: (what, error) => void troubles.push(`${what}: ${String(error)}`),
    },
    settings,
    whyWithdrawn: options.whyWithdrawn ?? (() => null),
  })
  scheduler.start()
  t.after(async () => {
    await Promise.all([scheduler.stop(), clock.run(60)])
  })

  return {
    scheduler,
    settings,
    spool: memory,
    clock,
    events,
    reports,
    troubles,
    suspensions,
    /** Accepts a message as the receiver does, delivered from memory. */
    async submit(id: string, recipients: string | readonly string[], changes: Partial<QueuedMessage> = {}, text?: string | Uint8Array): Promise<Lease> {
      const all = [recipients].flat().map(address => recipient({ address, dueAt: clock.now }))
      const lease = await memory.enqueue(await drafted(memory, id, text, { acceptedAt: clock.now, ...changes, recipients: all }), { leased: true })
      scheduler.offer(lease)
      return lease
    },
    /** The reports of so many attempts, as lines: what happened to whom. */
    async attempts(count: number): Promise<readonly string[]> {
      await waitFor(`${count} attempts`, () => reports.length >= count, { told: () => lines(reports).join('\n') + troubles.join('\n') })
      return lines(reports)
    },
    onReport(callback: () => void): void {
      onReport = callback
    },
    /** Resolves when nothing is under way. */
    idle: () => waitFor('the scheduler to have nothing to do', () => scheduler.messages === 0),
  }
}

/** A server that greets, and then does what the test says with each line. */
export async function startRawServer(t: Pick<TestContext, 'after'>, onLine: (line: string, socket: net.Socket) => void, greeting = '220 raw\r\n') {
  const lines: string[] = []
  const sockets = new Set<net.Socket>()
  const server = net.createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    let unread = ''
    socket.write(greeting)
    socket.on('data', bytes => {
      const pieces = (unread + bytes.toString('latin1')).split('\r\n')
      unread = pieces.pop() ?? ''
      for (const line of pieces) {
        lines.push(line)
        onLine(line, socket)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as net.AddressInfo).port, lines: () => lines, connections: () => sockets.size }
}

/**
 * A server that offers STARTTLS, answers it as told, and never does a handshake: the first bytes of one
 * are met with `breakIt`. Takes messages in clear.
 */
export async function breakingServer(t: Pick<TestContext, 'after'>, answer: string, breakIt = 'hang up') {
  let taken = 0
  const server = await startRawServer(t, (line, socket) => {
    if (line.startsWith('EHLO')) socket.write('250-mx.test\r\n250 STARTTLS\r\n')
    else if (line === 'STARTTLS') {
      socket.write(answer)
      socket.once('data', () => void (breakIt === 'hang up' ? socket.destroy() : socket.write(breakIt)))
    } else if (/^(?:MAIL|RCPT|DATA)/.test(line)) socket.write(line === 'DATA' ? '354 go\r\n' : '250 ok\r\n')
    else if (line === '.') {
      taken++
      socket.write('250 taken\r\n')
    }
  })
  return { ...server, taken: () => taken }
}

/** A next hop on loopback, by address. */
export function hopTo(port: number, changes: Partial<ConfiguredHop> = {}): ConfiguredHop {
  return { kind: 'host', key: `127.0.0.1:${port}`, host: '127.0.0.1', port, requireTls: false, tls: 'opportunistic', implicitTls: false, showCertificate: false, trustedPem: null, ignoredKeywords: [], ...changes }
}

export function smarthost(port: number, changes: Partial<ConfiguredHop> = {}): Pick<DeliverySettings, 'routing'> {
  return { routing: { smarthost: hopTo(port, changes), routes: new Map(), ownDomain: '', waivable: 'mx', mx: { tls: 'opportunistic', trustedPem: null, ignoredKeywords: [], port: 25 } } }
}

/** DNS from a table: a name without an entry does not exist. */
export function dns(mx: Record<string, readonly (readonly [number, string])[]>, addresses: Record<string, readonly string[]>): Partial<Resolver> {
  const found = <Value>(values: readonly Value[] | undefined): DnsAnswer<Value> =>
    values === undefined ? { kind: 'noName' } : values.length === 0 ? { kind: 'noData' } : { kind: 'found', values }
  return {
    mx: async domain => found(mx[domain]?.map(([preference, host]) => ({ preference, host }))),
    addresses: async host => found(addresses[host]),
  }
}

function lines(reports: readonly AttemptReport[]): readonly string[] {
  return reports.map(({ messageId, recipient: { address, state }, outcome }) => `${messageId} ${address} ${state}: ${describeOutcome(outcome)}`)
}

function over(network: ReadonlyMap<string, number> | undefined): Dialer {
  if (network === undefined) return dialer
  return {
    async connect(request) {
      const port = network.get(request.address)
      return port === undefined ? { failed: 'host unreachable' } : dialer.connect({ ...request, address: '127.0.0.1', port })
    },
  }
}

async function nothing(): Promise<DnsAnswer<never>> {
  return { kind: 'noName' }
}

/** Time that passes when the test says so. */
class Clock {
  now = NOW
  #waiting: { readonly at: number; readonly callback: () => void }[] = []

  readonly timers: Timers = {
    after: (milliseconds, callback) => {
      const entry = { at: this.now + milliseconds, callback }
      this.#waiting.push(entry)
      return () => {
        this.#waiting = this.#waiting.filter(other => other !== entry)
      }
    },
  }

  /** Lets so many seconds pass, one after the other, and gives everything else a turn after each. */
  async run(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.advance(1)
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  /** Jumps; whatever was to happen on the way happens at the end. */
  advance(seconds: number): void {
    this.now += seconds * 1000
    const due = this.#waiting.filter(entry => entry.at <= this.now)
    this.#waiting = this.#waiting.filter(entry => entry.at > this.now)
    for (const { callback } of due) callback()
  }
}
