/**
 * Everything that is counted, and its form for Prometheus (text format 0.0.4).
 *
 * Each worker counts for itself; the supervisor adds up. What cannot be added up, such as the lag of
 * an event loop, keeps its worker as a label.
 */

export type Sample = { readonly name: MetricName; readonly labels: Labels; readonly value: number }

export type Labels = { readonly [name: string]: string }

type Metric = {
  readonly type: 'counter' | 'gauge'
  /** Ends in a full stop, as a sentence for whoever reads a dashboard. */
  readonly help: string
  /** Adding it up over the workers would say nothing. */
  readonly perWorker?: true
}

// prettier-ignore
export const METRICS = {
  postern_connections_total:        { type: 'counter', help: 'Connections that were served, by listener.' },
  postern_turned_away_total:        { type: 'counter', help: 'Connections that were not served, by listener and reason: the limit that was reached, or tls.' },
  postern_over_limit_total:         { type: 'counter', help: 'Messages, recipients and sessions put off by a limit over several connections, by what and whose.' },
  postern_handshakes_total:         { type: 'counter', help: 'TLS handshakes with clients, by result.' },
  postern_refusals_total:           { type: 'counter', help: 'Refusals of the policy, by what was asked and the rule that refused.' },
  postern_logins_total:            { type: 'counter', help: 'Logins with a password or a token, by mechanism and result: ok, or why they failed.' },
  postern_timeouts_total:           { type: 'counter', help: 'Sessions that ended because the client was silent or too slow.' },
  postern_accepted_messages_total:  { type: 'counter', help: 'Messages that were promised to be delivered, by listener.' },
  postern_accepted_recipients_total: { type: 'counter', help: 'Recipients of those messages.' },
  postern_accepted_bytes_total:     { type: 'counter', help: 'Octets of those messages.' },
  postern_failures_total:           { type: 'counter', help: 'Failures of our own, by what failed.' },
  postern_attempts_total:           { type: 'counter', help: 'Attempts to deliver to one recipient, by how they ended.' },
  postern_callouts_total:           { type: 'counter', help: 'Recipients that a next hop was asked about, by its answer.' },
  postern_notices_total:            { type: 'counter', help: 'Bounces and delay warnings that were queued, by kind.' },
  postern_sessions:                 { type: 'gauge',   help: 'Sessions that are open.', perWorker: true },
  postern_handshakes_under_way:     { type: 'gauge',   help: 'TLS handshakes that have begun and not ended.', perWorker: true },
  postern_queued_messages:          { type: 'gauge',   help: 'Messages in the queue.' },
  postern_leased_messages:          { type: 'gauge',   help: 'Messages that are being delivered.' },
  postern_quarantined_records:      { type: 'gauge',   help: 'Damaged records of the queue that were set aside.' },
  postern_remembered_clients:       { type: 'gauge',   help: 'Addresses, networks and identities whose use is remembered for limits.', perWorker: true },
  postern_event_loop_lag_seconds:   { type: 'gauge',   help: 'How late the event loop was in the last ten seconds, by quantile.', perWorker: true },
  postern_resident_memory_bytes:    { type: 'gauge',   help: 'Resident memory.', perWorker: true },
} as const satisfies { readonly [name: string]: Metric }

export type MetricName = keyof typeof METRICS

/** One list out of the workers' lists. */
export function sumSamples(workers: readonly (readonly Sample[])[]): readonly Sample[] {
  const sums = new Map<string, Sample>()
  for (const [worker, samples] of workers.entries()) {
    for (const { name, labels, value } of samples) {
      const metric: Metric = METRICS[name]
      const kept = metric.perWorker === true ? { worker: String(worker), ...labels } : labels
      const key = `${name}${labelText(kept)}`
      sums.set(key, { name, labels: kept, value: (sums.get(key)?.value ?? 0) + value })
    }
  }
  return [...sums.values()]
}

/** The text that Prometheus reads. Each metric is there, with 0 if nothing of it was counted. */
export function formatPrometheus(samples: readonly Sample[]): string {
  const names = Object.keys(METRICS) as readonly MetricName[]
  return names
    .map(name => {
      const { help, type } = METRICS[name]
      const lines = samples.filter(sample => sample.name === name).map(({ labels, value }) => `${name}${labelText(labels)} ${value}`)
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...(lines.length === 0 && type === 'counter' ? [`${name} 0`] : lines.sort())].join('\n')
    })
    .join('\n')
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

/** Backslash, quote and line feed, as the format asks. */
function escaped(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')
}
