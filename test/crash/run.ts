/**
 * npm run test:crash -- [--rounds 10] [--clients 20] [--seed N]
 *
 * Prints a row for each round and ends with `N passed, N failed`, counted in rounds. A failing run is
 * repeated with the seed it printed.
 */

import { parseArgs } from 'node:util'
import { crash, type CrashReport, type RoundReport } from './rounds.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    clients: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const options = { rounds: count('rounds'), clients: count('clients'), seed: count('seed'), told: (line: string) => console.log(line) }

console.log(`seed ${options.seed}: ${options.rounds} rounds, ${options.clients} clients`)
const report = await crash(options)
console.log(`\n${table(report.rounds)}\n`)
for (const { round, lost } of report.rounds) for (const name of lost) console.log(`lost in round ${round}: ${name}`)
console.log(summary(report))
const failed = report.rounds.filter(round => round.lost.length > 0).length + (report.damaged > 0 ? 1 : 0)
console.log(`${report.rounds.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function count(name: 'rounds' | 'clients' | 'seed'): number {
  const value = Number(values[name])
  if (Number.isSafeInteger(value) && value >= (name === 'seed' ? 0 : 1)) return value
  console.error(`test:crash: --${name} ${values[name]}: write a whole number`)
  process.exit(2)
}

function table(rounds: readonly RoundReport[]): string {
  const rows = [
    ['round', 'killed after', 'died first', 'accepted', 'unanswered', 'lost'],
    ...rounds.map(round => [
      String(round.round),
      `${round.killedAfterSeconds.toFixed(1)} s`,
      round.first,
      String(round.accepted),
      String(round.unanswered),
      String(round.lost.length),
    ]),
  ]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ')).join('\n')
}

function summary({ rounds, duplicates, damaged }: CrashReport): string {
  const accepted = rounds.reduce((sum, round) => sum + round.accepted, 0)
  const lost = rounds.reduce((sum, round) => sum + round.lost.length, 0)
  return `${accepted} accepted, ${lost} lost, ${damaged} damaged, ${duplicates} arrived once more than needed (delivered, and killed before that was written down)`
}
