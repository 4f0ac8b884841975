/** The command line of `npm run bench`. */

import { parseArgs } from 'node:util'
import { fail, ok, type Result } from '../src/core/result.ts'
import { IDLE, SCENARIOS } from './scenarios.ts'

export type Options = {
  readonly servers: readonly ServerName[]
  /** Names of scenarios, and perhaps `idle`. */
  readonly scenarios: readonly string[]
  readonly messages: number
  readonly connections: number
  readonly sizeBytes: number
  readonly runs: number
  readonly idleConnections: number
  readonly folder: string
  readonly jsonFile: string | null
}

export type ServerName = 'postern' | 'postfix'
const SERVER_NAMES: readonly ServerName[] = ['postern', 'postfix']
const SCENARIO_NAMES = [...SCENARIOS.map(scenario => scenario.name), IDLE]

export const USAGE = `npm run bench -- [options]

  --servers LIST           ${SERVER_NAMES.join(',')} (default: all)
  --scenarios LIST         ${SCENARIO_NAMES.join(',')} (default: all but relay-100k)
  --messages N             messages of a run, 3000; some scenarios take a part of that
  --connections N          connections at once, 50
  --size BYTES             size of a message, 2048
  --runs N                 runs of each scenario, of which the median counts, 3
  --idle-connections N     connections of the idle scenario, 500
  --folder FOLDER          where spools are made; must be on a real disk, /var/tmp
  --json FILE              write every figure of every run there
  --help
`

/** The problem is a sentence for the user. */
export function parseOptions(args: readonly string[]): Result<Options | 'help', string> {
  let values
  try {
    values = parseArgs({ args: [...args], options: PARSE_OPTIONS }).values
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
  if (values.help === true) return ok('help')
  const numbers: Record<string, number> = {}
  for (const name of ['messages', 'connections', 'size', 'runs', 'idle-connections'] as const) {
    const number = Number(values[name])
    if (!Number.isSafeInteger(number) || number < 1) return fail(`--${name}: write a whole number from 1`)
    numbers[name] = number
  }
  const servers = listOf(values.servers, SERVER_NAMES)
  if (!servers.ok) return fail(`--servers: ${servers.problem}`)
  const scenarios = listOf(values.scenarios, SCENARIO_NAMES)
  if (!scenarios.ok) return fail(`--scenarios: ${scenarios.problem}`)
  return ok({
    servers: servers.value,
    scenarios: scenarios.value,
    messages: numbers['messages'] ?? 0,
    connections: numbers['connections'] ?? 0,
    sizeBytes: numbers['size'] ?? 0,
    runs: numbers['runs'] ?? 0,
    idleConnections: numbers['idle-connections'] ?? 0,
    folder: values.folder,
    jsonFile: values.json ?? null,
  })
}

const PARSE_OPTIONS = {
  servers: { type: 'string', default: SERVER_NAMES.join(',') },
  scenarios: { type: 'string', default: SCENARIO_NAMES.filter(name => name !== 'relay-100k').join(',') },
  messages: { type: 'string', default: '3000' },
  connections: { type: 'string', default: '50' },
  size: { type: 'string', default: '2048' },
  runs: { type: 'string', default: '3' },
  'idle-connections': { type: 'string', default: '500' },
  folder: { type: 'string', default: '/var/tmp' },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

function listOf<Name extends string>(text: string, known: readonly Name[]): Result<readonly Name[], string> {
  const asked = text.split(',').map(name => name.trim())
  const unknown = asked.find(name => !known.some(one => one === name))
  if (unknown !== undefined) return fail(`"${unknown}" is none of ${known.join(', ')}`)
  return ok(known.filter(name => asked.includes(name)))
}
