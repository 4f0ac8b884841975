/** Figures as tables a person reads, with the ratio of Postern to Postfix and the targets. */

import type { IdleFigures } from './idle.ts'
import type { Scenario } from './scenarios.ts'
import { median } from './statistics.ts'
import type { Figures } from './trial.ts'

export type ScenarioResult = {
  readonly scenario: Scenario
  readonly messages: number
  readonly sizeBytes: number
  readonly connections: number
  /** By server name, one entry per run. */
  readonly runs: Readonly<Record<string, readonly Figures[]>>
}

/** A line of a table: its words, and what it says of each server. */
type Row = { readonly label: string; readonly valueOf: (server: string) => number; readonly digits: number; readonly ratio?: false }

export function formatScenario(result: ScenarioResult): string {
  const { scenario, messages, sizeBytes, connections } = result
  const servers = Object.keys(result.runs)
  const of = (pick: (figures: Figures) => number) => (server: string) => median((result.runs[server] ?? []).map(pick))
  const worst = (pick: (figures: Figures) => number) => (server: string) => Math.max(...(result.runs[server] ?? []).map(pick))
  const runs = Math.max(...Object.values(result.runs).map(list => list.length))
  const delivered = scenario.nextHop === 'stalled' ? 'delivered per s, once the next hop wakes' : 'end to end per s'
  // prettier-ignore
  const rows: Row[] = [
    { label: 'accepted per s',                    valueOf: of(figures => figures.acceptedPerSecond),          digits: 0 },
    { label: delivered,                           valueOf: of(figures => figures.deliveredPerSecond),         digits: 0 },
    { label: 'CPU s per 1,000 messages',          valueOf: of(figures => figures.cpuSecondsPerThousand),      digits: 2 },
    { label: 'median latency of a message, ms',   valueOf: of(figures => figures.latencyMedianMilliseconds),  digits: 1 },
    { label: 'p99 latency of a message, ms',      valueOf: of(figures => figures.latency99Milliseconds),      digits: 1 },
    { label: 'peak memory, MiB',                  valueOf: of(figures => figures.peakMemoryMebibytes),        digits: 0 },
    { label: 'lost, worst run',                   valueOf: worst(figures => figures.lost),                    digits: 0, ratio: false },
    { label: 'duplicates, worst run',             valueOf: worst(figures => figures.duplicates),              digits: 0, ratio: false },
    { label: 'without a 250, worst run',          valueOf: worst(figures => figures.refused),                 digits: 0, ratio: false },
    { label: 'generator CPU s per 1,000',         valueOf: of(figures => figures.loadCpuSecondsPerThousand),  digits: 2, ratio: false },
    { label: 'next hop CPU s per 1,000',          valueOf: of(figures => figures.sinkCpuSecondsPerThousand),  digits: 2, ratio: false },
    { label: 'others on this machine, % of CPU',  valueOf: of(figures => figures.otherLoadPercent),           digits: 0, ratio: false },
  ]
  const heading = `${scenario.name}: ${scenario.title}\n  ${messages} messages of ${sizeBytes} bytes, ${connections} connections, median of ${runs}`
  return [heading, ...table(servers, rows), ...notes(result)].join('\n')
}

/** What a table can't hold: the TLS that was negotiated, and the words of failures. */
function notes(result: ScenarioResult): string[] {
  return Object.entries(result.runs).flatMap(([server, runs]) => {
    const negotiated = runs.find(figures => figures.negotiated !== null)?.negotiated
    const failures = new Set(runs.flatMap(figures => Object.keys(figures.failures)))
    return [
      ...(negotiated === undefined ? [] : [`  ${server}: ${negotiated}`]),
      ...[...failures].slice(0, 5).map(why => `  ${server} failed: ${why}`),
    ]
  })
}

export function formatIdle(results: Readonly<Record<string, IdleFigures>>, connections: number): string {
  const of = (pick: (figures: IdleFigures) => number) => (server: string) => {
    const figures = results[server]
    return figures === undefined ? Number.NaN : pick(figures)
  }
  // prettier-ignore
  const rows: Row[] = [
    { label: 'idle memory, MiB',                  valueOf: of(figures => figures.idleMebibytes),             digits: 0 },
    { label: 'memory with the connections, MiB',  valueOf: of(figures => figures.withConnectionsMebibytes),  digits: 0 },
    { label: 'KiB per connection',                valueOf: of(figures => figures.kibibytesPerConnection),    digits: 0 },
    { label: 'connections open',                  valueOf: of(figures => figures.open),                      digits: 0, ratio: false },
    { label: 'processes',                         valueOf: of(figures => figures.processes),                 digits: 0, ratio: false },
  ]
  const failures = Object.entries(results).flatMap(([server, figures]) =>
    Object.keys(figures.failures).map(why => `  ${server} failed: ${why}`),
  )
  return [`idle: ${connections} idle mutual-TLS connections`, ...table(Object.keys(results), rows), ...failures.slice(0, 5)].join('\n')
}

/** The targets are for people to see; they fail no run, since they depend on the machine. */
export function formatTargets(results: readonly ScenarioResult[]): string {
  const lines = TARGETS.flatMap(target => {
    const runs = results.find(result => result.scenario.name === target.scenario)?.runs
    if (runs?.['postern'] === undefined || runs['postfix'] === undefined) return []
    const ratio = median(runs['postern'].map(target.pick)) / median(runs['postfix'].map(target.pick))
    const met = target.atLeast ? ratio >= target.limit : ratio <= target.limit
    return [`  ${met ? 'met    ' : 'not met'}  ${target.words}: ${ratio.toFixed(2)}`]
  })
  return lines.length === 0 ? '' : ['targets, Postern / Postfix', ...lines].join('\n')
}

// prettier-ignore
const TARGETS: readonly { scenario: string; words: string; pick: (figures: Figures) => number; atLeast: boolean; limit: number }[] = [
  { scenario: 'relay',   words: 'end to end at 2 KB, at least 3',                         pick: figures => figures.deliveredPerSecond,    atLeast: true,  limit: 3 },
  { scenario: 'tls-new', words: 'CPU per message over new TLS connections, at most 0.5',  pick: figures => figures.cpuSecondsPerThousand, atLeast: false, limit: 0.5 },
]

function table(servers: readonly string[], rows: readonly Row[]): string[] {
  const compares = servers.includes('postern') && servers.includes('postfix')
  const header = ['', ...servers, ...(compares ? ['ratio'] : [])]
  const lines = rows.map(row => {
    const values = servers.map(server => row.valueOf(server).toFixed(row.digits))
    const ratio = row.valueOf('postern') / row.valueOf('postfix')
    return [row.label, ...values, ...(compares ? [row.ratio === false ? '' : ratio.toFixed(2)] : [])]
  })
  return [header, ...lines].map(cells => `  ${cells[0]?.padEnd(42)}${cells.slice(1).map(cell => cell.padStart(11)).join('')}`)
}
