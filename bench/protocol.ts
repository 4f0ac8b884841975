/**
 * What the three processes of a benchmark say to each other.
 *
 * Load generator and sink run in processes of their own, so that the processor time of each, and of
 * the server between them, is told apart. They talk to `run.ts` over Node's IPC channel only before
 * and after the timed part. Times are the machine's monotonic clock in milliseconds, which every
 * process on it shares.
 */

export type LoadOrder = {
  readonly port: number
  /** The run's number, part of each message's token. */
  readonly run: number
  readonly messages: number
  readonly connections: number
  readonly messagesPerConnection: number
  readonly sizeBytes: number
  /** STARTTLS with the client certificate; null for clear text. */
  readonly tls: ClientTls | null
}

export type ClientTls = {
  readonly serverName: string
  readonly caFile: string
  readonly certificateFile: string
  readonly keyFile: string
}

export type LoadResult = {
  readonly kind: 'loadDone'
  readonly startedAt: number
  /** When the last 250 after a message came. */
  readonly lastAcceptedAt: number
  readonly accepted: number
  /** For each accepted message: from the start of its work (connect, or MAIL on an open connection) to its 250. */
  readonly latenciesMilliseconds: readonly number[]
  /** What went wrong, in words, with how often. */
  readonly failures: Readonly<Record<string, number>>
  /** Protocol, cipher and key exchange of the first connection, or null. */
  readonly negotiated: string | null
  readonly cpuSeconds: number
}

export type IdleOrder = {
  readonly port: number
  readonly connections: number
  readonly tls: ClientTls
}

export type LoadRequest =
  | { readonly do: 'load'; readonly order: LoadOrder }
  /** Opens connections up to the second EHLO and keeps them until `release`. */
  | { readonly do: 'idle'; readonly order: IdleOrder }
  | { readonly do: 'release' }

export type LoadAnswer =
  | LoadResult
  | { readonly kind: 'idleOpen'; readonly open: number; readonly failures: Readonly<Record<string, number>> }
  | { readonly kind: 'released' }

export type SinkRequest =
  /** Forgets the last run. A stalled sink takes connections and keeps silent until `open`. */
  | { readonly do: 'expect'; readonly run: number; readonly messages: number; readonly stalled: boolean }
  | { readonly do: 'open' }
  | { readonly do: 'report' }

export type SinkAnswer =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'expecting' }
  | SinkReport

export type SinkReport = {
  readonly kind: 'sinkReport'
  /** Different messages of this run that arrived whole. */
  readonly arrived: number
  readonly duplicates: number
  /** Messages without a token of this run, such as bounces. */
  readonly strangers: number
  /** When the last message arrived for the first time. */
  readonly lastArrivedAt: number
  readonly openedAt: number
  readonly connections: number
  readonly cpuSeconds: number
}

/** The header field that carries a message's token: run, dot, number in the run. */
export const TOKEN_FIELD = 'Bench-Token: '
const RUN_DIGITS = 6
const NUMBER_DIGITS = 8
export const TOKEN_LENGTH = RUN_DIGITS + 1 + NUMBER_DIGITS

export function formatToken(run: number, number: number): string {
  return `${String(run).padStart(RUN_DIGITS, '0')}.${String(number).padStart(NUMBER_DIGITS, '0')}`
}

/** Null if the text is not a token of this run. */
export function parseToken(run: number, token: string): number | null {
  if (token.slice(0, RUN_DIGITS + 1) !== `${String(run).padStart(RUN_DIGITS, '0')}.`) return null
  const number = Number(token.slice(RUN_DIGITS + 1))
  return Number.isInteger(number) ? number : null
}

export function monotonicMilliseconds(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export function ownCpuSeconds(since: NodeJS.CpuUsage): number {
  const used = process.cpuUsage(since)
  return (used.user + used.system) / 1e6
}
