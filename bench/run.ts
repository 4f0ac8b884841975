/**
 * `npm run bench`: Postern beside Postfix, in one run, on one machine, under the same load.
 *
 * The runs of a scenario alternate between the servers, so that a busy minute of the machine meets
 * both. README.md says what the figures mean and what they can't tell.
 */

import { mkdir, mkdtemp, chmod, rm, statfs, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { measureIdle, type IdleFigures } from './idle.ts'
import { parseOptions, USAGE, type Options, type ServerName } from './options.ts'
import { Partner } from './partner.ts'
import { assertRefusesStrangers } from './preflight.ts'
import { formatIdle, formatScenario, formatTargets, type ScenarioResult } from './report.ts'
import { IDLE, SCENARIOS, type Scenario } from './scenarios.ts'
import { startPostern } from './servers/postern.ts'
import { startPostfix } from './servers/postfix.ts'
import type { RunningServer, ServerPlan, Site, StartServer } from './servers/server.ts'
import { makeSite } from './site.ts'
import { runTrial, type Figures, type Partners, type TrialPlan } from './trial.ts'

const STARTERS: Readonly<Record<ServerName, StartServer>> = { postern: startPostern, postfix: startPostfix }

/** Messages before the measured ones, in which compilers, process pools and caches get warm. */
const WARM_UP_PART = 0.5
const WARM_UP_LEAST = 500

type Bench = {
  readonly options: Options
  readonly folder: string
  readonly site: Site
  readonly nextHopPort: number
  readonly partners: Partners
}

async function main(): Promise<number> {
  const parsed = parseOptions(process.argv.slice(2))
  if (!parsed.ok) {
    console.error(`bench: ${parsed.problem}\n\n${USAGE}`)
    return 2
  }
  if (parsed.value === 'help') {
    console.log(USAGE)
    return 0
  }
  const options = parsed.value
  await refuseMemoryDisk(options.folder)
  const folder = await mkdtemp(join(options.folder, 'postern-bench-'))
  await chmod(folder, 0o755) // servers that give up root must get in
  const partners: Partners = { load: new Partner('load'), sink: new Partner('sink') }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void giveUp(folder))
  try {
    const { port } = await partners.sink.next('listening')
    const site = await makeSite(folder)
    await bench({ options, folder, site, nextHopPort: port, partners })
    await rm(folder, { recursive: true, force: true })
    return 0
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}\nbench: everything is left in ${folder}`)
    return 1
  } finally {
    await stopAll()
    partners.load.end()
    partners.sink.end()
  }
}

async function bench(setting: Bench): Promise<void> {
  const { options } = setting
  console.log(`${cpus().length} processors (${cpus()[0]?.model}), ${Math.round(totalmem() / 2 ** 30)} GiB; ${options.folder}\n`)
  const scenarios = SCENARIOS.filter(scenario => options.scenarios.includes(scenario.name))
  const results = scenarios.length === 0 ? [] : await measureScenarios(setting, scenarios)
  const idle = options.scenarios.includes(IDLE) ? await measureAllIdle(setting) : {}
  console.log(formatTargets(results))
  if (options.jsonFile !== null) {
    await writeFile(options.jsonFile, `${JSON.stringify({ at: new Date().toISOString(), options, results, idle }, null, 2)}\n`)
  }
}

async function measureScenarios(setting: Bench, scenarios: readonly Scenario[]): Promise<ScenarioResult[]> {
  try {
    const servers = await startAll(setting, setting.options.connections)
    const results: ScenarioResult[] = []
    for (const scenario of scenarios) {
      const result = await measureScenario(setting, scenario, servers)
      console.log(`${formatScenario(result)}\n`)
      results.push(result)
    }
    return results
  } finally {
    await stopAll()
  }
}

async function measureScenario(
  { options, site, partners }: Bench,
  scenario: Scenario,
  servers: readonly RunningServer[],
): Promise<ScenarioResult> {
  const sizeBytes = scenario.sizeBytes === 'asked' ? options.sizeBytes : scenario.sizeBytes
  const messages = Math.ceil(options.messages * scenario.share)
  const plan: TrialPlan = { scenario, site, messages, sizeBytes, connections: options.connections }
  const warmUp = { ...plan, messages: Math.max(WARM_UP_LEAST, Math.ceil(messages * WARM_UP_PART)) }
  for (const server of servers) await runTrial(warmUp, server, partners)

  const runs: Record<string, Figures[]> = Object.fromEntries(servers.map(server => [server.name, []]))
  for (let run = 0; run < options.runs; run++) {
    for (const server of servers) runs[server.name]?.push(await runTrial(plan, server, partners))
  }
  return { scenario, messages, sizeBytes, connections: options.connections, runs }
}

/** One server at a time, freshly started, so that nothing but its connections is in its memory. */
async function measureAllIdle(setting: Bench): Promise<Record<string, IdleFigures>> {
  const { options, site, partners } = setting
  const results: Record<string, IdleFigures> = {}
  for (const name of options.servers) {
    const server = await startOne(setting, name, options.idleConnections)
    results[name] = await measureIdle(server, site, options.idleConnections, partners)
    await stopAll()
  }
  console.log(`${formatIdle(results, options.idleConnections)}\n`)
  return results
}

async function startAll(setting: Bench, connections: number): Promise<RunningServer[]> {
  const servers: RunningServer[] = []
  for (const name of setting.options.servers) servers.push(await startOne(setting, name, connections))
  for (const server of servers) console.log(server.version)
  console.log('')
  return servers
}

/** Servers that were started and not stopped, for whoever has to stop them. */
const running: RunningServer[] = []

async function stopAll(): Promise<void> {
  for (const server of running.splice(0)) await server.stop()
}

/** The servers outlive this program if nobody tells them. */
async function giveUp(folder: string): Promise<void> {
  await stopAll()
  await rm(folder, { recursive: true, force: true })
  process.exit(1)
}

let lastFolder = 0

async function startOne(setting: Bench, name: ServerName, connections: number): Promise<RunningServer> {
  const { site, nextHopPort } = setting
  const folder = join(setting.folder, `${name}-${++lastFolder}`)
  await mkdir(folder)
  const plan: ServerPlan = { folder, nextHopPort, site, connections }
  try {
    const server = await STARTERS[name](plan)
    running.push(server)
    await assertRefusesStrangers(server.port)
    return server
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** On a disk in memory a sync costs nothing, and the figures would say nothing about durable queues. */
async function refuseMemoryDisk(folder: string): Promise<void> {
  const TMPFS_MAGIC = 0x01021994
  if ((await statfs(folder)).type !== TMPFS_MAGIC) return
  console.error(`bench: ${folder} is kept in memory; name a folder on a real disk with --folder`)
  process.exit(1)
}

process.exitCode = await main()
