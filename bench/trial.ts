/** One run of one scenario against one server: what was asked, what came of it, what it cost. */

import { cpuSecondsOfTree, cpuSecondsWhenQuiet, machineSeconds, sleep, watchPeakMemory } from './measure.ts'
import type { Partner } from './partner.ts'
import {
  ownCpuSeconds,
  type LoadAnswer,
  type LoadRequest,
  type LoadResult,
  type SinkAnswer,
  type SinkReport,
  type SinkRequest,
} from './protocol.ts'
import type { Scenario } from './scenarios.ts'
import type { RunningServer, Site } from './servers/server.ts'
import { quantile } from './statistics.ts'

export type Partners = {
  readonly load: Partner<LoadRequest, LoadAnswer>
  readonly sink: Partner<SinkRequest, SinkAnswer>
}

export type TrialPlan = {
  readonly scenario: Scenario
  readonly site: Site
  readonly messages: number
  readonly connections: number
  readonly sizeBytes: number
}

export type Figures = {
  readonly acceptedPerSecond: number
  /** Until the next hop has the last message; with a stalled next hop, from when it wakes. */
  readonly deliveredPerSecond: number
  /** The server's processor time for everything, delivery included, per 1,000 messages. */
  readonly cpuSecondsPerThousand: number
  readonly latencyMedianMilliseconds: number
  readonly latency99Milliseconds: number
  readonly peakMemoryMebibytes: number
  readonly lost: number
  readonly duplicates: number
  /** Messages that got no 250, and what was said instead. */
  readonly refused: number
  readonly failures: Readonly<Record<string, number>>
  readonly negotiated: string | null
  readonly loadCpuSecondsPerThousand: number
  readonly sinkCpuSecondsPerThousand: number
  /** What everybody else on the machine used of its processors meanwhile: the noise. */
  readonly otherLoadPercent: number
}

let lastRun = 0

export async function runTrial(plan: TrialPlan, server: RunningServer, { load, sink }: Partners): Promise<Figures> {
  const { scenario, messages } = plan
  const run = ++lastRun
  const stalled = scenario.nextHop === 'stalled'
  await sink.ask({ do: 'expect', run, messages, stalled }, 'expecting')

  const ownCpu = process.cpuUsage()
  const machineBefore = machineSeconds()
  const cpuBefore = cpuSecondsOfTree(server.pid)
  const memory = watchPeakMemory(server.pid)
  const sent = await load.ask(
    {
      do: 'load',
      order: {
        port: server.port,
        run,
        messages,
        connections: plan.connections,
        messagesPerConnection: scenario.messagesPerConnection,
        sizeBytes: plan.sizeBytes,
        tls: scenario.secure ? plan.site.client : null,
      },
    },
    'loadDone',
  )
  if (stalled) sink.send({ do: 'open' })
  const received = await allArrived(sink, sent.accepted)
  const serverSeconds = (await cpuSecondsWhenQuiet(server.pid)) - cpuBefore
  const peakKibibytes = memory.stop()
  const machine = machineSeconds()
  const ours = serverSeconds + sent.cpuSeconds + received.cpuSeconds + ownCpuSeconds(ownCpu)
  const otherSeconds = machine.busy - machineBefore.busy - ours
  const otherLoadPercent = Math.max(0, (100 * otherSeconds) / (machine.all - machineBefore.all))
  const refused = messages - sent.accepted
  return { ...ratesOf(scenario, sent, received), refused, ...costsOf(sent, received, serverSeconds, peakKibibytes), otherLoadPercent }
}

function ratesOf(scenario: Scenario, sent: LoadResult, received: SinkReport) {
  const deliveryStartedAt = scenario.nextHop === 'stalled' ? received.openedAt : sent.startedAt
  const perSecond = (count: number, from: number, to: number): number => (1000 * count) / (to - from)
  return {
    acceptedPerSecond: perSecond(sent.accepted, sent.startedAt, sent.lastAcceptedAt),
    deliveredPerSecond: perSecond(received.arrived, deliveryStartedAt, received.lastArrivedAt),
    latencyMedianMilliseconds: quantile(sent.latenciesMilliseconds, 0.5),
    latency99Milliseconds: quantile(sent.latenciesMilliseconds, 0.99),
    lost: Math.max(0, sent.accepted - received.arrived),
    duplicates: received.duplicates,
    failures: sent.failures,
    negotiated: sent.negotiated,
  }
}

function costsOf(sent: LoadResult, received: SinkReport, serverSeconds: number, peakKibibytes: number) {
  const perThousand = (seconds: number): number => (1000 * seconds) / sent.accepted
  return {
    cpuSecondsPerThousand: perThousand(serverSeconds),
    loadCpuSecondsPerThousand: perThousand(sent.cpuSeconds),
    sinkCpuSecondsPerThousand: perThousand(received.cpuSeconds),
    peakMemoryMebibytes: peakKibibytes / 1024,
  }
}

/** Waits for every accepted message. Gives up, and lets the report say what is missing, when none has come for a while. */
async function allArrived(sink: Partners['sink'], accepted: number): Promise<SinkReport> {
  let arrived = -1
  for (let silentPolls = 0; ; silentPolls++) {
    const report = await sink.ask({ do: 'report' }, 'sinkReport')
    if (report.arrived >= accepted) break
    if (report.arrived > arrived) silentPolls = 0
    if (silentPolls >= GIVE_UP_POLLS) break
    arrived = report.arrived
    await sleep(POLL_MILLISECONDS)
  }
  await sleep(DUPLICATES_MILLISECONDS)
  return sink.ask({ do: 'report' }, 'sinkReport')
}

const POLL_MILLISECONDS = 250
const GIVE_UP_POLLS = 240
/** How long a second copy of a message is waited for. */
const DUPLICATES_MILLISECONDS = 300
