/** postern status */

import path from 'node:path'
import { formatPrometheus } from '../../core/metrics/metrics.ts'
import { formatInstant } from '../../core/time.ts'
import { whyNoRoom } from '../../io/spool-room.ts'
import { defineCommand } from '../command.ts'
import { fields, plural, relativeTime, table, type Look } from '../output.ts'
import { askRunning } from '../running.ts'

const EXPIRES_SOON_DAYS = 30

export default defineCommand({
  summary: 'Say how a running Postern is doing.',
  options: { metrics: { type: 'flag', describe: 'Print all counters in the text format of Prometheus.' } },
  examples: ['postern status', 'postern status --dir /var/lib/postern --json', 'postern status --metrics > postern.prom'],
  run: async ({ args, directory }) => {
    const status = await askRunning(directory, { do: 'status' })
    return { now: Date.now(), asMetrics: args.metrics, status, noRoom: whyNoRoom(path.join(directory, 'spool')) }
  },
  render: ({ now, asMetrics, status, noRoom }, look) => {
    if (asMetrics) return formatPrometheus(status.metrics)
    const { queue } = status
    const quarantined = queue.quarantinedRecords === 0 ? '' : look.bad(`; ${plural(queue.quarantinedRecords, 'damaged record')} set aside`)
    const facts = fields(
      [
        ['host name', status.hostname],
        ['running', `since ${formatInstant(status.startedAt)} (${relativeTime(status.startedAt, now)}), process ${status.pid}, version ${status.version}`],
        ['queue', `${plural(queue.messages, 'message')}${quarantined}`],
        ...(noRoom === null ? [] : [['no room', look.bad(`${noRoom}: clients are told 452`)] as const]),
        ...(status.afterRestart.length === 0 ? [] : [['after a restart', look.warn(status.afterRestart.join(', '))] as const]),
      ],
      look,
    )
    return [
      facts,
      table(['LISTENER', 'ADDRESS'], status.listeners.map(({ name, address }) => [name, address]), look),
      table(['WORKER', 'PROCESS', 'SESSIONS', 'QUEUED', 'RESTARTS'], status.workers.map((worker, index) => workerRow(worker, index)), look),
      table(['CERTIFICATE', 'SUBJECT', 'VALID UNTIL'], status.certificates.map(({ what, subject, notAfter, isRevoked }) => [what, subject, isRevoked ? look.bad('revoked') : expiry(notAfter, now, look)]), look),
    ].join('\n\n')
  },
  toJson: ({ status, noRoom }) => ({
    ...status,
    noRoom,
    startedAt: formatInstant(status.startedAt),
    certificates: status.certificates.map(certificate => ({ ...certificate, notAfter: formatInstant(certificate.notAfter) })),
  }),
})

type Worker = { readonly pid: number; readonly restarts: number; readonly sessions: number; readonly queued: number }

function workerRow(worker: Worker, index: number): readonly string[] {
  return [index, worker.pid, worker.sessions, worker.queued, worker.restarts].map(String)
}

function expiry(notAfter: number, now: number, look: Look): string {
  const text = `${formatInstant(notAfter)} (${relativeTime(notAfter, now)})`
  if (notAfter <= now) return look.bad(text)
  return notAfter - now < EXPIRES_SOON_DAYS * 86_400_000 ? look.warn(text) : text
}
