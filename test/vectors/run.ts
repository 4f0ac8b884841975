/**
 * `npm run vectors -- FOLDER`: runs every vector file of a folder, by default sendmail's beside this.
 *
 * A failure prints the case's name, what was expected and what came. The last line counts.
 */

import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { runMapFileCase } from './access-map-file.ts'
import { runRelayCase } from './access-relay.ts'
import { runDnCase } from './dn-encoding.ts'
import type { CaseOutcome } from './outcome.ts'
import { runTlsCase } from './tls-policy.ts'

const RUNNERS: Readonly<Record<string, (input: unknown) => CaseOutcome>> = {
  'access-map-file': runMapFileCase,
  'access-relay': runRelayCase,
  'dn-encoding': runDnCase,
  'tls-policy': runTlsCase,
}

const folder = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, 'sendmail'))
let passed = 0
let failed = 0

for (const file of readdirSync(folder).filter(name => name.endsWith('.json')).sort()) {
  const runner = RUNNERS[file.replace(/\.json$/, '')] ?? RUNNERS[Object.keys(RUNNERS).find(kind => file.startsWith(kind)) ?? '']
  if (runner === undefined) {
    console.log(`${file}: no runner for this kind of file`)
    failed += 1
    continue
  }
  const outcomes = (JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as unknown[]).map(input => outcomeOf(runner, input))
  const problems = outcomes.filter(({ problem }) => problem !== null)
  for (const { name, problem } of problems) console.log(`${file}: ${name}\n     ${problem}`)
  console.log(`${file}: ${outcomes.length - problems.length} of ${outcomes.length}`)
  passed += outcomes.length - problems.length
  failed += problems.length
}

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** A case that ends in an exception has failed; the others still run. */
function outcomeOf(runner: (input: unknown) => CaseOutcome, input: unknown): CaseOutcome {
  try {
    return runner(input)
  } catch (error) {
    return { name: (input as { name?: string }).name ?? 'unnamed', problem: String(error) }
  }
}
