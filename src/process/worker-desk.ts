/** A worker's answers to an administrator: about its queue, its decisions, and itself. */

import { X509Certificate } from 'node:crypto'
import type { UsageTable } from '../core/limits/usage-table.ts'
import type { Labels, MetricName, Sample } from '../core/metrics/metrics.ts'
import type { EventLoopLag } from '../io/event-loop-lag.ts'
import type { HandshakeRoom } from '../io/handshake-room.ts'
import { system } from '../io/system.ts'
import { sha256 } from '../io/x509.ts'
import type { AdminAnswers, AdminRequest, AdminResult, Status } from '../relay/admin.ts'
import type { CertificateRegister } from '../relay/certificate-register.ts'
import type { Meter } from '../relay/meter.ts'
import type { Log } from '../relay/ports.ts'
import { changeQueue, listQueue, showMessage } from '../relay/queue-admin.ts'
import type { Receiver } from '../relay/receiver.ts'
import { withdrawalBy, type Registers } from '../relay/withdrawal.ts'
import { mergeChanges } from './answers.ts'
import type { CurrentSettings } from './current-settings.ts'
import type { Shard } from './shard.ts'

/** What it may look at. */
export type WorkerParts = {
  readonly shards: readonly Shard[]
  readonly receiver: Receiver
  readonly registers: Registers
  readonly handshakes: HandshakeRoom
  readonly usage: UsageTable
  readonly lag: EventLoopLag
  readonly meter: Meter
  readonly log: Log
}

export class WorkerDesk {
  readonly #parts: WorkerParts
  readonly #current: () => CurrentSettings

  constructor(parts: WorkerParts, current: () => CurrentSettings) {
    this.#parts = parts
    this.#current = current
  }

  async administer(request: AdminRequest): Promise<AdminResult> {
    try {
      const answer = await this.#answer(request)
      return { ok: true, answer }
    } catch (error) {
      this.#parts.log.error({ event: 'administration-failed', asked: request.do, error: (error as Error).message })
      return { ok: false, problem: (error as Error).message }
    }
  }

  async #answer(request: AdminRequest): Promise<AdminAnswers[AdminRequest['do']]> {
    const { shards, registers } = this.#parts
    const now = system.now()
    switch (request.do) {
      case 'queueList': {
        const pages = shards.map(({ spool }) => listQueue(spool, request.filter, request.limit))
        return { messages: pages.flatMap(page => page.messages), more: pages.some(page => page.more) }
      }
      case 'queueShow': {
        const shown = await Promise.all(shards.map(({ spool }) => showMessage(spool, request.id)))
        return shown.find(message => message !== null) ?? null
      }
      case 'queueChange': {
        const changes = await Promise.all(
          shards.map(({ spool, history }) => changeQueue(spool, history, { change: request.change, filter: request.filter, now }, withdrawalBy(registers))),
        )
        for (const shard of shards) shard.wake()
        return mergeChanges(changes)
      }
      case 'explain':
        return shards.map(({ history }) => history.decision(request.id)).find(record => record !== null) ?? null
      case 'trace':
        return { events: shards.flatMap(({ history }) => history.events(request.of)) }
      case 'status':
        return this.#status()
      default:
        throw new Error(`a worker is not asked to ${request.do}`)
    }
  }

  #gauges(): readonly Sample[] {
    const { shards, receiver, handshakes, usage, lag } = this.#parts
    const stats = shards.map(({ spool }) => spool.stats())
    const sum = (value: (shard: (typeof stats)[number]) => number): number => stats.reduce((all, shard) => all + value(shard), 0)
    const gauge = (name: MetricName, value: number, labels: Labels = {}): Sample => ({ name, labels, value })
    return [
      gauge('postern_sessions', receiver.sessions),
      gauge('postern_handshakes_under_way', handshakes.size),
      gauge('postern_queued_messages', sum(({ messages }) => messages)),
      gauge('postern_leased_messages', sum(({ leased }) => leased)),
      gauge('postern_quarantined_records', sum(({ quarantinedRecords }) => quarantinedRecords)),
      gauge('postern_remembered_clients', usage.size),
      gauge('postern_event_loop_lag_seconds', lag.last.p99Seconds, { quantile: '0.99' }),
      gauge('postern_event_loop_lag_seconds', lag.last.maxSeconds, { quantile: '1' }),
      gauge('postern_resident_memory_bytes', process.memoryUsage.rss()),
    ]
  }

  /** This worker's share of the status; the supervisor adds up. */
  #status(): AdminAnswers['status'] {
    const { shards, receiver, registers, meter } = this.#parts
    const stats = shards.map(({ spool }) => spool.stats())
    const messages = stats.reduce((sum, shard) => sum + shard.messages, 0)
    const { settings, config } = this.#current()
    const standing = (pem: string): Standing => standingOf(pem, registers.certificates)
    return {
      version: '',
      pid: process.pid,
      hostname: config.hostname,
      startedAt: 0,
      listeners: [],
      workers: [{ pid: process.pid, restarts: 0, sessions: receiver.sessions, queued: messages }],
      afterRestart: [],
      queue: { messages, quarantinedRecords: stats.reduce((sum, shard) => sum + shard.quarantinedRecords, 0) },
      metrics: [...meter.samples(), ...this.#gauges()],
      certificates: [
        { what: 'server', ...standing(settings.serverCertificatePem) },
        ...(settings.clientCertificatePem === null ? [] : [{ what: 'client', ...standing(settings.clientCertificatePem) }]),
        { what: 'issuing CA', ...standing(settings.ownIssuingPem) },
        { what: 'root CA', ...standing(settings.ownRootPem) },
      ],
    }
  }
}

type Standing = Omit<Status['certificates'][number], 'what'>

function standingOf(pem: string, { revoked }: CertificateRegister): Standing {
  const certificate = new X509Certificate(pem)
  return {
    subject: certificate.subject.replaceAll('\n', ', '),
    notAfter: certificate.validToDate.getTime(),
    isRevoked: revoked.has(sha256(certificate.raw)),
  }
}
