/**
 * Kills Postern under load, again and again, and then looks for every message it had promised.
 *
 * Every wait has a limit and says what it was waiting for, and each step is told before it begins: the
 * last line is where a run stands.
 *
 * Each round sends by certificate from many clients to a next hop that is slow, says "later" and hangs
 * up, and ends with SIGKILL for every process at a random moment; now and then one process dies
 * first, alone. After the last round the queue drains. A message that got a 250 and never arrives is
 * lost, and none may be. One that arrives twice is the price of that: its delivery had happened and
 * was not yet written down.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { makePostern, showing, type Postern } from '../support/postern.ts'
import { familyOf, signal, waitFor } from '../support/processes.ts'
import { startSink, type Sink, type SinkAnswer, type SinkStep } from '../support/sink.ts'
import { startLoad } from './load.ts'
import { readMessage } from './messages.ts'
import { randomFrom, type Random } from '../support/random.ts'

export type CrashOptions = {
  readonly rounds: number
  readonly seed: number
  readonly clients: number
  readonly told: (line: string) => void
}

export type CrashReport = {
  readonly rounds: readonly RoundReport[]
  /** Messages that arrived more than once, by how often too often. */
  readonly duplicates: number
  /** Messages whose body was not what was sent. */
  readonly damaged: number
}

export type RoundReport = {
  readonly round: number
  readonly killedAfterSeconds: number
  /** Which processes died before the rest. */
  readonly first: string
  readonly accepted: number
  readonly unanswered: number
  /** Names of what was promised in this round and never arrived. */
  readonly lost: readonly string[]
}

type Round = Omit<RoundReport, 'accepted' | 'lost'> & { readonly accepted: readonly string[] }

export async function crash(options: CrashOptions): Promise<CrashReport> {
  const random = randomFrom(options.seed)
  const arrived = new Map<string, number>()
  const damaged = new Set<string>()
  const sink = await startSink({
    keep: false,
    answer: step => {
      const answer = unreliable(step, random)
      if (step.at === 'message' && answer === null) arrive(step.text, arrived, damaged)
      return later(answer, random)
    },
  })
  const postern = await makePostern({
    smarthost: sink.port,
    settings: { queue: { retry: ['1s'], 'delay-warning': 'never' } },
  })
  try {
    const rounds = await runRounds(postern, options, random)
    await drain(postern, rounds, arrived, options.told)
    return report(rounds, arrived, damaged)
  } finally {
    await end(postern, sink)
  }
}

async function runRounds(postern: Postern, options: CrashOptions, random: Random): Promise<Round[]> {
  await postern.start()
  const tls = showing(postern, await postern.issue('joe', '--email', 'joe@example.test'))
  const rounds: Round[] = []
  for (let round = 1; round <= options.rounds; round++) {
    if (round > 1) {
      options.told(`round ${round}: starting`)
      await postern.start()
    }
    const load = startLoad({ port: postern.ports.submission, tls, clients: options.clients, round, random })
    const killedAfterSeconds = random.between(300, 4000) / 1000
    await sleep(killedAfterSeconds * 1000)
    const first = random.chance(0.4) ? await killOne(postern, random) : '-'
    options.told(`round ${round}: killing${first === '-' ? '' : `, ${first} went first`}`)
    await postern.killAll()
    await load.stop()
    const { accepted, unanswered } = load.promised
    rounds.push({ round, killedAfterSeconds, first, accepted, unanswered })
    options.told(`round ${round}: killed after ${killedAfterSeconds} s, ${accepted.length} accepted, ${unanswered} unanswered`)
  }
  return rounds
}

/** One process alone, and a moment for the others to notice. */
async function killOne(postern: Postern, random: Random): Promise<string> {
  const family = familyOf(postern.pid()).sort((one, other) => one - other)
  const victim = random.between(0, family.length - 1)
  signal(family[victim] ?? postern.pid(), 'SIGKILL')
  await sleep(random.between(0, 700))
  return victim === 0 ? 'supervisor' : `process ${victim}`
}

/** Starts it once more and waits until the queue is empty: what has not arrived by then never will. */
async function drain(
  postern: Postern,
  rounds: readonly Round[],
  arrived: ReadonlyMap<string, number>,
  told: (line: string) => void,
): Promise<void> {
  told('draining: starting')
  await postern.start()
  const promised = rounds.flatMap(({ accepted }) => accepted)
  const missing = (): number => promised.filter(name => !arrived.has(name)).length
  told(`draining: ${missing()} of ${promised.length} promised messages are still to come`)
  await waitFor('the queue to drain', async () => ((await postern.json(['queue', 'list'])) as readonly unknown[]).length === 0, {
    timeoutSeconds: 120,
    told: () => `${missing()} messages have not arrived\n${postern.output().slice(-4000)}`,
  })
  await postern.stop()
}

/** What the next hop says, other than yes: at most every tenth time, so that there is something to repeat. */
function unreliable({ at }: SinkStep, random: Random): SinkAnswer {
  if (at === 'mail' && random.chance(0.03)) return '451 4.3.0 Not now'
  if (at === 'message' && random.chance(0.03)) return '452 4.3.1 No room just now'
  if (at === 'message' && random.chance(0.02)) return 'hang up'
  return null
}

async function later(answer: SinkAnswer, random: Random): Promise<SinkAnswer> {
  if (random.chance(0.3)) await sleep(random.between(1, 60))
  return answer
}

function arrive(text: string, arrived: Map<string, number>, damaged: Set<string>): void {
  const { name, whole } = readMessage(text)
  arrived.set(name, (arrived.get(name) ?? 0) + 1)
  if (!whole) damaged.add(name)
}

function report(rounds: readonly Round[], arrived: ReadonlyMap<string, number>, damaged: ReadonlySet<string>): CrashReport {
  const duplicates = [...arrived.values()].reduce((sum, times) => sum + times - 1, 0)
  return {
    rounds: rounds.map(round => ({
      ...round,
      accepted: round.accepted.length,
      lost: round.accepted.filter(name => !arrived.has(name)),
    })),
    duplicates,
    damaged: damaged.size,
  }
}

async function end(postern: Postern, sink: Sink): Promise<void> {
  await postern.dispose()
  await sink.stop()
}
